/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on their way from the stream to the outputs, shared by all of them.
 *
 *	lines  {"event":"dsl.step.executed",...}\n{"event":"command.execution.completed",...}\n
 *	kinds  EVENT_STEP_EXECUTED               EVENT_COMMAND_COMPLETED
 *
 * Nobody changes a batch any more; who is done with it lets it go.
 */
#ifndef STEPTRACE_BATCH_H
#define STEPTRACE_BATCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream.h"

struct batch {
	struct json lines;
	struct json kinds; /* of each line a byte: who is lost when it is not written */
	atomic_int users;
};

/* Takes the stream's lines, of which it has none then, with one user. NULL: no memory, and they stay. */
struct batch *batch__take(struct stream *stream);

void batch__hold(struct batch *batch);
void batch__let_go(struct batch *batch);

/* What it takes of the memory. */
size_t batch__bytes(const struct batch *batch);

/* Lines by kind. */
struct line_counts {
	uint64_t events[EVENT_KINDS_COUNT];
	uint64_t aborted[EVENT_KINDS_COUNT];
};

/* Adds those that lie behind the first `bytes`, which end with a whole line. */
void batch__count(const struct batch *batch, size_t bytes, struct line_counts *counts);

void line_counts__add(struct line_counts *sum, const struct line_counts *counts);
uint64_t line_counts__total(const struct line_counts *counts);

/* Lines that are missing at one place of an output, and between when. */
struct gap {
	struct line_counts lost;
	uint64_t since_ns, until_ns;
};

void gap__add(struct gap *gap, const struct line_counts *lost, uint64_t since_ns,
	      uint64_t until_ns);
/* The lines of the batch behind its first `from` bytes; returns how many runners' events they are. */
uint64_t gap__add_batch(struct gap *gap, const struct batch *batch, size_t from, uint64_t now_ns);

#endif
