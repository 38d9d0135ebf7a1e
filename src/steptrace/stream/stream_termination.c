// SPDX-License-Identifier: BSD-2-Clause
/* Commands that end without a record of their end: their process ended, or a filter dropped it. */
#include "steptrace/stream/aborted.h"
#include "steptrace/stream/stream_private.h"

/* No probe was hit for this event, so it is no loss where it cannot be written. */
static void write_aborted(void *context, const struct event *event)
{
	struct stream *stream = context;
	uint64_t ns;

	if (event__duration_ns(event, &ns) && ns < stream->options.min_duration_ns)
		return;
	if (stream__limit_reached(stream) || stream__write_line(stream, event))
		return;
	stream->counts.aborted[event->kind]++;
	stream->aborted_total++;
	stream->events_total++;
}

static struct lost_ends lost_ends_of(const struct stream *stream, const struct execution *execution)
{
	struct lost_ends lost = {
		.steps_until_ns = stream__lost_until_ns(stream, PROBE_STEP_DONE,
							execution->steps_lost_before),
		.commands_until_ns = stream__lost_until_ns(stream, PROBE_COMMAND_DONE,
							   execution->ends_lost_before),
	};

	if (stream->options.step_starts_left_out)
		lost.steps_until_ns = UINT64_MAX;
	return lost;
}

static void abort_execution(struct stream *stream, struct execution *execution,
			    const struct termination *termination)
{
	const struct lost_ends lost = lost_ends_of(stream, execution);

	if (!execution->continued_by_fork)
		aborted__make_events(execution, termination, &lost, write_aborted, stream);
	executions__remove(stream->open, execution);
}

void stream__abort_process(struct stream *stream, const struct termination *termination)
{
	struct execution *execution, *next;

	execution = executions__of_process(stream->open, termination->record.pid, NULL);
	for (; execution; execution = next) {
		next = executions__of_process(stream->open, termination->record.pid, execution);
		abort_execution(stream, execution, termination);
	}
}

void stream__command_closed(struct stream *stream, const struct command_closed *closed)
{
	struct execution *execution =
		executions__find(stream->open, closed->record.pid, closed->execution_id);

	if (execution)
		stream__close_execution(stream, execution);
}
