// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/duration_text.h"
#include "steptrace/stream/event.h"

_Static_assert((int)TOP_CELL_BYTES >= (int)DURATION_TEXT_BYTES,
	       "a duration does not fit in a cell");

/* ---- cells */

/* Large counts in thousands and millions: "12345", "1234k", "1234M". */
enum { OLDEST_COLUMNS = 7 };

static void write_count(uint64_t count, char text[TOP_CELL_BYTES])
{
	static const char units[] = {0, 'k', 'M', 'G', 'T', 'P'};
	unsigned int unit = 0;

	for (; count >= 100000; unit++)
		count /= 1000;
	snprintf(text, TOP_CELL_BYTES, "%llu%c", (unsigned long long)count, units[unit]);
}

static void write_duration(const struct top_row *row, uint64_t ns, char text[TOP_CELL_BYTES])
{
	if (row->shown.timed)
		duration_text__write(ns, text);
	else
		snprintf(text, TOP_CELL_BYTES, "-");
}

static void write_rate(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	double rate = row->shown.rate;

	if (rate >= 99999.5)
		write_count((uint64_t)rate, text);
	else
		snprintf(text, TOP_CELL_BYTES, "%.*f", rate < 99.95 ? 1 : 0, rate);
}

static void write_ended(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_count(row->shown.count, text);
}

static void write_p50(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_duration(row, row->shown.p50_ns, text);
}

static void write_p99(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_duration(row, row->shown.p99_ns, text);
}

static void write_max(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_duration(row, row->shown.max_ns, text);
}

static void write_failed(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_count(row->shown.failures, text);
}

static void write_open(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	write_count(row->shown.open, text);
}

static void remove_blank(char *text)
{
	char *blank = strchr(text, ' ');

	if (blank)
		memmove(blank, blank + 1, strlen(blank));
}

static void write_oldest(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	char age[DURATION_TEXT_BYTES];

	if (!row->shown.open) {
		snprintf(text, TOP_CELL_BYTES, "-");
		return;
	}
	duration_text__age(row->shown.age_ns, age);
	snprintf(text, TOP_CELL_BYTES, "%s%s", row->shown.is_age_more ? ">" : "", age);
	if (strlen(text) > OLDEST_COLUMNS) /* ">12h 05m" */
		remove_blank(text);
}

static void write_share(double share, char *text, size_t bytes)
{
	snprintf(text, bytes, "%.0f %%", 100 * share);
}

static void write_cpu(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	if (row->shown.is_measured)
		write_share(row->shown.cpu_share, text, TOP_CELL_BYTES);
	else
		snprintf(text, TOP_CELL_BYTES, "-");
}

static void write_waits(const struct top_row *row, char text[TOP_CELL_BYTES])
{
	const struct top_numbers *shown = &row->shown;
	char share[16];

	write_share(shown->blocked_share, share, sizeof(share));
	if (shown->is_measured && shown->blocked_share > 0)
		snprintf(text, TOP_CELL_BYTES, "%s %s", blocked_names[shown->blocked_kind], share);
	else
		snprintf(text, TOP_CELL_BYTES, "-");
}

/* ---- the table of columns */

const struct top_column_info top_columns[TOP_COLUMNS_COUNT] = {
	[COLUMN_NAME] = {"command", "COMMAND", "the slug of the command", NULL, 0, 0},
	[COLUMN_RATE] = {"rate", "RATE/s", "how many ended per second, in the last 5 s", write_rate,
			 6, 0},
	[COLUMN_COUNT] = {"count", "COUNT", "how many ended", write_ended, 6, 3},
	[COLUMN_P50] = {"p50", "P50", "half of the durations are at most this long", write_p50, 7,
			1},
	[COLUMN_P99] = {"p99", "P99", "99 % of the durations are at most this long", write_p99, 7,
			0},
	[COLUMN_MAX] = {"max", "MAX", "the longest duration", write_max, 7, 2},
	[COLUMN_FAILED] = {"failed", "FAILED", "how many failed or were aborted", write_failed, 6,
			   0},
	[COLUMN_OPEN] = {"open", "OPEN", "how many began and have not ended", write_open, 5, 0},
	[COLUMN_OLDEST] = {"oldest", "OLDEST", "how long the oldest open one has been open",
			   write_oldest, OLDEST_COLUMNS, 0},
	[COLUMN_CPU] = {"cpu", "CPU", "the share of the time on a processor", write_cpu, 5, 0},
	[COLUMN_WAITS] = {"waits", "WAITS FOR",
			  "what blocked it for the longest time, and that share", write_waits, 13,
			  4},
};

int top_column__parse(const char *name, enum top_column *column, struct error *err)
{
	for (int i = 0; i < TOP_COLUMNS_COUNT; i++)
		if (strcmp(top_columns[i].option, name) == 0) {
			*column = (enum top_column)i;
			return 0;
		}
	return error__set(err, -EINVAL,
			  "--sort does not know '%.64s': it takes command, rate, count, p50, p99, "
			  "max, failed, open, oldest, or with --breakdown cpu or waits",
			  name);
}

/* ---- sorting */

static double number_of(enum top_column column, const struct top_numbers *shown)
{
	switch (column) {
	case COLUMN_RATE: return shown->rate;
	case COLUMN_COUNT: return (double)shown->count;
	case COLUMN_P50: return (double)shown->p50_ns;
	case COLUMN_P99: return (double)shown->p99_ns;
	case COLUMN_MAX: return (double)shown->max_ns;
	case COLUMN_FAILED: return (double)shown->failures;
	case COLUMN_OPEN: return (double)shown->open;
	case COLUMN_OLDEST: return (double)shown->age_ns;
	case COLUMN_CPU: return shown->is_measured ? shown->cpu_share : -1;
	case COLUMN_WAITS: return shown->is_measured ? shown->blocked_share : -1;
	case COLUMN_NAME:
	case TOP_COLUMNS_COUNT: break;
	}
	return 0;
}

static int compare_names(const struct top_row *one, const struct top_row *other)
{
	int order = strcmp(one->text, other->text);

	return order ? order : (one > other) - (one < other);
}

int top_column__compare(enum top_column column, bool is_inverted, const struct top_row *one,
			const struct top_row *other)
{
	double left = number_of(column, &one->shown), right = number_of(column, &other->shown);
	int order = (left < right) - (left > right);

	if (one->is_other || other->is_other)
		return one->is_other - other->is_other;
	if (column == COLUMN_NAME)
		order = compare_names(one, other);
	if (is_inverted)
		order = -order;
	return order ? order : compare_names(one, other);
}
