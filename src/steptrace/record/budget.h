/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracer's processor time, kept under a limit (--max-cpu): from window to window, which level of
 * detail can be afforded. Pure: time, load and use are told.
 *
 *	level 0			everything
 *	1 .. 6			steps, tools and fragments of one execution in 2, 4 .. 64; all commands
 *	BUDGET_COMPLETED	completed and rejected commands only
 *	BUDGET_COUNTS		nothing; the kernel counts
 *
 * What a record costs is learned from the records that were read. What a level would cost is that,
 * times the boundaries that were hit, which the kernel counts at every level. So the first window
 * over the limit is followed by the level that fits, and the way back is taken when the load is
 * really less, not by trying.
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

/* What happened since the window before. */
struct budget_window {
	uint64_t ns;
	uint64_t cpu_ns;  /* of the tracer */
	uint64_t records; /* that it read */
	uint64_t hits[PROBES_COUNT];
};

struct budget {
	double max_share;   /* of one processor; 0: there is no limit */
	unsigned int level; /* 0 .. BUDGET_LEVELS - 1 */
	double record_ns;   /* learned: the cost of one */
	double share;       /* of the last window */
	uint64_t calm_ns;   /* for how long less would have been enough */
};

/* Takes a window into account; true when the level changed. */
bool budget__next(struct budget *budget, const struct budget_window *window);

/* "all", "steps_sampled", "completed_only", "counts_only" */
const char *budget__level_name(unsigned int level);
/* For a person: "all events", "steps of 1 in 8 executions", "completed commands only", "counts only" */
void budget__describe(unsigned int level, char text[64]);
/* Of how many executions one keeps its steps: 1, 2 .. 64; 0: none does. */
uint32_t budget__sample_every(unsigned int level);
/* A bit for each probe that a level leaves out altogether. */
uint32_t budget__probes_left_out(unsigned int level);

#endif
