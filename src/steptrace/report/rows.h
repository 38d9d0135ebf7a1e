/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of a report: rows by key. Counts and sums are exact, percentiles come from histograms.
 *
 * The number of rows is limited. What has no row is added to the row `other`, whose key is NULL.
 */
#ifndef STEPTRACE_REPORT_ROWS_H
#define STEPTRACE_REPORT_ROWS_H

#include "steptrace/latency/histogram.h"
#include "steptrace/recording/recorded_event.h"

enum { REPORT_NUMBERS = 5, REPORT_KEY_TEXTS = 4, REPORT_KEY_TEXT_BYTES = 200 };

struct report_row {
	const char *key; /* its texts, each with its zero behind it */
	size_t key_bytes;
	uint64_t hash;
	uint64_t count;
	uint64_t outcomes[RECORDED_OUTCOMES_COUNT];
	uint64_t untimed;                 /* of count: without a duration */
	uint64_t numbers[REPORT_NUMBERS]; /* what they count: see the section */
	uint64_t first_ns, last_ns;       /* timestamps; last_ns is 0 where no event had one */
	struct histogram durations;
};

/* A key. Longer texts are truncated to REPORT_KEY_TEXT_BYTES bytes. */
struct report_key {
	size_t bytes;
	char text[REPORT_KEY_TEXTS * (REPORT_KEY_TEXT_BYTES + 1)];
};

/* Appends a text; one that the line does not have is empty. At most REPORT_KEY_TEXTS. */
void report_key__add(struct report_key *key, struct recorded_text text);

struct report_rows;

/* NULL: no memory. */
struct report_rows *report_rows__new(size_t limit);
void report_rows__free(struct report_rows *rows);

/* The row of this key. NULL: no memory. */
struct report_row *report_rows__at(struct report_rows *rows, const struct report_key *key);

/* The rows by count, the largest first; `other`, if it has values, is the last. The array is the
 * caller's to free. NULL: no memory. */
struct report_row **report_rows__sorted(const struct report_rows *rows, size_t *count);

/* Notes when an event happened that the row counts. */
void report_row__see(struct report_row *row, const struct recorded_event *event);

/* The texts of the key, one after the other; "" where there are no more, and of `other`. */
const char *report_row__text(const struct report_row *row, size_t index);

#endif
