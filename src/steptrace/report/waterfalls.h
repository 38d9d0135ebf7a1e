/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slowest executions with their steps.
 *
 * Steps come before the end of their execution, which says how long it took. So the steps of open
 * executions are held, WATERFALL_STEPS_MAX of all executions together; when there are more, those
 * of the execution that began to be held first are dropped. An execution that has lost steps in
 * this way is listed with fewer steps than it executed.
 */
#ifndef STEPTRACE_REPORT_WATERFALLS_H
#define STEPTRACE_REPORT_WATERFALLS_H

#include "steptrace/report/rows.h"

enum {
	WATERFALL_STEPS_MAX = 1 << 18,
	WATERFALL_STEPS_OF_ONE = 200, /* further ones are left out */
	WATERFALL_EXECUTIONS_MAX = 1 << 14,
	WATERFALL_ID_BYTES = 64,
};

struct waterfall_step {
	const struct report_row *row; /* of its command, type and name */
	uint64_t end_ns;              /* timestamp; 0: not known */
	uint64_t duration_ns;
	bool is_timed;
	uint8_t outcome;
	uint16_t depth;
};

struct waterfall {
	char execution_id[WATERFALL_ID_BYTES + 1];
	const struct report_row *command;
	uint64_t end_ns, duration_ns;
	uint64_t steps_executed; /* as the command says it */
	uint8_t outcome;
	struct waterfall_step *steps; /* in the order in which they ended; owned */
	uint32_t steps_count, room;
	struct waterfall *next, *older, *newer; /* internal */
	uint64_t hash;                          /* internal */
};

struct waterfalls;

/* Keeps the `limit` slowest executions. NULL: no memory. */
struct waterfalls *waterfalls__new(size_t limit);
void waterfalls__free(struct waterfalls *waterfalls);

/* A step and the end of an execution. 0 or -ENOMEM. */
int waterfalls__step(struct waterfalls *waterfalls, const struct recorded_event *event,
		     const struct report_row *row);
int waterfalls__end(struct waterfalls *waterfalls, const struct recorded_event *event,
		    const struct report_row *row);

/* The slowest ones, the slowest first. Valid until the next change. */
struct waterfall *const *waterfalls__slowest(const struct waterfalls *waterfalls, size_t *count);

/* When the step began, after the begin of the execution; 0 if that is not known. */
uint64_t waterfall__start_ns(const struct waterfall *waterfall, const struct waterfall_step *step);

#endif
