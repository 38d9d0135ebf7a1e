/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of a file or of a perf map, by address.
 *
 * A function that has no size ends where the next one begins. Where several names have the same
 * address, the one of the highest rank is used; of equal ranks the one with the fewest underscores
 * in front, and then the shortest. Where ranges overlap, the one that begins last is used.
 */
#ifndef STEPTRACE_FUNCTION_TABLE_H
#define STEPTRACE_FUNCTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct function {
	uint64_t start, end; /* `end` is the first address after it; equal to `start`: no size */
	const char *name;    /* borrowed */
	uint32_t rank;
};

/* Starts zeroed. */
struct function_table {
	struct function *items; /* owned */
	size_t count, room;
};

/* 0 or -ENOMEM. */
int function_table__add(struct function_table *table, const struct function *function);
/* Call it after the last function__add() and before the first function__find(). */
void function_table__sort(struct function_table *table);
/* NULL: the address is in no function. */
const struct function *function_table__find(const struct function_table *table, uint64_t address);
void function_table__free(struct function_table *table);

#endif
