/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Durations by row: which ones, how many, and how long they took.
 *
 *	event -> row_keys -> table__add -> rows, in any order -> table__sorted
 *
 * The number of rows is limited. Values for which no row is left go into the row `other`.
 */
#ifndef STEPTRACE_LATENCY_TABLE_H
#define STEPTRACE_LATENCY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/latency/cpu_sums.h"
#include "steptrace/latency/histogram.h"
#include "steptrace/latency/open_set.h"

/* A row holds what ended, and what is open. */
struct latency_row {
	const char *key; /* values, each with its zero behind it; of `other` NULL */
	size_t key_bytes;
	struct histogram durations;
	uint64_t count;    /* ended, with a known duration or without */
	uint64_t untimed;  /* of these, without a known duration */
	uint64_t failures; /* of these, with outcome failure or aborted */
	struct cpu_sums cpu;
	uint64_t open;           /* how many are open */
	uint64_t oldest_open_ns; /* how long the oldest of these has been open */
	bool is_oldest_known;    /* false: an open one may be older than that */
	uint64_t time_ns;        /* of what ended and what is open: rows are in this order */
};

/* What ended. */
struct latency_value {
	bool is_timed; /* its duration is known */
	bool has_failed;
	uint64_t duration_ns;
	const struct steptrace_cpu *cpu; /* NULL: not measured */
};

struct latency_table;

/* NULL: no memory. `limit` is at least 1. */
struct latency_table *latency_table__new(size_t limit);
void latency_table__free(struct latency_table *table);

/* Adds a value to the row of this key; the key is copied. 0, or -ENOMEM: the value is not in the
 * table, and is counted as lost (latency_table__lost). */
int latency_table__add(struct latency_table *table, const char *key, size_t key_bytes,
		       const struct latency_value *value);

/* Adds a command or step that is open. With `in_durations` its age is one of the durations,
 * unless it has ended, or nothing is known of its age. Errors as above. */
int latency_table__add_open(struct latency_table *table, const char *key, size_t key_bytes,
			    const struct open_value *value, bool in_durations);

/*
 * All rows that have values, by the sum of their durations and of the ages of what is open, the
 * largest first; `other` is the last one. Sets *count. The array is the caller's to free; the rows
 * are the table's, valid until the next change. NULL: no memory.
 */
const struct latency_row **latency_table__sorted(const struct latency_table *table, size_t *count);

/* The values of all rows together: `total` is the caller's to clear (histogram__clear). 0 or
 * -ENOMEM. */
int latency_table__total(const struct latency_table *table, struct latency_row *total);

/* How many values were lost because there was no memory. */
uint64_t latency_table__lost(const struct latency_table *table);

/* How much memory the rows have. */
size_t latency_table__bytes(const struct latency_table *table);

/* Removes all rows. */
void latency_table__clear(struct latency_table *table);

#endif
