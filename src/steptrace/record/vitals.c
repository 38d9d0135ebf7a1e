// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/vitals.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/record/budget.h"
#include "steptrace/version.h"

/* ---- a line */

static uint64_t lost_in_all(const struct stream_counts *counts)
{
	uint64_t sum = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			sum += counts->lost[kind][reason];
	return sum;
}

static uint64_t events_in_all(const struct stream_counts *counts)
{
	uint64_t sum = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		sum += counts->events[kind] + counts->aborted[kind];
	return sum;
}

static double seconds_between(const struct vitals *before, const struct vitals *now)
{
	return now->now_ns > before->now_ns ? (double)(now->now_ns - before->now_ns) / 1e9 : 1;
}

double vitals__cpu_percent(const struct vitals *before, const struct vitals *now)
{
	return (double)(now->cpu_ns - before->cpu_ns) / 1e7 / seconds_between(before, now);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* "16M", "64K": sizes as the command line takes them. */
static const char *size(uint64_t bytes, char text[24])
{
	static const char units[] = "\0KMG";
	int unit = 0;

	while (bytes >= 1024 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, 24, "%" PRIu64 "%c", bytes, units[unit]);
	return text;
}

/* The output with the most queued bytes; NULL: no outputs. */
static const struct output_vitals *fullest(const struct vitals *now)
{
	const struct output_vitals *most = NULL;

	for (size_t i = 0; i < now->outputs_count; i++)
		if (!most || now->outputs[i].queued_bytes > most->queued_bytes)
			most = &now->outputs[i];
	return most;
}

static uint64_t lost_in_outputs(const struct vitals *now)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < now->outputs_count; i++)
		sum += now->outputs[i].lost;
	return sum;
}

/* ", held 12.5 % of 64M" */
static void held(const struct vitals *now, char text[64])
{
	char of[24];

	text[0] = 0;
	if (now->hold_bytes)
		snprintf(text, 64, ", held %.1f %% of %s",
			 percent(now->held_bytes, now->hold_bytes), size(now->hold_bytes, of));
}

void vitals__line(const struct vitals *before, const struct vitals *now,
		  char line[VITALS_LINE_BYTES])
{
	const struct output_vitals *output = fullest(now);
	double seconds = seconds_between(before, now);
	uint64_t events = events_in_all(&now->counts) - events_in_all(&before->counts);
	uint64_t lost = lost_in_all(&now->counts) - lost_in_all(&before->counts) +
			lost_in_outputs(now) - lost_in_outputs(before);
	char buffer[24], queue[24], kept[64], held_text[64];

	budget__describe(now->level, kept);
	held(now, held_text);
	snprintf(line, VITALS_LINE_BYTES,
		 "%.0f events/s, %.0f lost/s, lag %.1f ms, buffer %.1f %% of %s, queue %.1f %% of "
		 "%s%s, cpu %.1f %%, memory %.1fM%s%s",
		 (double)events / seconds, (double)lost / seconds, (double)now->lag_ns / 1e6,
		 percent(now->unread_bytes, now->ring_bytes), size(now->buffer_bytes, buffer),
		 output ? percent(output->queued_bytes, output->queue_bytes) : 0,
		 size(output ? output->queue_bytes : 0, queue), held_text,
		 vitals__cpu_percent(before, now), (double)now->memory_bytes / (1 << 20),
		 now->level ? ", " : "", now->level ? kept : "");
}

/* ---- Prometheus */

static void number(const struct prometheus_text *out, const char *name, const char *type,
		   const char *help, uint64_t value)
{
	prometheus_text__head(out, name, type, help);
	strbuf__printf(out->text, "%s %" PRIu64 "\n", name, value);
}

static void fraction(const struct prometheus_text *out, const char *name, const char *type,
		     const char *help, double value)
{
	prometheus_text__head(out, name, type, help);
	strbuf__printf(out->text, "%s %.9f\n", name, value);
}

static void by_kind(const struct prometheus_text *out, const char *name, const char *help,
		    const uint64_t *counts)
{
	prometheus_text__head(out, name, "counter", help);
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		strbuf__printf(out->text, "%s{event=\"%s\"} %" PRIu64 "\n", name, event_names[kind],
			       counts[kind]);
}

static void by_reason(const struct prometheus_text *out, const struct stream_counts *counts)
{
	prometheus_text__head(out, "steptrace_lost_total", "counter",
			      "Boundaries that made no event, by reason.");
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			strbuf__printf(
				out->text,
				"steptrace_lost_total{event=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
				event_names[kind], loss_names[reason], counts->lost[kind][reason]);
}

static void whole(const struct prometheus_text *out, const struct vitals *now)
{
	const struct whole_counts *counts = &now->totals.whole;

	number(out, "steptrace_executions_written_total", "counter",
	       "Executions that were written whole (--whole).", counts->written);
	number(out, "steptrace_executions_left_out_total", "counter",
	       "Executions that were left out (--whole).", counts->left_out);
	number(out, "steptrace_executions_decided_early_total", "counter",
	       "Executions that were written before it was known whether they meet a condition "
	       "(--whole).",
	       counts->early);
	number(out, "steptrace_executions_unfinished_total", "counter",
	       "Executions that were left out because the recording ended before them (--whole).",
	       counts->unfinished);
	number(out, "steptrace_held_events", "gauge",
	       "Events that wait for the end of their execution (--whole).", now->held_events);
	number(out, "steptrace_held_bytes", "gauge", "The memory for these events (--hold).",
	       now->held_bytes);
}

static void totals(const struct prometheus_text *out, const struct trace_totals *totals)
{
	number(out, "steptrace_overdue_events_total", "counter",
	       "Events about commands and steps that have been open for a time of --overdue.",
	       totals->overdue);
	prometheus_text__head(out, "steptrace_processes_untraced", "gauge",
			      "Processes of the targets that are not traced, by reason.");
	for (int reason = 0; reason < UNTRACED_REASONS_COUNT; reason++)
		strbuf__printf(out->text,
			       "steptrace_processes_untraced{reason=\"%s\"} %" PRIu64 "\n",
			       untraced_names[reason], totals->untraced[reason]);
	number(out, "steptrace_executions_forgotten_total", "counter",
	       "Open executions that were dropped, because too many were open.", totals->forgotten);
	number(out, "steptrace_filter_decisions_lost_total", "counter",
	       "How often --comm, --uid or --cgroup decided again for a running execution.",
	       totals->decisions_lost);
	number(out, "steptrace_breakdowns_lost_total", "counter",
	       "Steps and commands that --breakdown could not measure.", totals->breakdowns_lost);
}

static void of_output(const struct prometheus_text *out, const char *metric, const char *name,
		      uint64_t value)
{
	strbuf__printf(out->text, "%s{output=\"", metric);
	prometheus_text__label(out, name);
	strbuf__printf(out->text, "\"} %" PRIu64 "\n", value);
}

static void outputs(const struct prometheus_text *out, const struct vitals *now)
{
	prometheus_text__head(out, "steptrace_output_lost_total", "counter",
			      "Events that were not written to this output.");
	for (size_t i = 0; i < now->outputs_count; i++)
		of_output(out, "steptrace_output_lost_total", now->outputs[i].name,
			  now->outputs[i].lost);
	prometheus_text__head(out, "steptrace_output_queue_used_bytes", "gauge",
			      "Lines that wait for this output.");
	for (size_t i = 0; i < now->outputs_count; i++)
		of_output(out, "steptrace_output_queue_used_bytes", now->outputs[i].name,
			  now->outputs[i].queued_bytes);
}

void vitals__prometheus(const struct vitals *now, const struct prometheus_text *out)
{
	prometheus_text__head(out, "steptrace_build_info", "gauge", "The tracer's version.");
	strbuf__text(out->text, "steptrace_build_info{version=\"" STEPTRACE_VERSION "\"} 1\n");
	number(out, "steptrace_hits_total", "counter",
	       "Boundaries that were hit: events, lost, filtered and held.", now->totals.hits);
	by_kind(out, "steptrace_events_total", "Events of boundaries.", now->counts.events);
	by_kind(out, "steptrace_aborted_total", "Events of what a process left open.",
		now->counts.aborted);
	by_kind(out, "steptrace_filtered_total", "Boundaries that were not wanted.",
		now->counts.filtered);
	by_reason(out, &now->counts);
	totals(out, &now->totals);
	outputs(out, now);
	fraction(out, "steptrace_lag_seconds", "gauge",
		 "The longest that a record waited to be read, in the last second.",
		 (double)now->lag_ns / 1e9);
	fraction(out, "steptrace_buffer_used_ratio", "gauge",
		 "The fullest that a ring buffer was, in the last second.",
		 percent(now->unread_bytes, now->ring_bytes) / 100);
	number(out, "steptrace_buffer_bytes", "gauge", "The size of the ring buffers together.",
	       now->buffer_bytes);
	number(out, "steptrace_degraded_level", "gauge",
	       "What is left out to stay within --max-cpu. 0: nothing; 1 to 6: the steps of all "
	       "but one execution in 2 to 64; 7: all but completed commands; 8: all but counts.",
	       now->level);
	number(out, "steptrace_attached_binaries", "gauge", "Binaries with probes attached.",
	       now->binaries);
	number(out, "steptrace_open_executions", "gauge", "Commands that are known to be open.",
	       now->executions);
	fraction(out, "steptrace_oldest_open_execution_seconds", "gauge",
		 "For how long, at least, the oldest of them has been open; 0: none is open.",
		 (double)now->oldest_ns / 1e9);
	whole(out, now);
	fraction(out, "process_cpu_seconds_total", "counter", "The tracer's processor time.",
		 (double)now->cpu_ns / 1e9);
	number(out, "process_resident_memory_bytes", "gauge",
	       "The tracer's memory, its ring buffers mapped twice.", now->memory_bytes);
	number(out, "steptrace_own_memory_bytes", "gauge",
	       "The tracer's memory without ring buffers and files.", now->own_memory_bytes);
}
