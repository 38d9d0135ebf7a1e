// SPDX-License-Identifier: BSD-2-Clause
/* The tables of a report: the names of a row, and its columns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/printable.h"
#include "steptrace/report/text_page.h"
#include "steptrace/report/utc_text.h"
#include "steptrace/stream/duration_text.h"

enum {
	COLUMN_WIDTH = 9,
	NAMES_WIDTH_MIN = 16,
	NAMES_WIDTH_GOOD = 30,
	NAMES_WIDTH_MAX = 70,
	COLUMNS_MAX = 7,
	CELL_BYTES = 32,
};

/* ---- cells */

static void percent(char text[CELL_BYTES], uint64_t part, uint64_t whole)
{
	if (whole)
		snprintf(text, CELL_BYTES, "%.1f%%", (double)part * 100 / (double)whole);
	else
		snprintf(text, CELL_BYTES, "-");
}

static void number(char text[CELL_BYTES], uint64_t value)
{
	snprintf(text, CELL_BYTES, "%" PRIu64, value);
}

static void duration(char text[CELL_BYTES], const struct report_row *row, uint64_t ns)
{
	if (row->durations.count)
		duration_text__age(ns, text);
	else
		snprintf(text, CELL_BYTES, "-");
}

/* "11-24 09:28" */
static void minute(char text[CELL_BYTES], uint64_t ns)
{
	char time[UTC_TEXT_BYTES];

	utc_text__write(time, ns);
	snprintf(text, CELL_BYTES, "%.11s", ns ? time + 5 : time);
}

#define CELL(name, ...)                                                                            \
	static void name##_cell(char text[CELL_BYTES], const struct report_row *row,               \
				uint64_t whole_ns)                                                 \
	{                                                                                          \
		(void)whole_ns;                                                                    \
		__VA_ARGS__;                                                                       \
	}

CELL(count, number(text, row->count))
CELL(failed,
     percent(text, row->outcomes[RECORDED_FAILURE] + row->outcomes[RECORDED_ABORTED], row->count))
CELL(p50, duration(text, row, histogram__percentile_ns(&row->durations, 0.5)))
CELL(p95, duration(text, row, histogram__percentile_ns(&row->durations, 0.95)))
CELL(p99, duration(text, row, histogram__percentile_ns(&row->durations, 0.99)))
CELL(max, duration(text, row, row->durations.max_ns))
CELL(share, percent(text, row->durations.sum_ns, whole_ns))
CELL(first, minute(text, row->first_ns))
CELL(last, minute(text, row->last_ns))
CELL(hits, percent(text, row->numbers[AI_HITS], row->numbers[AI_HITS] + row->numbers[AI_MISSES]))
CELL(number_0, number(text, row->numbers[0]))
CELL(number_1, number(text, row->numbers[1]))
CELL(number_2, number(text, row->numbers[2]))
CELL(number_3, number(text, row->numbers[3]))
CELL(number_4, number(text, row->numbers[4]))
CELL(slow_commands, number(text, row->numbers[COMMANDS_SLOW]))
CELL(slow_commands_sum, duration_text__age(row->numbers[COMMANDS_SLOW_NS], text))
CELL(slow_steps_sum, duration_text__age(row->numbers[STEPS_SLOW_NS], text))

struct column {
	const char *title;
	void (*cell)(char text[CELL_BYTES], const struct report_row *row, uint64_t whole_ns);
	bool is_extra; /* left out where the terminal is narrow */
};

#define COLUMN(title, name)                                                                        \
	{                                                                                          \
		title, name##_cell, false                                                          \
	}
#define EXTRA(title, name)                                                                         \
	{                                                                                          \
		title, name##_cell, true                                                           \
	}
#define GAP                                                                                        \
	{                                                                                          \
		"", NULL, false                                                                    \
	}

static const struct column columns[SECTIONS_COUNT][COLUMNS_MAX] = {
	[SECTION_COMMANDS] = {COLUMN("COUNT", count), COLUMN("FAILED", failed), EXTRA("P50", p50),
			      COLUMN("P95", p95), EXTRA("P99", p99), COLUMN("MAX", max),
			      COLUMN("SHARE", share)},
	[SECTION_STEPS] = {COLUMN("COUNT", count), COLUMN("FAILED", failed), EXTRA("P50", p50),
			   COLUMN("P95", p95), EXTRA("P99", p99), COLUMN("MAX", max),
			   COLUMN("SHARE", share)},
	[SECTION_ERRORS] = {COLUMN("COUNT", count), GAP, COLUMN("FIRST", first), GAP,
			    COLUMN("LAST", last)},
	[SECTION_ABORTED] = {COLUMN("COUNT", count), COLUMN("P50", p50), COLUMN("MAX", max), GAP,
			     COLUMN("LAST", last)},
	[SECTION_AI] = {COLUMN("COUNT", count), COLUMN("HITS", hits), COLUMN("MISSES", number_1),
			COLUMN("UNCACHED", number_2), COLUMN("PROMPT", number_3),
			COLUMN("ANSWER", number_4)},
	[SECTION_CHANGES] = {COLUMN("STEPS", number_0), COLUMN("ROWS", number_1),
			     COLUMN("CREATED", number_2), COLUMN("UPDATED", number_3),
			     COLUMN("DELETED", number_4)},
	[SECTION_TOOLS] = {COLUMN("COUNT", count), COLUMN("FAILED", failed), EXTRA("P50", p50),
			   COLUMN("P95", p95), EXTRA("P99", p99), COLUMN("MAX", max)},
	[SECTION_SCHEDULES] = {COLUMN("RUNS", count), COLUMN("EARLY", number_0), EXTRA("P50", p50),
			       COLUMN("P95", p95), EXTRA("P99", p99), COLUMN("MAX", max)},
	[SECTION_QUEUES] = {COLUMN("COUNT", count), COLUMN("RETRIES", number_0), EXTRA("P50", p50),
			    COLUMN("P95", p95), EXTRA("P99", p99), COLUMN("MAX", max)},
	[SECTION_OVERDUE] = {COLUMN("REPORTS", count), COLUMN("COUNT", number_0),
			     COLUMN("LONGEST", max), GAP, COLUMN("LAST", last)},
	[SECTION_REJECTED] = {COLUMN("COUNT", count), GAP, COLUMN("LAST", last)},
};

static const struct column slow_columns[2][COLUMNS_MAX] = {
	{COLUMN("COUNT", slow_commands), COLUMN("SUM", slow_commands_sum), COLUMN("MAX", max)},
	{COLUMN("COUNT", number_0), COLUMN("SUM", slow_steps_sum), COLUMN("MAX", max)},
};

/* What the durations of a section are, behind its title. */
static const char *const notes[SECTIONS_COUNT] = {
	[SECTION_SCHEDULES] = " (how late)",
	[SECTION_QUEUES] = " (wait)",
	[SECTION_AI] = " (tokens of prompts and answers)",
	[SECTION_OVERDUE] = " (open for too long)",
};

/* ---- the layout */

struct layout {
	struct column columns[COLUMNS_MAX];
	unsigned int used;
	unsigned int names; /* the width of the names */
};

static const char *text_of(const struct report_row *row, size_t index)
{
	const char *text = report_row__text(row, index);

	if (!row->key)
		return index ? "" : "(other)";
	return text[0] ? text : "-";
}

static unsigned int keys_of(const struct section *section, const struct report_row *row)
{
	unsigned int count = 0;

	while (row->key && count < REPORT_KEY_TEXTS && section->keys[count])
		count++;
	return row->key ? count : 1;
}

/* With two blanks between them. */
static unsigned int names_columns(const struct section *section, const struct report_row *row)
{
	unsigned int keys = keys_of(section, row), sum = 2 * (keys - 1);

	for (unsigned int i = 0; i < keys; i++)
		sum += (unsigned int)printable__columns(text_of(row, i), SIZE_MAX);
	return sum;
}

static unsigned int names_room(const struct text_page *page, const struct layout *layout)
{
	unsigned int whole = text_style__width(page->style);
	unsigned int taken = layout->used * COLUMN_WIDTH + 2;

	if (!text_style__cuts(page->style))
		return NAMES_WIDTH_MAX;
	return whole > taken + NAMES_WIDTH_MIN ? whole - taken : NAMES_WIDTH_MIN;
}

static void choose_columns(struct layout *layout, const struct column *table, bool with_extra)
{
	layout->used = 0;
	for (int i = 0; i < COLUMNS_MAX && table[i].title; i++)
		if (with_extra || !table[i].is_extra)
			layout->columns[layout->used++] = table[i];
}

static void lay_out(struct layout *layout, const struct text_page *page, const char *title,
		    const struct section *section, const struct column *table,
		    struct report_row *const *rows, size_t count)
{
	unsigned int room, wanted = (unsigned int)strlen(title);

	choose_columns(layout, table, true);
	if (names_room(page, layout) < NAMES_WIDTH_GOOD)
		choose_columns(layout, table, false);
	room = names_room(page, layout);
	for (size_t i = 0; i < count; i++) {
		unsigned int width = names_columns(section, rows[i]);

		if (width > wanted)
			wanted = width;
	}
	layout->names = wanted < room ? wanted : room;
}

/* ---- lines */

static void put_header(struct text_page *page, const char *title, const struct layout *layout)
{
	if (!text_page__begin(page))
		return;
	text_line__colour(&page->line, TEXT_BOLD);
	text_page__put(page, title, layout->names + 2);
	for (unsigned int i = 0; i < layout->used; i++)
		text_page__put_right(page, layout->columns[i].title,
				     layout->names + 2 + (i + 1) * COLUMN_WIDTH);
	text_page__end(page);
}

/* Where there is no room for all of them, each is cut, so that each can be told. */
static void put_names(struct text_page *page, const struct section *section,
		      const struct report_row *row, unsigned int width)
{
	unsigned int keys = keys_of(section, row), each = width;

	if (names_columns(section, row) > width)
		each = (width - 2 * (keys - 1)) / keys;
	for (unsigned int i = 0; i < keys; i++) {
		text_page__put(page, "  ", 2);
		text_page__put(page, text_of(row, i), each);
	}
}

static void put_row(struct text_page *page, const struct section *section,
		    const struct layout *layout, const struct report_row *row, uint64_t whole_ns)
{
	char cell[CELL_BYTES];

	if (!text_page__begin(page))
		return;
	put_names(page, section, row, layout->names);
	for (unsigned int i = 0; i < layout->used; i++) {
		if (!layout->columns[i].cell)
			continue;
		layout->columns[i].cell(cell, row, whole_ns);
		text_page__put_right(page, cell, layout->names + 2 + (i + 1) * COLUMN_WIDTH);
	}
	text_page__end(page);
}

static void put_table(struct text_page *page, const char *title, enum section_id section,
		      const struct column *table, struct report_row *const *rows, size_t count)
{
	size_t shown = count < page->summary->options.rows ? count : page->summary->options.rows;
	uint64_t whole_ns =
		sections[section].has_share ? summary__time_ns(page->summary, section) : 0;
	struct layout layout;

	if (!count)
		return;
	lay_out(&layout, page, title, &sections[section], table, rows, shown);
	text_page__line(page, "%s", "");
	put_header(page, title, &layout);
	for (size_t i = 0; i < shown; i++)
		put_row(page, &sections[section], &layout, rows[i], whole_ns);
	if (shown < count)
		text_page__line(page, "  and %zu other rows (--rows shows more)", count - shown);
}

static void put_section(struct text_page *page, enum section_id section)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(page->summary->tables[section], &count);
	char title[80];

	snprintf(title, sizeof(title), "%s%s", sections[section].title,
		 notes[section] ? notes[section] : "");
	if (rows)
		put_table(page, title, section, columns[section], rows, count);
	page->has_failed = page->has_failed || !rows;
	free(rows);
}

static void put_slow(struct text_page *page, enum section_id section, int slow, uint64_t over_ns,
		     const struct column *table)
{
	size_t count, kept = 0;
	struct report_row **rows = report_rows__sorted(page->summary->tables[section], &count);
	char title[80], over[DURATION_TEXT_BYTES];

	for (size_t i = 0; rows && i < count; i++)
		if (rows[i]->numbers[slow])
			rows[kept++] = rows[i];
	duration_text__age(over_ns, over);
	snprintf(title, sizeof(title), "%s over %s", sections[section].title, over);
	if (rows)
		put_table(page, title, section, table, rows, kept);
	page->has_failed = page->has_failed || !rows;
	free(rows);
}

void text_bottlenecks__write(struct text_page *page)
{
	const struct summary_options *options = &page->summary->options;

	put_slow(page, SECTION_COMMANDS, COMMANDS_SLOW, options->slow_command_ns, slow_columns[0]);
	put_slow(page, SECTION_STEPS, STEPS_SLOW, options->slow_step_ns, slow_columns[1]);
}

void text_tables__write(struct text_page *page)
{
	for (int section = 0; section < SECTIONS_COUNT; section++) {
		put_section(page, (enum section_id)section);
		if (section == SECTION_STEPS)
			text_bottlenecks__write(page);
	}
}
