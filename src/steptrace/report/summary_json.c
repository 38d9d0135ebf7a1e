// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/summary_json.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/report/json_members.h"

static const char *const outcome_names[RECORDED_OUTCOMES_COUNT] = {
	"other_outcome", "success", "failure", "skipped", "aborted", "cancelled",
};

/* ---- coverage */

static void put_place(struct json_members *out, const char *name,
		      const struct recorded_place *place)
{
	json_members__open(out, name, '{');
	json_members__text(out, "file", place->file);
	json_members__u64(out, "line", place->line);
	json_members__u64(out, "byte", place->byte);
	json_members__close(out, '}');
}

static void put_first_places(struct json_members *out, const struct recording_counts *counts)
{
	json_members__open(out, "first_skipped", '{');
	for (int i = 0; i < RECORDING_SKIPS_COUNT; i++)
		if (counts->skipped[i])
			put_place(out, recording_skip_names[i], &counts->first_skipped[i]);
	json_members__close(out, '}');
	if (counts->odd_lines)
		put_place(out, "first_odd", &counts->first_odd);
	if (counts->backwards)
		put_place(out, "first_backwards", &counts->first_backwards);
	if (counts->files_damaged)
		put_place(out, "first_damaged", &counts->first_damaged);
	if (counts->files_copied)
		put_place(out, "first_copied", &counts->first_copied);
}

static void put_counts(struct json_members *out, const struct recording_counts *counts)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"files", counts->files},
		{"files_copied", counts->files_copied},
		{"files_damaged", counts->files_damaged},
		{"files_empty", counts->files_empty},
		{"bytes", counts->bytes},
		{"lines", counts->lines},
		{"events", counts->events},
		{"events_other", counts->events_other},
		{"slow_lines", counts->slow_lines},
		{"odd_lines", counts->odd_lines},
		{"backwards", counts->backwards},
		{"backwards_ns", counts->backwards_ns},
		{"repeated_window", RECORDING_WINDOW_LINES},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_members__u64(out, members[i].name, members[i].value);
	json_members__open(out, "skipped", '{');
	for (int i = 0; i < RECORDING_SKIPS_COUNT; i++)
		json_members__u64(out, recording_skip_names[i], counts->skipped[i]);
	json_members__close(out, '}');
	put_first_places(out, counts);
}

static void put_trace(struct json_members *out, const struct coverage_trace *trace)
{
	json_members__open(out, NULL, '{');
	json_members__text(out, "host", trace->host);
	json_members__text(out, "boot_id", trace->boot_id);
	json_members__text(out, "version", trace->version);
	json_members__time(out, "started", trace->started_ns, trace->started_ns != 0);
	json_members__time(out, "stopped", trace->stopped_ns, trace->has_stopped);
	json_members__time(out, "last", trace->last_ns, trace->last_ns != 0);
	json_members__text(out, "reason", trace->reason);
	json_members__u64(out, "parts", trace->parts);
	json_members__u64(out, "last_part", trace->last_part);
	json_members__u64(out, "events", trace->events);
	json_members__u64(out, "hits", trace->hits);
	json_members__u64(out, "lost", coverage_trace__lost(trace));
	json_members__u64(out, "lost_lines", trace->lost_lines);
	json_members__u64(out, "processes_untraced", trace->untraced);
	json_members__u64(out, "filtered", trace->filtered);
	json_members__u64(out, "degraded", trace->degraded);
	json_members__u64(out, "clock_changes", trace->clock_changes);
	json_members__u64(out, "attached", trace->attached);
	json_members__u64(out, "detached", trace->detached);
	json_members__bool(out, "breakdown", trace->has_breakdown);
	json_members__close(out, '}');
}

static int put_losses(struct json_members *out, const struct coverage *coverage)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(coverage->losses, &count);

	json_members__open(out, "losses", '[');
	for (size_t i = 0; rows && i < count; i++) {
		json_members__open(out, NULL, '{');
		json_members__text(out, "kind", report_row__text(rows[i], 0));
		json_members__text(out, "reason", report_row__text(rows[i], 1));
		json_members__u64(out, "lost", rows[i]->count);
		json_members__close(out, '}');
	}
	json_members__close(out, ']');
	free(rows);
	return rows ? 0 : -ENOMEM;
}

int summary_json__put_coverage(struct json_members *out, const struct summary *summary,
			       const struct recording_counts *counts)
{
	const struct coverage *coverage = &summary->coverage;
	int code;

	json_members__open(out, "coverage", '{');
	put_counts(out, counts);
	json_members__time(out, "first", coverage->first_ns, coverage->last_ns != 0);
	json_members__time(out, "last", coverage->last_ns, coverage->last_ns != 0);
	json_members__open(out, "traces", '[');
	for (size_t i = 0; i < coverage->traces_count; i++)
		put_trace(out, &coverage->traces[i]);
	json_members__close(out, ']');
	json_members__u64(out, "other_traces", coverage->others_count);
	json_members__u64(out, "unattributed", coverage->unattributed);
	json_members__u64(out, "lost", coverage__lost(coverage));
	code = put_losses(out, coverage);
	json_members__u64(out, "ended_repeatedly", summary->ended_repeatedly);
	json_members__close(out, '}');
	return code;
}

void summary_json__put_selection(struct json_members *out, const struct summary *summary)
{
	const struct summary_options *options = &summary->options;
	const struct selection *selection = &summary->selection;

	json_members__open(out, "selection", '{');
	json_members__time(out, "since", options->since_ns, options->since_ns != 0);
	json_members__time(out, "until", options->until_ns, options->until_ns != 0);
	json_members__u64(out, "events", selection->events);
	json_members__u64(out, "other_time", selection->other_time);
	json_members__u64(out, "other_command", selection->other_command);
	json_members__u64(out, "without_time", selection->without_time);
	json_members__close(out, '}');
}

/* ---- tables */

static void put_times(struct json_members *out, const struct report_row *row)
{
	const struct histogram *durations = &row->durations;

	json_members__u64(out, "untimed", row->untimed);
	json_members__u64(out, "sum_ns", durations->sum_ns);
	json_members__u64(out, "min_ns", durations->min_ns);
	json_members__u64(out, "max_ns", durations->max_ns);
	json_members__u64(out, "p50_ns", histogram__percentile_ns(durations, 0.5));
	json_members__u64(out, "p95_ns", histogram__percentile_ns(durations, 0.95));
	json_members__u64(out, "p99_ns", histogram__percentile_ns(durations, 0.99));
}

static void put_row(struct json_members *out, const struct section *section,
		    const struct report_row *row, uint64_t time_ns)
{
	json_members__open(out, NULL, '{');
	for (size_t i = 0; i < REPORT_KEY_TEXTS && section->keys[i]; i++)
		json_members__text(out, section->keys[i], report_row__text(row, i));
	if (!row->key)
		json_members__bool(out, "is_other", true);
	json_members__u64(out, "count", row->count);
	for (int i = 0; section->has_outcomes && i < RECORDED_OUTCOMES_COUNT; i++)
		json_members__u64(out, outcome_names[i], row->outcomes[i]);
	if (section->time)
		put_times(out, row);
	if (section->has_share)
		json_members__share(out, "share", row->durations.sum_ns, time_ns);
	for (int i = 0; i < REPORT_NUMBERS && section->numbers[i]; i++)
		json_members__u64(out, section->numbers[i], row->numbers[i]);
	json_members__time(out, "first", row->first_ns, row->last_ns != 0);
	json_members__time(out, "last", row->last_ns, row->last_ns != 0);
	json_members__close(out, '}');
}

static int put_section(struct json_members *out, const struct summary *summary,
		       enum section_id section)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(summary->tables[section], &count);
	uint64_t time_ns = sections[section].has_share ? summary__time_ns(summary, section) : 0;

	json_members__open(out, sections[section].name, '[');
	for (size_t i = 0; rows && i < count; i++)
		put_row(out, &sections[section], rows[i], time_ns);
	json_members__close(out, ']');
	free(rows);
	return rows ? 0 : -ENOMEM;
}

/* ---- the rest */

static int put_slow_rows(struct json_members *out, const struct summary *summary,
			 enum section_id section, int slow)
{
	const struct section *info = &sections[section];
	size_t count;
	struct report_row **rows = report_rows__sorted(summary->tables[section], &count);

	json_members__open(out, info->name, '[');
	for (size_t i = 0; rows && i < count; i++) {
		if (!rows[i]->numbers[slow])
			continue;
		json_members__open(out, NULL, '{');
		for (size_t key = 0; key < REPORT_KEY_TEXTS && info->keys[key]; key++)
			json_members__text(out, info->keys[key], report_row__text(rows[i], key));
		json_members__u64(out, "slow", rows[i]->numbers[slow]);
		json_members__u64(out, "slow_ns", rows[i]->numbers[slow + 1]);
		json_members__u64(out, "max_ns", rows[i]->durations.max_ns);
		json_members__close(out, '}');
	}
	json_members__close(out, ']');
	free(rows);
	return rows ? 0 : -ENOMEM;
}

static int put_bottlenecks(struct json_members *out, const struct summary *summary)
{
	int code;

	json_members__open(out, "bottlenecks", '{');
	json_members__u64(out, "commands_over_ns", summary->options.slow_command_ns);
	json_members__u64(out, "steps_over_ns", summary->options.slow_step_ns);
	code = put_slow_rows(out, summary, SECTION_COMMANDS, COMMANDS_SLOW);
	if (!code)
		code = put_slow_rows(out, summary, SECTION_STEPS, STEPS_SLOW);
	json_members__close(out, '}');
	return code;
}

static void put_timeline(struct json_members *out, const struct timeline *timeline)
{
	json_members__open(out, "timeline", '{');
	json_members__u64(out, "width_ns", timeline->width_ns);
	json_members__u64(out, "untimed", timeline->untimed);
	json_members__open(out, "slots", '[');
	for (size_t i = 0; i < timeline->count; i++) {
		const struct timeline_slot *slot = &timeline->slots[i];

		json_members__open(out, NULL, '{');
		json_members__time(out, "start", slot->start_ns, true);
		json_members__u64(out, "count", slot->count);
		json_members__u64(out, "failed", slot->failed);
		json_members__u64(out, "sum_ns", slot->sum_ns);
		json_members__close(out, '}');
	}
	json_members__close(out, ']');
	json_members__close(out, '}');
}

static void put_waterfall_step(struct json_members *out, const struct waterfall *waterfall,
			       const struct waterfall_step *step)
{
	json_members__open(out, NULL, '{');
	json_members__text(out, "step_type", report_row__text(step->row, 1));
	json_members__text(out, "step_name", report_row__text(step->row, 2));
	json_members__text(out, "outcome", step->outcome ? outcome_names[step->outcome] : "");
	json_members__u64(out, "depth", step->depth);
	json_members__u64(out, "start_ns", waterfall__start_ns(waterfall, step));
	if (step->is_timed)
		json_members__u64(out, "duration_ns", step->duration_ns);
	json_members__close(out, '}');
}

static void put_waterfall(struct json_members *out, const struct waterfall *waterfall)
{
	json_members__open(out, NULL, '{');
	json_members__text(out, "execution_id", waterfall->execution_id);
	json_members__text(out, "command", report_row__text(waterfall->command, 0));
	json_members__text(out, "outcome",
			   waterfall->outcome ? outcome_names[waterfall->outcome] : "");
	json_members__time(out, "ended", waterfall->end_ns, waterfall->end_ns != 0);
	json_members__u64(out, "duration_ns", waterfall->duration_ns);
	json_members__u64(out, "steps_executed", waterfall->steps_executed);
	json_members__open(out, "steps", '[');
	for (uint32_t i = 0; i < waterfall->steps_count; i++)
		put_waterfall_step(out, waterfall, &waterfall->steps[i]);
	json_members__close(out, ']');
	json_members__close(out, '}');
}

static void put_slowest(struct json_members *out, const struct summary *summary)
{
	size_t count;
	struct waterfall *const *slowest = waterfalls__slowest(summary->waterfalls, &count);

	json_members__open(out, "slowest", '[');
	for (size_t i = 0; i < count; i++)
		put_waterfall(out, slowest[i]);
	json_members__close(out, ']');
}

static int put_all(struct json_members *out, const struct summary *summary,
		   const struct recording_counts *counts)
{
	int code;

	json_members__open(out, NULL, '{');
	json_members__u64(out, "report_version", 1);
	code = summary_json__put_coverage(out, summary, counts);
	summary_json__put_selection(out, summary);
	for (int section = 0; section < SECTIONS_COUNT && !code; section++)
		code = put_section(out, summary, (enum section_id)section);
	if (!code)
		code = put_bottlenecks(out, summary);
	put_timeline(out, &summary->timeline);
	put_slowest(out, summary);
	json_members__close(out, '}');
	json_members__close(out, '\n');
	return code ? code : out->has_failed ? -ENOMEM : 0;
}

int summary_json__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts)
{
	struct json_members members = {.has_failed = false};
	int code = json__init(&members.json, 1 << 16);

	if (!code)
		code = put_all(&members, summary, counts);
	if (!code)
		fwrite(members.json.base, 1, json__length(&members.json), out);
	json__free(&members.json);
	return code;
}
