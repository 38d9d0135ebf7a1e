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

/* The record of an end may have been lost up to these times (CLOCK_MONOTONIC); 0: none was lost. */
struct lost_ends {
	uint64_t steps_until_ns, commands_until_ns;
};

/*
 * Calls `each` with one event for each open step, then with that of the command. The events point
 * into `execution`, whose spans are changed for them: remove it afterwards.
 */
void aborted__make_events(struct execution *execution, const struct termination *termination,
			  const struct lost_ends *lost, aborted_fn *each, void *context);

#endif
