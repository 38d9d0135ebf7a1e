/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of steps and commands that a process left open when it ended, all with the outcome
 * "aborted". The process is gone and cannot report them itself.
 *
 * A process that ends inside a step aborts that step, the innermost first. If it was the last
 * process of the execution, the command follows.
 *
 * An event is made only if it is certain. If the record of an end may have been lost, the step or
 * command may have ended normally, and no event is made for it.
 *
 * A duration is the time from the start record to the end of the process. A command whose start was
 * not seen has no duration.
 */
#ifndef STEPTRACE_ABORTED_H
#define STEPTRACE_ABORTED_H

#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/termination.h"

typedef void aborted_fn(void *context, const struct event *event);

/* One process of one execution ended. */
struct abortion {
	struct execution *execution;
	const struct member *member; /* the process */
	const struct termination *termination;
	/* The record of an end may have been lost up to these times (CLOCK_MONOTONIC); 0: none. */
	uint64_t steps_lost_until_ns, commands_lost_until_ns;
	aborted_fn *each;
	void *context;

	/* Zeroed before; aborted__end_steps fills them in for aborted__end_command. */
	uint64_t open_steps;
	struct step_span innermost; /* the open step that began last */
};

/* Calls `each` with one event for each open step of the process. The spans of the steps are changed
 * for that: remove the steps afterwards. */
void aborted__end_steps(struct abortion *abortion);

/* Calls `each` with the event of the command, whose span is changed for that. */
void aborted__end_command(struct abortion *abortion);

#endif
