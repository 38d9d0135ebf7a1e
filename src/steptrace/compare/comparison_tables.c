// SPDX-License-Identifier: BSD-2-Clause
/* The tables of a comparison: which rows are in each of them, in which order, and its columns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/printable.h"
#include "steptrace/compare/comparison_text.h"
#include "steptrace/stream/duration_text.h"

enum {
	NAMES_MIN = 16,
	NAMES_GOOD = 24,
	NAMES_MAX = 70,
	COLUMNS_MAX = 12,
	CELL_BYTES = 48,
	NARROW = 9,
	WIDE = 18, /* an interval */
};

/* ---- cells */

static void number(char text[CELL_BYTES], uint64_t value)
{
	snprintf(text, CELL_BYTES, "%" PRIu64, value);
}

static void percent(char text[CELL_BYTES], double share)
{
	snprintf(text, CELL_BYTES, "%.1f%%", share * 100);
}

static void failed(char text[CELL_BYTES], const struct compared_side *side)
{
	if (side->count)
		percent(text, (double)side->failed / (double)side->count);
	else
		snprintf(text, CELL_BYTES, "-");
}

static void duration(char text[CELL_BYTES], const struct compared_side *side, uint64_t ns)
{
	if (side->timed)
		duration_text__age(ns, text);
	else
		snprintf(text, CELL_BYTES, "-");
}

/* "+20.1%"; from three times as long, "x 3.2". */
static void change(char text[CELL_BYTES], bool is_known, double ratio)
{
	if (!is_known)
		snprintf(text, CELL_BYTES, "?");
	else if (ratio >= 3)
		snprintf(text, CELL_BYTES, "x %.*f", ratio < 100 ? 1 : 0, ratio);
	else
		snprintf(text, CELL_BYTES, "%+.1f%%", (ratio - 1) * 100);
}

static void interval(char text[CELL_BYTES], const struct ratio *ratio)
{
	char low[CELL_BYTES], high[CELL_BYTES];

	change(low, ratio->has_low, ratio->low);
	change(high, ratio->has_high, ratio->high);
	snprintf(text, CELL_BYTES, "%.20s .. %.20s", low, high);
}

static void probability(char text[CELL_BYTES], double p)
{
	if (p < 1e-9)
		snprintf(text, CELL_BYTES, "<1e-9");
	else if (p < 0.001)
		snprintf(text, CELL_BYTES, "%.0e", p);
	else
		snprintf(text, CELL_BYTES, "%.3f", p);
}

#define CELL(name, ...)                                                                            \
	static void name##_cell(char text[CELL_BYTES], const struct compared_row *row)             \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
#define OLD(row) (&(row)->sides[COMPARE_OLD])
#define NEW(row) (&(row)->sides[COMPARE_NEW])

CELL(old_count, number(text, OLD(row)->count))
CELL(new_count, number(text, NEW(row)->count))
CELL(old_failed, failed(text, OLD(row)))
CELL(new_failed, failed(text, NEW(row)))
CELL(old_p50, duration(text, OLD(row), OLD(row)->p50_ns))
CELL(old_p95, duration(text, OLD(row), OLD(row)->p95_ns))
CELL(old_max, duration(text, OLD(row), OLD(row)->max_ns))
CELL(new_p50, duration(text, NEW(row), NEW(row)->p50_ns))
CELL(new_p95, duration(text, NEW(row), NEW(row)->p95_ns))
CELL(new_max, duration(text, NEW(row), NEW(row)->max_ns))
CELL(p50_change, change(text, row->p50.is_known, row->p50.value))
CELL(p95_change, change(text, row->p95.is_known, row->p95.value))
CELL(p50_interval, interval(text, &row->p50))
CELL(p95_interval, interval(text, &row->p95))
CELL(slower, percent(text, row->rank.effect))
CELL(durations_p, probability(text, row->rank_corrected))
CELL(failures_p, probability(text, row->failures_corrected))

struct column {
	const char *title;
	void (*cell)(char text[CELL_BYTES], const struct compared_row *row);
	unsigned int width;
	bool is_extra; /* left out where the terminal is narrow */
};

#define COLUMN(title, name)                                                                        \
	{                                                                                          \
		title, name##_cell, NARROW, false                                                  \
	}
#define EXTRA(title, name, width)                                                                  \
	{                                                                                          \
		title, name##_cell, width, true                                                    \
	}

static const struct column duration_columns[COLUMNS_MAX] = {
	EXTRA("OLD", old_count, NARROW),
	EXTRA("NEW", new_count, NARROW),
	COLUMN("P50", new_p50),
	COLUMN("CHANGE", p50_change),
	EXTRA("95 %", p50_interval, WIDE),
	COLUMN("P95", new_p95),
	COLUMN("CHANGE", p95_change),
	EXTRA("95 %", p95_interval, WIDE),
	COLUMN("SLOWER", slower),
	COLUMN("P", durations_p),
};

static const struct column failure_columns[COLUMNS_MAX] = {
	COLUMN("OLD", old_count), COLUMN("NEW", new_count), COLUMN("FAILED", old_failed),
	COLUMN("->", new_failed), COLUMN("P", failures_p),
};

static const struct column few_columns[COLUMNS_MAX] = {
	COLUMN("OLD", old_count), COLUMN("NEW", new_count), COLUMN("FAILED", old_failed),
	COLUMN("->", new_failed), COLUMN("P50", old_p50),   COLUMN("->", new_p50),
};

static const struct column new_columns[COLUMNS_MAX] = {
	COLUMN("NEW", new_count), COLUMN("FAILED", new_failed), COLUMN("P50", new_p50),
	COLUMN("P95", new_p95),   COLUMN("MAX", new_max),
};

static const struct column gone_columns[COLUMNS_MAX] = {
	COLUMN("OLD", old_count), COLUMN("FAILED", old_failed), COLUMN("P50", old_p50),
	COLUMN("P95", old_p95),   COLUMN("MAX", old_max),
};

/* ---- which rows */

enum order { BY_EFFECT, BY_P, BY_COUNT };

static const struct table {
	const char *title;
	bool of_failures;
	enum verdict verdict;
	const struct column *columns;
	enum order order;
} tables[] = {
	{"Slower", false, VERDICT_MORE, duration_columns, BY_EFFECT},
	{"Faster", false, VERDICT_LESS, duration_columns, BY_EFFECT},
	{"More failures", true, VERDICT_MORE, failure_columns, BY_P},
	{"Fewer failures", true, VERDICT_LESS, failure_columns, BY_P},
	{"New", false, VERDICT_NEW, new_columns, BY_COUNT},
	{"Gone", false, VERDICT_GONE, gone_columns, BY_COUNT},
	{"No difference found", false, VERDICT_NONE, duration_columns, BY_COUNT},
	{"Too few executions", false, VERDICT_TOO_FEW, few_columns, BY_COUNT},
	{"Unknown", false, VERDICT_UNKNOWN, few_columns, BY_COUNT},
};

static double from_half(const struct compared_row *row)
{
	return row->rank.effect > 0.5 ? row->rank.effect - 0.5 : 0.5 - row->rank.effect;
}

static double count_of(const struct compared_row *row)
{
	return (double)OLD(row)->count + (double)NEW(row)->count;
}

/* The position in the comparison decides at last: rows of the same rank keep their order. */
static int compare(double one, double other, const struct compared_row *left,
		   const struct compared_row *right)
{
	if (one != other)
		return one < other ? 1 : -1;
	return left < right ? -1 : 1;
}

#define COMPARE_BY(name, value)                                                                    \
	static int name(const void *left, const void *right)                                       \
	{                                                                                          \
		const struct compared_row *const *one = left, *const *other = right;               \
                                                                                                   \
		return compare(value(*one), value(*other), *one, *other);                          \
	}

#define MINUS_P(row) (-(row)->failures_p)
COMPARE_BY(by_effect, from_half)
COMPARE_BY(by_p, MINUS_P)
COMPARE_BY(by_count, count_of)

static size_t select_rows(const struct comparison *comparison, const struct table *table,
			  const struct compared_row **selected)
{
	static int (*const orders[])(const void *, const void *) = {
		[BY_EFFECT] = by_effect, [BY_P] = by_p, [BY_COUNT] = by_count};
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++) {
		const struct compared_row *row = &comparison->rows[i];

		if ((table->of_failures ? row->failures : row->durations) == table->verdict)
			selected[count++] = row;
	}
	qsort(selected, count, sizeof(*selected), orders[table->order]);
	return count;
}

/* ---- the layout */

struct layout {
	struct column columns[COLUMNS_MAX];
	unsigned int used, names; /* the width of the names */
};

static const char *shown(const char *text)
{
	return text[0] ? text : "-";
}

static unsigned int names_columns(const struct compared_row *row)
{
	size_t columns = printable__columns(shown(row->command), SIZE_MAX);

	if (row->step_type)
		columns += 2 + printable__columns(shown(row->step_type), SIZE_MAX);
	return (unsigned int)columns;
}

static unsigned int names_room(const struct text_page *page, const struct layout *layout)
{
	unsigned int whole = text_style__width(page->style), taken = 2;

	for (unsigned int i = 0; i < layout->used; i++)
		taken += layout->columns[i].width;
	if (!text_style__cuts(page->style))
		return NAMES_MAX;
	return whole > taken + NAMES_MIN ? whole - taken : NAMES_MIN;
}

static void choose_columns(struct layout *layout, const struct column *columns, bool with_extra)
{
	layout->used = 0;
	for (int i = 0; i < COLUMNS_MAX && columns[i].title; i++)
		if (with_extra || !columns[i].is_extra)
			layout->columns[layout->used++] = columns[i];
}

static void lay_out(struct layout *layout, const struct text_page *page, const struct table *table,
		    const struct compared_row *const *rows, size_t count)
{
	unsigned int room, wanted = (unsigned int)strlen(table->title);

	choose_columns(layout, table->columns, true);
	if (names_room(page, layout) < NAMES_GOOD)
		choose_columns(layout, table->columns, false);
	room = names_room(page, layout);
	for (size_t i = 0; i < count; i++)
		if (names_columns(rows[i]) > wanted)
			wanted = names_columns(rows[i]);
	layout->names = wanted < room ? wanted : room;
}

/* ---- lines */

static void put_cells(struct text_page *page, const struct layout *layout,
		      const struct compared_row *row)
{
	unsigned int at = layout->names + 2;
	char cell[CELL_BYTES];

	for (unsigned int i = 0; i < layout->used; i++) {
		at += layout->columns[i].width;
		if (row)
			layout->columns[i].cell(cell, row);
		text_page__put_right(page, row ? cell : layout->columns[i].title, at);
	}
	text_page__end(page);
}

static void put_header(struct text_page *page, const char *title, const struct layout *layout)
{
	if (!text_page__begin(page))
		return;
	text_line__colour(&page->line, TEXT_BOLD);
	text_page__put(page, title, layout->names + 2);
	put_cells(page, layout, NULL);
}

/* Where there is no room for both names, each is cut, so that each can be told. */
static void put_row(struct text_page *page, const struct layout *layout,
		    const struct compared_row *row)
{
	unsigned int each = layout->names;

	if (!text_page__begin(page))
		return;
	if (row->step_type && names_columns(row) > layout->names)
		each = (layout->names - 2) / 2;
	text_page__put(page, "  ", 2);
	text_page__put(page, shown(row->command), each);
	if (row->step_type) {
		text_page__put(page, "  ", 2);
		text_page__put(page, shown(row->step_type), each);
	}
	put_cells(page, layout, row);
}

static void put_table(struct text_page *page, const struct table *table,
		      const struct compared_row *const *rows, size_t count, uint64_t limit)
{
	size_t shown_rows = count < limit ? count : limit;
	struct layout layout;

	if (!count)
		return;
	lay_out(&layout, page, table, rows, shown_rows);
	text_page__line(page, "%s", "");
	put_header(page, table->title, &layout);
	for (size_t i = 0; i < shown_rows; i++)
		put_row(page, &layout, rows[i]);
	if (shown_rows < count)
		text_page__line(page, "  and %zu other rows (--rows shows more)",
				count - shown_rows);
}

void comparison_tables__write(struct text_page *page, const struct comparison *comparison,
			      uint64_t rows)
{
	const struct compared_row **selected = calloc(comparison->count + 1, sizeof(*selected));

	page->has_failed = page->has_failed || !selected;
	for (size_t i = 0; selected && i < sizeof(tables) / sizeof(tables[0]); i++)
		put_table(page, &tables[i], selected, select_rows(comparison, &tables[i], selected),
			  rows);
	free(selected);
}
