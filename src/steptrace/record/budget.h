/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the tracer's processor time under a limit (--max-cpu): chooses a level of detail for each
 * window of time. Reads no clock and no counter: the caller passes times, load and use.
 *
 *	level 0			everything
 *	1 .. 6			all commands, and the steps, tools and fragments of one execution in
 *				2, 4 .. 64
 *	BUDGET_COMPLETED	completed and rejected commands only
 *	BUDGET_COUNTS		no records; the kernel only counts hits
 *
 * The cost of a record is learned from the records that were read. The cost of a level is that,
 * times the records that it would make of the hits, which the kernel counts at every level. So one
 * window over the limit is enough to find the level that fits. Detail returns when the hits are
 * fewer; the tracer does not have to try a level to learn its cost.
 */
#ifndef STEPTRACE_BUDGET_H
#define STEPTRACE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/record.h"

enum {
	BUDGET_SAMPLES = 6,
	BUDGET_COMPLETED = BUDGET_SAMPLES + 1,
	BUDGET_COUNTS = BUDGET_SAMPLES + 2,
	BUDGET_LEVELS,
};

/* What happened since the last window. */
struct budget_window {
	uint64_t ns;
	uint64_t cpu_ns;  /* processor time of the tracer */
	uint64_t records; /* read by the tracer */
	uint64_t hits[PROBES_COUNT];
};

struct budget {
	double max_share;   /* of one processor; 0: no limit */
	unsigned int level; /* 0 .. BUDGET_LEVELS - 1 */
	double record_ns;   /* the learned cost of one record; 0: nothing learned yet */
	double share;       /* of one processor in the last window */
	uint64_t calm_ns;   /* for how long the load has been low enough for more detail */
};

/* Chooses the level for the next window. True if it changed. */
bool budget__next(struct budget *budget, const struct budget_window *window);

/* "all", "steps_sampled", "completed_only", "counts_only" */
const char *budget__level_name(unsigned int level);
/* As text: "all events", "steps of 1 in 8 executions", "completed commands only", "counts only" */
void budget__describe(unsigned int level, char text[64]);
/* One execution in so many keeps its steps: 1, 2 .. 64; 0: none. */
uint32_t budget__sample_every(unsigned int level);
/* A mask of the probes of which the level drops every record. */
uint32_t budget__probes_left_out(unsigned int level);

#endif
