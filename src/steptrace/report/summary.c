// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "steptrace/recording/repeats.h"

/* Within so many reports, it is told whether an execution or step was reported before. */
enum { OVERDUE_WINDOW = 1 << 14 };

struct summary *summary__new(const struct summary_options *options)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	bool is_good;

	if (!summary)
		return NULL;
	summary->options = *options;
	summary->waterfalls = waterfalls__new(options->slowest);
	summary->ended = repeats__new(RECORDING_WINDOW_LINES);
	summary->overdue = repeats__new(OVERDUE_WINDOW);
	is_good = !coverage__init(&summary->coverage) && summary->waterfalls && summary->ended &&
		  summary->overdue;
	for (int i = 0; i < SECTIONS_COUNT; i++) {
		summary->tables[i] = report_rows__new(sections[i].limit);
		is_good = is_good && summary->tables[i];
	}
	if (is_good)
		return summary;
	summary__free(summary);
	return NULL;
}

void summary__free(struct summary *summary)
{
	if (!summary)
		return;
	coverage__free(&summary->coverage);
	waterfalls__free(summary->waterfalls);
	repeats__free(summary->ended);
	repeats__free(summary->overdue);
	for (int i = 0; i < SECTIONS_COUNT; i++)
		report_rows__free(summary->tables[i]);
	free(summary);
}

/* ---- rows */

/* Counts the event in the row of these texts. NULL: no memory. */
static struct report_row *count_in(struct summary *summary, enum section_id section,
				   const struct recorded_event *event,
				   const struct recorded_text *texts, size_t texts_count)
{
	struct report_key key;
	struct report_row *row;

	key.bytes = 0;
	for (size_t i = 0; i < texts_count; i++)
		report_key__add(&key, texts[i]);
	row = report_rows__at(summary->tables[section], &key);
	if (!row)
		return NULL;
	row->count++;
	report_row__see(row, event);
	return row;
}

#define COUNT_IN(section, ...)                                                                     \
	count_in(summary, section, event, (const struct recorded_text[]){__VA_ARGS__},             \
		 sizeof((const struct recorded_text[]){__VA_ARGS__}) /                             \
			 sizeof(struct recorded_text))

static int add_time(struct report_row *row, bool is_known, uint64_t ns)
{
	row->untimed += !is_known;
	return is_known ? histogram__add(&row->durations, ns, 1) : 0;
}

static int add_duration(struct report_row *row, const struct recorded_event *event)
{
	row->outcomes[event->outcome]++;
	return add_time(row, RECORDED_HAS(event, duration_ns), event->duration_ns);
}

static void count_slow(struct report_row *row, const struct recorded_event *event, uint64_t over_ns,
		       int slow)
{
	if (!RECORDED_HAS(event, duration_ns) || event->duration_ns <= over_ns)
		return;
	row->numbers[slow]++;
	row->numbers[slow + 1] += event->duration_ns;
}

static int count_error(struct summary *summary, const struct recorded_event *event)
{
	return COUNT_IN(SECTION_ERRORS, event->error_category, event->command_slug,
			event->step_type, event->step_name)
		       ? 0
		       : -ENOMEM;
}

/* ---- command.execution.started */

static int count_schedule(struct summary *summary, const struct recorded_event *event)
{
	bool is_known = RECORDED_HAS(event, planned_run_at_ns) && RECORDED_HAS(event, timestamp_ns);
	bool is_early = is_known && event->timestamp_ns < event->planned_run_at_ns;
	char id[24] = "";
	struct report_row *row;

	if (RECORDED_HAS(event, schedule_id))
		snprintf(id, sizeof(id), "%lld", (long long)event->schedule_id);
	row = COUNT_IN(SECTION_SCHEDULES, {id, strlen(id)}, event->command_slug);
	if (!row)
		return -ENOMEM;
	row->numbers[SCHEDULES_EARLY] += is_early;
	return add_time(row, is_known,
			is_early ? 0 : event->timestamp_ns - event->planned_run_at_ns);
}

static int count_queue(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_QUEUES, event->queue_name);

	if (!row)
		return -ENOMEM;
	row->numbers[QUEUES_RETRIES] += event->attempt > 1;
	return add_time(row, RECORDED_HAS(event, wait_ns), event->wait_ns);
}

static int add_started(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_COMMANDS, event->command_slug);

	if (!row)
		return -ENOMEM;
	row->count--; /* it counts the ends */
	row->numbers[COMMANDS_STARTED]++;
	if ((RECORDED_HAS(event, schedule_id) || RECORDED_HAS(event, planned_run_at_ns)) &&
	    count_schedule(summary, event))
		return -ENOMEM;
	return RECORDED_HAS(event, queue_name) ? count_queue(summary, event) : 0;
}

/* ---- command.execution.completed */

static bool has_failed(const struct recorded_event *event)
{
	return event->outcome == RECORDED_FAILURE || event->outcome == RECORDED_ABORTED;
}

static void count_in_time(struct summary *summary, const struct recorded_event *event)
{
	if (RECORDED_HAS(event, timestamp_ns))
		timeline__add(&summary->timeline, event->timestamp_ns, has_failed(event),
			      event->duration_ns);
	else
		summary->timeline.untimed++;
}

/* The cause is the signal, "exit" or "exec"; none if the runner itself said "aborted". */
static int count_aborted(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(
		SECTION_ABORTED, event->command_slug,
		event->aborted_signal_name.text ? event->aborted_signal_name : event->aborted_cause,
		event->aborted_step_type, event->aborted_step_name);

	return row ? add_time(row, RECORDED_HAS(event, duration_ns), event->duration_ns) : -ENOMEM;
}

static void count_repeated_end(struct summary *summary, const struct recorded_event *event)
{
	if (event->execution_id.bytes &&
	    repeats__see(summary->ended, event->execution_id.text, event->execution_id.bytes))
		summary->ended_repeatedly++;
}

static int add_completed(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_COMMANDS, event->command_slug);

	if (!row || add_duration(row, event))
		return -ENOMEM;
	row->numbers[COMMANDS_INCOMPLETE] += RECORDED_HAS(event, complete) && !event->complete;
	row->numbers[COMMANDS_DRY] += event->dry_run;
	count_slow(row, event, summary->options.slow_command_ns, COMMANDS_SLOW);
	count_in_time(summary, event);
	count_repeated_end(summary, event);
	if (event->outcome == RECORDED_ABORTED && count_aborted(summary, event))
		return -ENOMEM;
	if (event->outcome == RECORDED_FAILURE && !event->failed_step_type.text &&
	    count_error(summary, event))
		return -ENOMEM;
	return waterfalls__end(summary->waterfalls, event, row);
}

/* ---- steps and what they do */

static int count_ai(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row =
		COUNT_IN(SECTION_AI, event->command_slug, event->step_type, event->step_name);

	if (!row)
		return -ENOMEM;
	row->numbers[AI_HITS] += recorded_text__is(event->ai_cache, "hit");
	row->numbers[AI_MISSES] += recorded_text__is(event->ai_cache, "miss");
	row->numbers[AI_OFF] += recorded_text__is(event->ai_cache, "off");
	row->numbers[AI_PROMPT_TOKENS] += event->prompt_tokens;
	row->numbers[AI_COMPLETION_TOKENS] += event->completion_tokens;
	return 0;
}

static int count_rows_changed(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_CHANGES, event->command_slug);

	if (!row)
		return -ENOMEM;
	row->numbers[CHANGES_STEPS]++;
	row->numbers[CHANGES_ROWS] += event->mutations_count;
	return 0;
}

static int add_step(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row =
		COUNT_IN(SECTION_STEPS, event->command_slug, event->step_type, event->step_name);

	if (!row || add_duration(row, event))
		return -ENOMEM;
	count_slow(row, event, summary->options.slow_step_ns, STEPS_SLOW);
	if ((event->outcome == RECORDED_FAILURE && count_error(summary, event)) ||
	    (event->ai_cache.text && count_ai(summary, event)) ||
	    (event->mutations_count && count_rows_changed(summary, event)))
		return -ENOMEM;
	return waterfalls__step(summary->waterfalls, event, row);
}

static int add_tool(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_TOOLS, event->tool_slug);

	return row ? add_duration(row, event) : -ENOMEM;
}

static int add_fragment(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_CHANGES, event->command_slug);

	if (!row)
		return -ENOMEM;
	row->numbers[CHANGES_CREATED] += recorded_text__is(event->operation, "created");
	row->numbers[CHANGES_UPDATED] += recorded_text__is(event->operation, "updated");
	row->numbers[CHANGES_DELETED] += recorded_text__is(event->operation, "deleted");
	return 0;
}

static int add_rejected(struct summary *summary, const struct recorded_event *event)
{
	return COUNT_IN(SECTION_REJECTED, event->command_slug, event->reason) ? 0 : -ENOMEM;
}

/* ---- command.execution.overdue */

/* An execution or step is reported again for each further time of --overdue. */
static bool is_new_case(struct summary *summary, struct recorded_text id)
{
	return !id.bytes || !repeats__see(summary->overdue, id.text, id.bytes);
}

static int add_age(struct report_row *row, bool is_age_known, uint64_t at_least_ns)
{
	bool is_bound = !is_age_known && at_least_ns;

	row->numbers[OVERDUE_AT_LEAST] += is_bound;
	return add_time(row, is_age_known || is_bound, at_least_ns);
}

static int add_overdue_command(struct summary *summary, const struct recorded_event *event)
{
	const struct recorded_text none = {NULL, 0};
	struct report_row *row = COUNT_IN(SECTION_OVERDUE, {"command", strlen("command")},
					  event->command_slug, none, none);

	if (!row)
		return -ENOMEM;
	row->numbers[OVERDUE_EXECUTIONS] += is_new_case(summary, event->execution_id);
	return add_age(row, RECORDED_HAS(event, age_ns), event->age_at_least_ns);
}

static int add_overdue_step(struct summary *summary, const struct recorded_event *event)
{
	struct report_row *row = COUNT_IN(SECTION_OVERDUE, {"step", strlen("step")},
					  event->command_slug, event->step_type, event->step_name);

	if (!row)
		return -ENOMEM;
	row->numbers[OVERDUE_EXECUTIONS] += is_new_case(summary, event->step_id);
	return add_age(row, RECORDED_HAS(event, step_age_ns), event->step_age_at_least_ns);
}

static bool names(struct recorded_text list, const char *quoted_word)
{
	return list.bytes && memmem(list.text, list.bytes, quoted_word, strlen(quoted_word));
}

static int add_overdue(struct summary *summary, const struct recorded_event *event)
{
	if (names(event->overdue, "\"command\"") && add_overdue_command(summary, event))
		return -ENOMEM;
	return names(event->overdue, "\"step\"") ? add_overdue_step(summary, event) : 0;
}

/* ---- all events */

static bool is_in_time(struct summary *summary, const struct recorded_event *event)
{
	const struct summary_options *options = &summary->options;

	if (!options->since_ns && !options->until_ns)
		return true;
	if (!RECORDED_HAS(event, timestamp_ns)) {
		summary->selection.without_time++;
		return false;
	}
	if (event->timestamp_ns >= options->since_ns &&
	    (!options->until_ns || event->timestamp_ns < options->until_ns))
		return true;
	summary->selection.other_time++;
	return false;
}

static bool is_selected(struct summary *summary, const struct recorded_event *event)
{
	const struct summary_options *options = &summary->options;

	if (!is_in_time(summary, event))
		return false;
	if (options->has_command && !glob__matches(&options->command, event->command_slug.text,
						   (uint32_t)event->command_slug.bytes)) {
		summary->selection.other_command++;
		return false;
	}
	summary->selection.events++;
	return true;
}

int summary__add(struct summary *summary, const struct recorded_event *event)
{
	static int (*const adds[RECORDED_KINDS_COUNT])(struct summary *,
						       const struct recorded_event *) = {
		[RECORDED_COMMAND_STARTED] = add_started,
		[RECORDED_COMMAND_COMPLETED] = add_completed,
		[RECORDED_STEP_EXECUTED] = add_step,
		[RECORDED_TOOL_COMPLETED] = add_tool,
		[RECORDED_FRAGMENT_CHANGED] = add_fragment,
		[RECORDED_VALIDATION_FAILED] = add_rejected,
		[RECORDED_COMMAND_OVERDUE] = add_overdue,
	};

	if (coverage__add(&summary->coverage, event))
		return -ENOMEM;
	if (!recorded_event__is_of_runner(event) || !is_selected(summary, event))
		return 0;
	return adds[event->kind] ? adds[event->kind](summary, event) : 0;
}

void summary__finish(struct summary *summary)
{
	timeline__finish(&summary->timeline);
}

uint64_t summary__time_ns(const struct summary *summary, enum section_id section)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(summary->tables[section], &count);
	uint64_t sum = 0;

	for (size_t i = 0; rows && i < count; i++)
		if (__builtin_add_overflow(sum, rows[i]->durations.sum_ns, &sum))
			sum = UINT64_MAX;
	free(rows);
	return sum;
}
