/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of an execution that wait until it is known whether the execution is written (--whole).
 *
 *	store -> oldest execution <-> ... <-> newest	in the order of their first lines
 *	execution -> block -> block -> NULL
 *	block	 mark, length, text, mark, length, te|xt, ...
 *
 * Blocks have one size. What the store counts is the memory that the blocks take from the heap, so
 * its limit is exact, whatever the lengths of the lines are.
 */
#ifndef STEPTRACE_HELD_LINES_H
#define STEPTRACE_HELD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/lines.h"

/* What malloc() takes for a block, with its own header. */
enum { HELD_BLOCK_BYTES = 1024 };

struct held_block;

/* How many lines of each kind there are. */
struct held_counts {
	uint64_t events[EVENT_KINDS_COUNT]; /* of hits of a probe */
	uint64_t aborted[EVENT_KINDS_COUNT];
};

/* Of one execution. A zeroed struct has no lines. */
struct held_lines {
	struct held_block *first, *last;
	size_t blocks_count;
	size_t last_bytes; /* in use, of the last block */
	size_t text_bytes, lines_count;
	struct held_counts counts;
	bool is_queued;
	struct held_lines *older, *newer; /* in the store */
};

/* Zeroed but for the limit: an empty store. */
struct held_store {
	size_t limit_bytes;
	size_t bytes;    /* of all blocks; never more than the limit */
	uint64_t events; /* lines that stand for hits of probes */
	struct held_lines *oldest, *newest;
};

/* Adds copies of all lines of `from`. 0, or -ENOSPC (the limit) or -ENOMEM: nothing has changed. */
int held_lines__add(struct held_lines *held, struct held_store *store, const struct lines *from);

/* Moves all lines to the end of `to`. 0, or -ENOMEM: nothing has changed. */
int held_lines__move(struct held_lines *held, struct held_store *store, struct lines *to);

/* Drops all lines. */
void held_lines__clear(struct held_lines *held, struct held_store *store);

#endif
