/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of the table of durations that follow the keys: their titles, and what a row has
 * there. */
#ifndef STEPTRACE_REPORT_COLUMNS_H
#define STEPTRACE_REPORT_COLUMNS_H

#include "steptrace/latency/report.h"

enum { REPORT_COLUMNS = 16, REPORT_RANK_MAX = 6, REPORT_CELL_BYTES = 32 };

/* What a cell is computed from. */
struct row_facts {
	const struct report *report;
	const struct latency_row *row;
	double share; /* of the sum of all durations */
};

enum report_column_kind {
	COLUMN_ALWAYS,
	COLUMN_OF_OPEN,      /* only if what is open is shown */
	COLUMN_OF_BREAKDOWN, /* only with --breakdown */
};

struct report_column {
	const char *title;
	void (*write)(const struct row_facts *facts, char text[REPORT_CELL_BYTES]);
	unsigned int rank;  /* columns with a higher one are left out first */
	unsigned int width; /* the least width */
	enum report_column_kind kind;
};

extern const struct report_column report_columns[REPORT_COLUMNS];

#endif
