// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "steptrace/latency/report_columns.h"
#include "steptrace/stream/duration_text.h"

enum {
	GAP = 2,          /* blanks between two columns */
	KEY_COLUMNS = 28, /* a value that is wider is cut on a terminal */
	KEY_COLUMNS_MIN = 8,
	LINE_BYTES = ROW_KEYS_COUNT * (ROW_KEY_BYTES + KEY_COLUMNS) + 1024,
};

/* ---- widths */

struct layout {
	unsigned int key_widths[ROW_KEYS_COUNT];
	unsigned int widths[REPORT_COLUMNS]; /* 0: the column is left out */
};

static unsigned int larger(unsigned int one, unsigned int other)
{
	return one > other ? one : other;
}

static const char *value_at(const struct latency_row *row, size_t index)
{
	const char *value = row->key;

	if (!value)
		return index ? "" : "(other)";
	while (index--)
		value += strlen(value) + 1;
	return value;
}

/* What a row shows for a key: a value that is not there is "-". */
static const char *shown_at(const struct latency_row *row, size_t index)
{
	const char *value = value_at(row, index);

	return row->key && !value[0] ? "-" : value;
}

static void measure_row(struct layout *layout, const struct row_facts *facts)
{
	char cell[REPORT_CELL_BYTES];

	for (size_t i = 0; i < facts->report->keys->count; i++) {
		const char *value = shown_at(facts->row, i);

		layout->key_widths[i] =
			larger(layout->key_widths[i],
			       (unsigned int)printable__columns(value, strlen(value)));
	}
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		if (!layout->widths[i])
			continue;
		report_columns[i].write(facts, cell);
		layout->widths[i] = larger(layout->widths[i], (unsigned int)strlen(cell));
	}
}

static void measure_titles(struct layout *layout, const struct report *report)
{
	memset(layout, 0, sizeof(*layout));
	for (size_t i = 0; i < report->keys->count; i++)
		layout->key_widths[i] =
			(unsigned int)strlen(row_keys[report->keys->items[i]].title);
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		const struct report_column *column = &report_columns[i];
		bool is_absent = (column->kind == COLUMN_OF_BREAKDOWN && !report->has_breakdown) ||
				 (column->kind == COLUMN_OF_OPEN && !report->has_open);

		layout->widths[i] = is_absent ? 0 : column->width;
	}
}

static unsigned int total_width(const struct layout *layout, size_t keys_count)
{
	unsigned int width = 0;

	for (size_t i = 0; i < keys_count; i++)
		width += layout->key_widths[i] + GAP;
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		width += layout->widths[i] ? layout->widths[i] + GAP : 0;
	return width - GAP;
}

static void cut_keys(struct layout *layout, size_t keys_count, unsigned int limit)
{
	for (size_t i = 0; i < keys_count; i++)
		if (layout->key_widths[i] > limit)
			layout->key_widths[i] = limit;
}

static void leave_out(struct layout *layout, unsigned int rank)
{
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		if (report_columns[i].rank == rank)
			layout->widths[i] = 0;
}

/* Makes the table as wide as the terminal at most. */
static void fit(struct layout *layout, const struct report *report)
{
	unsigned int width = text_style__width(&report->style);
	size_t count = report->keys->count;

	cut_keys(layout, count, KEY_COLUMNS);
	for (unsigned int rank = REPORT_RANK_MAX; rank > 2; rank--)
		if (total_width(layout, count) > width)
			leave_out(layout, rank);
	for (unsigned int limit = KEY_COLUMNS; limit >= KEY_COLUMNS_MIN; limit--)
		if (total_width(layout, count) > width)
			cut_keys(layout, count, limit);
	for (unsigned int rank = 2; rank > 0; rank--)
		if (total_width(layout, count) > width)
			leave_out(layout, rank);
	for (unsigned int limit = KEY_COLUMNS_MIN; limit > 0; limit--)
		if (total_width(layout, count) > width)
			cut_keys(layout, count, limit);
}

/* ---- lines */

static void put_right(struct text_line *line, unsigned int *column, unsigned int width,
		      const char *text)
{
	unsigned int bytes = (unsigned int)strlen(text);

	text_line__go_to(line, *column + (width > bytes ? width - bytes : 0));
	text_line__put(line, text, bytes, bytes);
	*column += width + GAP;
}

static void put_left(struct text_line *line, unsigned int *column, unsigned int width,
		     const char *text)
{
	text_line__go_to(line, *column);
	text_line__put(line, text, strlen(text), width);
	*column += width + GAP;
}

static void put_titles(struct json *out, const struct report *report, const struct layout *layout)
{
	unsigned int column = 0;
	struct text_line line;

	text_line__begin(&line, out, &report->style);
	text_line__colour(&line, TEXT_BOLD);
	for (size_t i = 0; i < report->keys->count; i++)
		put_left(&line, &column, layout->key_widths[i],
			 row_keys[report->keys->items[i]].title);
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		if (layout->widths[i])
			put_right(&line, &column, layout->widths[i], report_columns[i].title);
	text_line__end(&line);
}

static void put_row(struct json *out, const struct row_facts *facts, const struct layout *layout)
{
	const struct report *report = facts->report;
	unsigned int column = 0;
	struct text_line line;
	char cell[REPORT_CELL_BYTES];

	text_line__begin(&line, out, &report->style);
	if (facts->row->failures)
		text_line__colour(&line, TEXT_RED);
	for (size_t i = 0; i < report->keys->count; i++)
		put_left(&line, &column, layout->key_widths[i], shown_at(facts->row, i));
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		if (!layout->widths[i])
			continue;
		report_columns[i].write(facts, cell);
		put_right(&line, &column, layout->widths[i], cell);
	}
	text_line__end(&line);
}

/* ---- histograms: one bar for each power of two */

enum { BARS = 64, BAR_COLUMNS = 40, BAR_LINE_BYTES = 256 };

struct bars {
	uint64_t counts[BARS]; /* of durations from 2^i to 2^(i+1) ns; the first also of 0 */
	uint64_t largest;
	int first, last; /* with a count */
};

static void add_to_bars(void *context, const struct histogram_bucket *bucket)
{
	int bar = bucket->from_ns ? 63 - __builtin_clzll(bucket->from_ns) : 0;
	struct bars *bars = context;

	bars->counts[bar] += bucket->count;
	if (bars->counts[bar] > bars->largest)
		bars->largest = bars->counts[bar];
	bars->first = bars->first < bar ? bars->first : bar;
	bars->last = bar;
}

/* Eighths of a column. */
static void put_bar(struct json *out, uint64_t count, uint64_t largest)
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned int eighths =
		(unsigned int)((double)count / (double)largest * (8 * BAR_COLUMNS) + 0.5);

	if (count && !eighths)
		eighths = 1;
	for (unsigned int i = 0; i < eighths / 8; i++)
		json__raw(out, "█");
	json__word(out, parts[eighths % 8]);
	for (unsigned int i = (eighths + 7) / 8; i < BAR_COLUMNS; i++)
		json__raw(out, " ");
}

static void put_histogram(struct json *out, const struct latency_row *row)
{
	struct bars bars = {.first = BARS};
	char text[DURATION_TEXT_BYTES], cell[BAR_LINE_BYTES];

	histogram__each(&row->durations, add_to_bars, &bars);
	for (int bar = bars.first; bar <= bars.last; bar++) {
		duration_text__write(bar ? 1ull << bar : 0, text);
		snprintf(cell, sizeof(cell), "  %10s |", text);
		json__word(out, cell);
		put_bar(out, bars.counts[bar], bars.largest);
		snprintf(cell, sizeof(cell), "| %llu\n", (unsigned long long)bars.counts[bar]);
		json__word(out, cell);
	}
}

/* ---- the table */

static struct row_facts facts_of(const struct report *report, const struct latency_row *row,
				 const struct latency_row *total)
{
	double all_ns = (double)total->durations.sum_ns;

	return (struct row_facts){report, row,
				  all_ns > 0 ? (double)row->durations.sum_ns / all_ns : 0};
}

static int put_rows(struct json *out, const struct report *report, const struct latency_row **rows,
		    size_t count, const struct latency_row *total)
{
	struct layout layout;

	if (count == 0) {
		json__word(out, report->keys->of_steps ? "no step ended\n" : "no command ended\n");
		return 0;
	}
	measure_titles(&layout, report);
	for (size_t i = 0; i < count; i++) {
		const struct row_facts facts = facts_of(report, rows[i], total);

		measure_row(&layout, &facts);
	}
	if (report->style.columns)
		fit(&layout, report);
	put_titles(out, report, &layout);
	for (size_t i = 0; i < count; i++) {
		const struct row_facts facts = facts_of(report, rows[i], total);

		if (json__reserve(out, LINE_BYTES + BARS * BAR_LINE_BYTES))
			return -ENOMEM;
		put_row(out, &facts, &layout);
		if (report->has_histograms)
			put_histogram(out, rows[i]);
	}
	return 0;
}

int report__text(struct json *out, const struct report *report, const struct latency_table *table)
{
	size_t before = json__length(out), count;
	const struct latency_row **rows = latency_table__sorted(table, &count);
	struct latency_row total;
	int code = rows ? latency_table__total(table, &total) : -ENOMEM;

	if (!code) {
		code = json__reserve(out, LINE_BYTES);
		if (!code)
			code = put_rows(out, report, rows, count, &total);
		histogram__clear(&total.durations);
	}
	if (code)
		out->at = out->base + before;
	free(rows);
	return code;
}
