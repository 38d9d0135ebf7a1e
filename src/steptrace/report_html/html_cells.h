/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of a table of the report: what a cell shows of a row, and its exact value. A table
 * ends at the first column without a title.
 */
#ifndef STEPTRACE_REPORT_HTML_CELLS_H
#define STEPTRACE_REPORT_HTML_CELLS_H

#include "steptrace/report_html/html_spread.h"

enum html_cell_kind {
	CELL_NUMBER,
	CELL_DURATION, /* ns */
	CELL_TIME,     /* ns since 1970 */
	CELL_PERCENT,  /* of a whole */
	CELL_SHARE,    /* the same, with a bar */
	CELL_FAILED,   /* the same; what is not zero stands out */
	CELL_SPREAD,   /* a histogram of the durations of the row */
};

struct html_cell {
	uint64_t value, whole;
	bool is_known;
};

struct html_column {
	const char *title;
	const char *name; /* of data-name: as in JSON */
	enum html_cell_kind kind;
	struct html_cell (*of)(const struct report_row *row, const struct html_scale *scale);
};

enum { HTML_COLUMNS_MAX = 9 };

/* The columns of a section. */
extern const struct html_column html_columns[SECTIONS_COUNT][HTML_COLUMNS_MAX];
/* The columns of a bottleneck: of commands, and of steps. */
extern const struct html_column html_slow_columns[2][HTML_COLUMNS_MAX];

void html_column__put_head(struct html_page *page, const struct html_column *column);
void html_column__put_cell(struct html_page *page, const struct html_column *column,
			   const struct report_row *row, const struct html_scale *scale);

#endif
