// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_html/html_cells.h"

#include <inttypes.h>

#include "steptrace/report/utc_text.h"

/* ---- what a cell shows */

#define CELL(name, ...)                                                                            \
	static struct html_cell name##_of(const struct report_row *row,                            \
					  const struct html_scale *scale)                          \
	{                                                                                          \
		(void)row, (void)scale;                                                            \
		return (struct html_cell){__VA_ARGS__};                                            \
	}
#define NUMBER(name, number) CELL(name, number, 0, true)
#define TIMED(name, ns)      CELL(name, ns, 0, row->durations.count > 0)

NUMBER(count, row->count)
NUMBER(number_0, row->numbers[0])
NUMBER(number_1, row->numbers[1])
NUMBER(number_2, row->numbers[2])
NUMBER(number_3, row->numbers[3])
NUMBER(number_4, row->numbers[4])
NUMBER(slow_commands, row->numbers[COMMANDS_SLOW])
NUMBER(slow_commands_sum, row->numbers[COMMANDS_SLOW_NS])
NUMBER(slow_steps, row->numbers[STEPS_SLOW])
NUMBER(slow_steps_sum, row->numbers[STEPS_SLOW_NS])
TIMED(p50, histogram__percentile_ns(&row->durations, 0.5))
TIMED(p95, histogram__percentile_ns(&row->durations, 0.95))
TIMED(p99, histogram__percentile_ns(&row->durations, 0.99))
TIMED(max, row->durations.max_ns)
CELL(first, row->first_ns, 0, row->last_ns != 0)
CELL(last, row->last_ns, 0, row->last_ns != 0)
CELL(failed, row->outcomes[RECORDED_FAILURE] + row->outcomes[RECORDED_ABORTED], row->count, true)
CELL(share, row->durations.sum_ns, scale->whole_ns, true)
CELL(hits, row->numbers[AI_HITS], row->numbers[AI_HITS] + row->numbers[AI_MISSES], true)

#define SPREAD                                                                                     \
	{                                                                                          \
		"Durations", "min_ns", CELL_SPREAD, NULL                                           \
	}
#define PERCENTILES                                                                                \
	{"p50", "p50_ns", CELL_DURATION, p50_of}, {"p95", "p95_ns", CELL_DURATION, p95_of},        \
		{"p99", "p99_ns", CELL_DURATION, p99_of},                                          \
	{                                                                                          \
		"max", "max_ns", CELL_DURATION, max_of                                             \
	}
#define COUNT(title)                                                                               \
	{                                                                                          \
		title, "count", CELL_NUMBER, count_of                                              \
	}
#define FAILED                                                                                     \
	{                                                                                          \
		"Failed", "failed", CELL_FAILED, failed_of                                         \
	}
#define SHARE                                                                                      \
	{                                                                                          \
		"Share of time", "sum_ns", CELL_SHARE, share_of                                    \
	}
#define FIRST                                                                                      \
	{                                                                                          \
		"First", "first", CELL_TIME, first_of                                              \
	}
#define LAST                                                                                       \
	{                                                                                          \
		"Last", "last", CELL_TIME, last_of                                                 \
	}

/* clang-format off */
const struct html_column html_columns[SECTIONS_COUNT][HTML_COLUMNS_MAX] = {
	[SECTION_COMMANDS] = {COUNT("Ended"), FAILED, SPREAD, PERCENTILES, SHARE},
	[SECTION_STEPS] = {COUNT("Executed"), FAILED, SPREAD, PERCENTILES, SHARE},
	[SECTION_ERRORS] = {COUNT("Count"), FIRST, LAST},
	[SECTION_ABORTED] = {COUNT("Count"),
			     {"p50", "p50_ns", CELL_DURATION, p50_of},
			     {"max", "max_ns", CELL_DURATION, max_of},
			     LAST},
	[SECTION_AI] = {COUNT("Executed"),
			{"Cache hits", "cache_hits", CELL_PERCENT, hits_of},
			{"Cache misses", "cache_misses", CELL_NUMBER, number_1_of},
			{"Without cache", "cache_off", CELL_NUMBER, number_2_of},
			{"Prompt tokens", "prompt_tokens", CELL_NUMBER, number_3_of},
			{"Answer tokens", "completion_tokens", CELL_NUMBER, number_4_of}},
	[SECTION_CHANGES] = {{"Steps", "steps", CELL_NUMBER, number_0_of},
			     {"Rows changed", "rows", CELL_NUMBER, number_1_of},
			     {"Fragments created", "fragments_created", CELL_NUMBER, number_2_of},
			     {"Updated", "fragments_updated", CELL_NUMBER, number_3_of},
			     {"Deleted", "fragments_deleted", CELL_NUMBER, number_4_of}},
	[SECTION_TOOLS] = {COUNT("Calls"), FAILED, SPREAD, PERCENTILES},
	[SECTION_SCHEDULES] = {COUNT("Runs"),
			       {"Early", "early", CELL_NUMBER, number_0_of},
			       SPREAD, PERCENTILES},
	[SECTION_QUEUES] = {COUNT("Jobs"),
			    {"Retries", "retries", CELL_NUMBER, number_0_of},
			    SPREAD, PERCENTILES},
	[SECTION_REJECTED] = {COUNT("Count"), FIRST, LAST},
};

const struct html_column html_slow_columns[2][HTML_COLUMNS_MAX] = {
	{{"Count", "slow", CELL_NUMBER, slow_commands_of},
	 {"Sum", "slow_ns", CELL_DURATION, slow_commands_sum_of},
	 {"Longest", "max_ns", CELL_DURATION, max_of}},
	{{"Count", "slow", CELL_NUMBER, slow_steps_of},
	 {"Sum", "slow_ns", CELL_DURATION, slow_steps_sum_of},
	 {"Longest", "max_ns", CELL_DURATION, max_of}},
};

static const char *const classes[] = {
	[CELL_NUMBER] = "number",  [CELL_DURATION] = "number", [CELL_TIME] = "time",
	[CELL_PERCENT] = "number", [CELL_SHARE] = "share",     [CELL_FAILED] = "number",
	[CELL_SPREAD] = "spread",
};
/* clang-format on */

/* ---- cells */

void html_column__put_head(struct html_page *page, const struct html_column *column)
{
	html_page__put(page, "<th scope=\"col\" class=\"%s\">%s</th>", classes[column->kind],
		       column->title);
}

/* The text of a cell. */
static const char *shown(char text[HTML_NUMBER_BYTES], enum html_cell_kind kind,
			 const struct html_cell *cell)
{
	char time[UTC_TEXT_BYTES];

	switch (kind) {
	case CELL_NUMBER: return html_number(text, cell->value);
	case CELL_DURATION: return html_duration(text, cell->value);
	case CELL_TIME:
		utc_text__write(time, cell->value);
		snprintf(text, HTML_NUMBER_BYTES, "%.16s", time);
		return text;
	case CELL_FAILED:
		if (!cell->value)
			return "0";
		__attribute__((fallthrough));
	default: return html_percent(text, cell->value, cell->whole);
	}
}

static void put_share_bar(struct html_page *page, const struct html_cell *cell)
{
	html_page__put(page,
		       "<svg viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
		       "aria-hidden=\"true\"><rect width=\"%.2f\" height=\"1\"/></svg>",
		       cell->whole ? (double)cell->value * 100 / (double)cell->whole : 0);
}

static const char *more_class(enum html_cell_kind kind, const struct html_cell *cell)
{
	if (!cell->value)
		return " nothing";
	return kind == CELL_FAILED ? " bad" : "";
}

static void put_unknown(struct html_page *page, const struct html_column *column)
{
	html_page__put(page, "<td class=\"%s nothing\" data-name=\"%s\">–</td>",
		       classes[column->kind], column->name);
}

void html_column__put_cell(struct html_page *page, const struct html_column *column,
			   const struct report_row *row, const struct html_scale *scale)
{
	char text[HTML_NUMBER_BYTES];
	struct html_cell cell;

	if (column->kind == CELL_SPREAD) {
		html_spread__put(page, row, scale);
		return;
	}
	cell = column->of(row, scale);
	if (!cell.is_known) {
		put_unknown(page, column);
		return;
	}
	html_page__put(page, "<td class=\"%s%s\" data-name=\"%s\" data-value=\"%" PRIu64 "\">%s",
		       classes[column->kind], more_class(column->kind, &cell), column->name,
		       cell.value, shown(text, column->kind, &cell));
	if (column->kind == CELL_SHARE)
		put_share_bar(page, &cell);
	html_page__put(page, "</td>");
}
