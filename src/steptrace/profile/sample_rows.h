/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples added up: a row for each combination of command, step, stack and state.
 */
#ifndef STEPTRACE_PROFILE_SAMPLE_ROWS_H
#define STEPTRACE_PROFILE_SAMPLE_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* Numbers of interned texts and stacks; 0 is a number like any other. */
struct sample_key {
	uint32_t command;
	uint32_t step;
	uint32_t stack;
	uint32_t state; /* enum stack_state */
};

struct sample_sum {
	struct sample_key key;
	uint64_t samples_count;
	uint64_t time_ns;
};

struct sample_rows;

/* At most `limit` rows. NULL: no memory. */
struct sample_rows *sample_rows__new(size_t limit);
void sample_rows__free(struct sample_rows *rows); /* also NULL */

/* Adds to the row with the key of `sum`. 0 or -ENOMEM, also where it would be one row too many. */
int sample_rows__add(struct sample_rows *rows, const struct sample_sum *sum);

/* The next row; the first one where `previous` is NULL; NULL behind the last one. */
const struct sample_sum *sample_rows__next(const struct sample_rows *rows,
					   const struct sample_sum *previous);

size_t sample_rows__count(const struct sample_rows *rows);

/* The memory of a row, about. */
enum { SAMPLE_ROW_BYTES = 112 };

#endif
