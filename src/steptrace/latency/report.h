/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of durations as text for people, or as JSON lines for programs.
 *
 *	COMMAND  STEP                COUNT  FAILED     P50     P99     MAX     SUM  OPEN  OLDEST
 *	triage   FragmentCreateStep    120       0  468 us  712 us  1.2 ms   57 ms     1  4m 02s
 *	(other)                          3       0     ...
 *
 * With --breakdown there are four more columns, CPU, RUNNABLE, BLOCKED and WAITS FOR. On a terminal
 * that is too narrow, columns are left out: first P90, P99.9, RATE/s, SHARE and RUNNABLE, then SUM
 * and the rest of the breakdown, and MAX. A file or pipe gets all columns.
 */
#ifndef STEPTRACE_LATENCY_REPORT_H
#define STEPTRACE_LATENCY_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/latency/row_keys.h"
#include "steptrace/latency/table.h"
#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/json.h"
#include "steptrace/stream/text_line.h"

struct report {
	const struct row_keys *keys;
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC; when the values were collected */
	struct clock_anchor *clock;
	struct text_style style; /* of text */
	bool has_histograms;     /* of text: each row is followed by its histogram */
	bool has_breakdown;      /* each row says where the time went */
	bool has_open;           /* each row says what is open */
	bool is_open_known;      /* false: it could not be read */
	bool is_open_complete;   /* false: some of it could not be read */
	bool counts_open;        /* of JSON: the durations contain the ages of what is open */
};

/* Appends the whole table. 0, or -ENOMEM: nothing was appended. */
int report__text(struct json *out, const struct report *report, const struct latency_table *table);

/* Appends one JSON object a row, each on a line of its own (docs/schema/latency.row.json). 0, or
 * -ENOMEM: some rows may be missing. */
int report__json(struct json *out, const struct report *report, const struct latency_table *table);

#endif
