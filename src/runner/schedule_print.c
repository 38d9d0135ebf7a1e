// SPDX-License-Identifier: BSD-2-Clause
#include "runner/schedule_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/printable.h"
#include "runner/store/store_row.h"
#include "runner/value/time_text.h"
#include "runner/value/value.h"

int schedule_print__json(const cJSON *row)
{
	char *line = value__json(row);
	int err = line && puts(line) >= 0 ? 0 : -ENOMEM;

	free(line);
	return err;
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

const char *schedule_print__column(const cJSON *row, const char *column,
				   char text[SCHEDULE_SHOWN_BYTES])
{
	return printable__copy(text, SCHEDULE_SHOWN_BYTES, store_row__text(row, column), SIZE_MAX);
}

const char *schedule_print__time(const cJSON *row, const char *column,
				 char text[SCHEDULE_TIME_BYTES])
{
	const char *time = store_row__text(row, column);
	int64_t us;

	if (time_text__read(time, &us))
		return printable__copy(text, SCHEDULE_TIME_BYTES, or_dash(time), SIZE_MAX);
	snprintf(text, SCHEDULE_TIME_BYTES, "%.19sZ", time);
	return text;
}

void schedule_print__row(const cJSON *row)
{
	char name[SCHEDULE_SHOWN_BYTES], status[SCHEDULE_SHOWN_BYTES],
		command[SCHEDULE_SHOWN_BYTES], recurrence[SCHEDULE_SHOWN_BYTES];
	char next[SCHEDULE_TIME_BYTES];

	printf("%4" PRId64 "  %-20s  %-9s  %-20s  %5" PRId64 "  %-16s  %s\n",
	       store_row__number(row, "id"), schedule_print__column(row, "name", name),
	       schedule_print__column(row, "status", status),
	       schedule_print__time(row, "next_run_at", next), store_row__number(row, "run_count"),
	       schedule_print__column(row, "command_slug", command),
	       schedule_print__column(row, "recurrence", recurrence));
}

static void print_line(const cJSON *row, const char *title, const char *column)
{
	char text[SCHEDULE_SHOWN_BYTES];

	printf("%-12s  %s\n", title, or_dash(schedule_print__column(row, column, text)));
}

void schedule_print__details(const cJSON *row)
{
	char *payload = value__json(cJSON_GetObjectItemCaseSensitive(row, "payload"));
	char *text = payload ? printable__duplicate(payload) : NULL;
	char time[SCHEDULE_TIME_BYTES];

	printf("%-12s  %" PRId64 "\n", "id", store_row__number(row, "id"));
	print_line(row, "name", "name");
	print_line(row, "command", "command_slug");
	print_line(row, "status", "status");
	print_line(row, "recurrence", "recurrence");
	print_line(row, "timezone", "timezone");
	printf("%-12s  %s\n", "next run", schedule_print__time(row, "next_run_at", time));
	printf("%-12s  %s\n", "last run", schedule_print__time(row, "last_run_at", time));
	printf("%-12s  %" PRId64, "runs", store_row__number(row, "run_count"));
	if (store_row__number(row, "max_runs"))
		printf(" of %" PRId64, store_row__number(row, "max_runs"));
	printf("\n%-12s  %s\n", "payload", text ? text : "-");
	free(payload);
	free(text);
}

void schedule_print__run(const cJSON *run)
{
	char planned[SCHEDULE_TIME_BYTES], began[SCHEDULE_TIME_BYTES], ended[SCHEDULE_TIME_BYTES];
	char status[SCHEDULE_SHOWN_BYTES], category[SCHEDULE_SHOWN_BYTES];

	printf("%6" PRId64 "  %-20s  %-20s  %-20s  %-9s  %s\n", store_row__number(run, "id"),
	       schedule_print__time(run, "planned_run_at", planned),
	       schedule_print__time(run, "started_at", began),
	       schedule_print__time(run, "completed_at", ended),
	       schedule_print__column(run, "status", status),
	       schedule_print__column(run, "error_category", category));
}

void schedule_print__row_titles(void)
{
	printf("%4s  %-20s  %-9s  %-20s  %5s  %-16s  %s\n", "ID", "NAME", "STATUS", "NEXT RUN",
	       "RUNS", "COMMAND", "RECURRENCE");
}

void schedule_print__run_titles(void)
{
	printf("\n%6s  %-20s  %-20s  %-20s  %-9s  %s\n", "RUN", "PLANNED", "BEGAN", "ENDED",
	       "STATUS", "ERROR");
}
