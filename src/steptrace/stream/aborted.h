/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said of an execution whose process went away: its open steps, innermost first, and that
 * the command was aborted. Nothing in the process could have said it. Pure.
 *
 * Only what is certain is said: where the end of a step or command may be among the records that
 * were lost, it is not claimed that there was none.
 *
 * Durations run from the kernel's stamp of the beginning to the process's end; a command whose
 * beginning was not seen has none.
 */
#ifndef STEPTRACE_ABORTED_H
#define STEPTRACE_ABORTED_H

#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/termination.h"

typedef void aborted_fn(void *context, const struct event *event);

/* Up to when the end of a step, of a command, may have been lost: 0 for never. */
struct abort_doubt {
	uint64_t steps_until_ns, command_until_ns;
};

/* Calls `each` with one event for each open step, then with the command's. Uses up the spans that
 * `execution` keeps. */
void aborted__tell(struct execution *execution, const struct termination *termination,
		   const struct abort_doubt *doubt, aborted_fn *each, void *context);

#endif
