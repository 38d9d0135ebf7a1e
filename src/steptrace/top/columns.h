/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of top: their titles, what they show of a row, and the order that they sort into.
 *
 *	COMMAND     RATE/s    COUNT     P50    ▼P99      MAX  FAILED   OPEN   OLDEST
 *	triage        61.2      612  468 us  871 us  1.94 ms       0      3   12.3 s
 *
 * With --breakdown two more: CPU and WAITS FOR.
 */
#ifndef STEPTRACE_TOP_COLUMNS_H
#define STEPTRACE_TOP_COLUMNS_H

#include <stdbool.h>

#include "common/error.h"
#include "steptrace/top/rows.h"

enum top_column {
	COLUMN_NAME,
	COLUMN_RATE,
	COLUMN_COUNT,
	COLUMN_P50,
	COLUMN_P99,
	COLUMN_MAX,
	COLUMN_FAILED,
	COLUMN_OPEN,
	COLUMN_OLDEST,
	COLUMN_CPU, /* this and what follows: only with --breakdown */
	COLUMN_WAITS,
	TOP_COLUMNS_COUNT,
	TOP_COLUMNS_USUAL = COLUMN_CPU,
};

enum { TOP_CELL_BYTES = 32, COLUMN_RANK_MAX = 4 };

extern const struct top_column_info {
	const char *option; /* of --sort */
	const char *title;  /* of COLUMN_NAME: of commands */
	const char *help;
	/* NULL: of COLUMN_NAME */
	void (*write)(const struct top_row *row, char text[TOP_CELL_BYTES]);
	unsigned int width;
	/* Columns with a higher one are left out first; 0: never. Those with 1 only to make room
	 * for a name of the usual width. */
	unsigned int rank;
} top_columns[TOP_COLUMNS_COUNT];

/* "p99". 0, or -EINVAL with a sentence. */
int top_column__parse(const char *name, enum top_column *column, struct error *err);

/*
 * Below 0: `one` comes before `other`. The largest number is the first, and names are in the order
 * of the alphabet; with `is_inverted` the other way around. "(other)" is always the last one.
 */
int top_column__compare(enum top_column column, bool is_inverted, const struct top_row *one,
			const struct top_row *other);

#endif
