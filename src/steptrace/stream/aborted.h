/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of an execution that was open when its process ended: one for each open step, the
 * innermost first, then one for the command, all with the outcome "aborted". The process is gone
 * and cannot report them itself.
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
