// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/report_columns.h"

#include <stdio.h>

#include "steptrace/stream/duration_text.h"
#include "steptrace/stream/event.h"

static void write_duration(const struct latency_row *row, uint64_t ns, char text[REPORT_CELL_BYTES])
{
	if (row->durations.count)
		duration_text__write(ns, text);
	else
		snprintf(text, REPORT_CELL_BYTES, "-");
}

static void write_percentile(const struct row_facts *facts, double fraction,
			     char text[REPORT_CELL_BYTES])
{
	write_duration(facts->row, histogram__percentile_ns(&facts->row->durations, fraction),
		       text);
}

static void write_count(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	snprintf(text, REPORT_CELL_BYTES, "%llu", (unsigned long long)facts->row->count);
}

static void write_failed(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	snprintf(text, REPORT_CELL_BYTES, "%llu", (unsigned long long)facts->row->failures);
}

static void write_rate(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	const struct report *report = facts->report;
	double seconds = (double)(report->to_ns - report->from_ns) / 1e9;
	double rate = seconds > 0 ? (double)facts->row->count / seconds : 0;

	snprintf(text, REPORT_CELL_BYTES, "%.*f", rate < 99.95 ? 1 : 0, rate);
}

static void write_p50(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_percentile(facts, 0.5, text);
}

static void write_p90(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_percentile(facts, 0.9, text);
}

static void write_p99(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_percentile(facts, 0.99, text);
}

static void write_p999(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_percentile(facts, 0.999, text);
}

static void write_max(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_duration(facts->row, facts->row->durations.max_ns, text);
}

static void write_sum(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_duration(facts->row, facts->row->durations.sum_ns, text);
}

static void write_share(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	snprintf(text, REPORT_CELL_BYTES, "%.1f %%", 100 * facts->share);
}

/* Of the time of all threads. */
static void write_part(const struct row_facts *facts, uint64_t ns, char text[REPORT_CELL_BYTES])
{
	double all_ns = (double)facts->row->cpu.threads_ns;

	if (all_ns > 0)
		snprintf(text, REPORT_CELL_BYTES, "%.1f %%", 100 * (double)ns / all_ns);
	else
		snprintf(text, REPORT_CELL_BYTES, "-");
}

static void write_on_cpu(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_part(facts, facts->row->cpu.on_cpu_ns, text);
}

static void write_runnable(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_part(facts, facts->row->cpu.runnable_ns, text);
}

static void write_blocked(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	write_part(facts, cpu_sums__blocked_ns(&facts->row->cpu), text);
}

/* What it was blocked by for the longest time. */
static void write_waits_for(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	const struct cpu_sums *cpu = &facts->row->cpu;
	int longest = cpu_sums__longest_kind(cpu);

	snprintf(text, REPORT_CELL_BYTES, "%s",
		 cpu->blocked_ns[longest] ? blocked_names[longest] : "-");
}

static void write_open(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	if (facts->report->is_open_known && (facts->row->open || facts->report->is_open_complete))
		snprintf(text, REPORT_CELL_BYTES, "%llu", (unsigned long long)facts->row->open);
	else
		snprintf(text, REPORT_CELL_BYTES, "-");
}

/* A lower bound has ">" in front of it; nothing at all may be known. */
static void write_oldest(const struct row_facts *facts, char text[REPORT_CELL_BYTES])
{
	const struct latency_row *row = facts->row;
	char age[DURATION_TEXT_BYTES];

	duration_text__age(row->oldest_open_ns, age);
	if (!row->open)
		snprintf(text, REPORT_CELL_BYTES, "-");
	else if (!row->is_oldest_known && !row->oldest_open_ns)
		snprintf(text, REPORT_CELL_BYTES, "?");
	else
		snprintf(text, REPORT_CELL_BYTES, "%s%s", row->is_oldest_known ? "" : ">", age);
}

const struct report_column report_columns[] = {
	{"COUNT", write_count, 0, 7, COLUMN_ALWAYS},
	{"RATE/s", write_rate, 4, 7, COLUMN_ALWAYS},
	{"FAILED", write_failed, 1, 6, COLUMN_ALWAYS},
	{"P50", write_p50, 0, 7, COLUMN_ALWAYS},
	{"P90", write_p90, 6, 7, COLUMN_ALWAYS},
	{"P99", write_p99, 0, 7, COLUMN_ALWAYS},
	{"P99.9", write_p999, 5, 7, COLUMN_ALWAYS},
	{"MAX", write_max, 1, 7, COLUMN_ALWAYS},
	{"SUM", write_sum, 2, 7, COLUMN_ALWAYS},
	{"SHARE", write_share, 3, 7, COLUMN_ALWAYS},
	{"OPEN", write_open, 1, 4, COLUMN_OF_OPEN},
	{"OLDEST", write_oldest, 2, 7, COLUMN_OF_OPEN},
	{"CPU", write_on_cpu, 2, 7, COLUMN_OF_BREAKDOWN},
	{"RUNNABLE", write_runnable, 3, 8, COLUMN_OF_BREAKDOWN},
	{"BLOCKED", write_blocked, 2, 7, COLUMN_OF_BREAKDOWN},
	{"WAITS FOR", write_waits_for, 2, 9, COLUMN_OF_BREAKDOWN},
};

_Static_assert(sizeof(report_columns) / sizeof(report_columns[0]) == REPORT_COLUMNS,
	       "a column is missing in the count");
