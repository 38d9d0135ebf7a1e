// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_formats.h"

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/export/chrome.h"
#include "steptrace/export/clickhouse.h"
#include "steptrace/export/speedscope.h"

static void warn_count(uint64_t count, const char *words)
{
	if (count)
		log__warn("%llu %s", (unsigned long long)count, words);
}

/* For each format. */
static void warn_lost(uint64_t lost)
{
	warn_count(lost, "event(s) were lost while the recording was made");
}

static void warn_without_time(uint64_t count)
{
	warn_count(count,
		   "event(s) have no timestamp and are left out (record --fields left it out)");
}

static int nothing_to_show(void)
{
	log__error("there is nothing to show: the recording has no command, step or tool call with "
		   "a timestamp");
	return STATUS_FAILED;
}

/* ---- chrome */

static int say_chrome(const struct chrome_counts *counts)
{
	warn_lost(counts->lost);
	warn_without_time(counts->without_time);
	warn_count(counts->without_begin,
		   "span(s) began before the recording and are shown as an instant at their end");
	warn_count(counts->without_end, "execution(s) have no end in the recording and are shown "
					"up to their last event");
	warn_count(counts->taken_out, "execution(s) are shown without their end: more than 65536 "
				      "were open at the same time");
	warn_count(counts->split, "execution(s) are shown in several parts: too many spans were "
				  "open at the same time to hold them");
	warn_count(counts->not_nested,
		   "span(s) overlap too many others and are shown as an instant at their end");
	warn_count(counts->without_parent,
		   "execution(s) have no flow from their parent: it is not in the recording");
	warn_count(counts->without_process,
		   "event(s) are shown under one process: the recording has too many processes");
	if (counts->executions + counts->steps + counts->tools == 0)
		return nothing_to_show();
	log__info("%llu executions, %llu steps, %llu tool calls, %llu flows",
		  (unsigned long long)counts->executions, (unsigned long long)counts->steps,
		  (unsigned long long)counts->tools, (unsigned long long)counts->flows);
	return STATUS_DONE;
}

static void *open_chrome(struct export_out *out, enum csv_table table)
{
	(void)table;
	return chrome__new(out);
}

static int chrome_event(void *export, const struct recorded_event *event)
{
	return chrome__event(export, event);
}

static int end_chrome(void *export, enum csv_table table, int *status)
{
	struct chrome_counts counts;
	int err = chrome__end(export, &counts);

	(void)table;
	if (!err)
		*status = say_chrome(&counts);
	return err;
}

static void free_chrome(void *export)
{
	chrome__free(export);
}

/* ---- speedscope */

static int say_speedscope(const struct speedscope_counts *counts)
{
	warn_lost(counts->lost);
	warn_without_time(counts->without_time);
	warn_count(counts->without_begin, "span(s) are left out: they began before the recording");
	warn_count(counts->without_end, "execution(s) have no end in the recording and are shown "
					"up to their last event");
	warn_count(counts->taken_out, "execution(s) are shown without their end: more than 65536 "
				      "were open at the same time");
	warn_count(counts->not_held, "step(s) and tool call(s) are left out: too many were open at "
				     "the same time to hold them");
	warn_count(counts->not_nested, "span(s) are left out: they overlap too many others");
	warn_count(counts->without_lane,
		   "span(s) are left out: more than 1024 profiles would be needed");
	warn_count(counts->without_name,
		   "span(s) have the name 'other': the recording has too many names");
	if (counts->executions + counts->steps + counts->tools == 0)
		return nothing_to_show();
	log__info("%llu executions, %llu steps, %llu tool calls, %llu profiles",
		  (unsigned long long)counts->executions, (unsigned long long)counts->steps,
		  (unsigned long long)counts->tools, (unsigned long long)counts->profiles);
	return STATUS_DONE;
}

static void *open_speedscope(struct export_out *out, enum csv_table table)
{
	(void)table;
	return speedscope__new(out);
}

static int speedscope_event(void *export, const struct recorded_event *event)
{
	return speedscope__event(export, event);
}

static int end_speedscope(void *export, enum csv_table table, int *status)
{
	struct speedscope_counts counts;
	int err = speedscope__end(export, &counts);

	(void)table;
	if (!err)
		*status = say_speedscope(&counts);
	return err;
}

static void free_speedscope(void *export)
{
	speedscope__free(export);
}

/* ---- csv */

static int say_csv(const struct csv_counts *counts, enum csv_table table)
{
	warn_lost(counts->lost);
	warn_count(counts->without_start,
		   "command(s) have no start in the recording: some of their cells are empty");
	warn_count(counts->without_end,
		   "command(s) have no end in the recording: they come last, and have no outcome");
	if (counts->rows == 0) {
		log__error("the table has no row: the recording has no %s", csv_table_names[table]);
		return STATUS_FAILED;
	}
	log__info("%llu rows", (unsigned long long)counts->rows);
	return STATUS_DONE;
}

static void *open_csv(struct export_out *out, enum csv_table table)
{
	return csv__new(out, table);
}

static void *reopen_csv(struct export_out *out, enum csv_table table)
{
	return csv__continue(out, table);
}

static int csv_event(void *export, const struct recorded_event *event)
{
	return csv__event(export, event);
}

static int end_csv(void *export, enum csv_table table, int *status)
{
	struct csv_counts counts;
	int err = csv__end(export, &counts);

	if (!err)
		*status = say_csv(&counts, table);
	return err;
}

static void free_csv(void *export)
{
	csv__free(export);
}

/* ---- clickhouse */

static int say_clickhouse(const struct clickhouse_counts *counts)
{
	warn_lost(counts->lost);
	warn_count(counts->without_time, "event(s) are left out: they have no timestamp, or one "
					 "after the year 2262");
	warn_count(counts->without_host,
		   "row(s) have no host: their file does not begin with trace.started");
	if (counts->rows == 0) {
		log__error("there is no row: the recording has no event with a timestamp");
		return STATUS_FAILED;
	}
	log__info("%llu rows", (unsigned long long)counts->rows);
	return STATUS_DONE;
}

static void *open_clickhouse(struct export_out *out, enum csv_table table)
{
	(void)table;
	return clickhouse__new(out);
}

static int clickhouse_event(void *export, const struct recorded_event *event)
{
	return clickhouse__event(export, event);
}

static int end_clickhouse(void *export, enum csv_table table, int *status)
{
	struct clickhouse_counts counts;
	int err = clickhouse__end(export, &counts);

	(void)table;
	if (!err)
		*status = say_clickhouse(&counts);
	return err;
}

static void free_clickhouse(void *export)
{
	clickhouse__free(export);
}

/* ---- the table */

const char export_format_names[] =
	"chrome, speedscope, csv, clickhouse, kafka:BROKER/TOPIC or otlp:http://HOST:PORT";

static const struct export_format formats[] = {
	{.name = "chrome",
	 .open = open_chrome,
	 .event = chrome_event,
	 .end = end_chrome,
	 .free = free_chrome},
	{.name = "speedscope",
	 .open = open_speedscope,
	 .event = speedscope_event,
	 .end = end_speedscope,
	 .free = free_speedscope},
	{.name = "csv",
	 .open = open_csv,
	 .event = csv_event,
	 .end = end_csv,
	 .free = free_csv,
	 .has_tables = true,
	 .reopen = reopen_csv},
	{.name = "clickhouse",
	 .open = open_clickhouse,
	 .event = clickhouse_event,
	 .end = end_clickhouse,
	 .free = free_clickhouse,
	 .reopen = open_clickhouse},
};

const struct export_format *export_format__named(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
