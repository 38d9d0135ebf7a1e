// SPDX-License-Identifier: BSD-2-Clause
/* Commands that end without a record of their end: their process ended, or a filter dropped it. */
#include <string.h>

#include "steptrace/stream/aborted.h"
#include "steptrace/stream/stream_private.h"

/* No probe was hit for this event, so it is no loss where it cannot be written. */
static void write_aborted(void *context, const struct event *event)
{
	struct stream *stream = context;
	struct event told = *event;
	uint64_t ns;

	told.has_breakdown = stream->options.has_breakdown;
	if (event__duration_ns(event, &ns) && ns < stream->options.min_duration_ns)
		return;
	if (!stream__limit_reached(stream))
		stream__tell(stream, &told, event->member->execution);
}

static struct abortion abortion_of(struct stream *stream, const struct member *member,
				   const struct termination *termination)
{
	struct execution *execution = member->execution;
	struct abortion abortion = {
		.execution = execution,
		.member = member,
		.termination = termination,
		.steps_lost_until_ns = stream__lost_until_ns(stream, PROBE_STEP_DONE,
							     execution->steps_lost_before),
		.commands_lost_until_ns = stream__lost_until_ns(stream, PROBE_COMMAND_DONE,
								execution->ends_lost_before),
		.each = write_aborted,
		.context = stream,
	};

	if (stream->options.step_starts_left_out)
		abortion.steps_lost_until_ns = UINT64_MAX;
	return abortion;
}

/* A child that was forked after the command began may go on with it. The first one also gets the
 * steps that the process has open. */
static void add_heirs(struct stream *stream, const struct member *member,
		      const struct termination *termination)
{
	struct execution *execution = member->execution;

	for (size_t i = 0; i < termination->heirs_count; i++) {
		const struct process_heir *heir = &termination->heirs[i];
		struct member *added;

		if (heir->started_ns <= execution->began_ns)
			continue;
		open_steps__hand_over(&execution->open, member->pid, heir->pid, heir->started_ns);
		if (executions__find(stream->open, heir->pid, execution->id))
			continue;
		added = executions__join(stream->open, execution, heir->pid);
		if (!added) {
			execution->members_left_out = true;
			return;
		}
		memcpy(added->json, member->json, sizeof(added->json));
		added->json_bytes = member->json_bytes;
	}
}

/*
 * Whether it is certain that the command was aborted. If its start was not seen and a fork exits,
 * the process that began the command may be a living parent. A rejection after the start is an end;
 * runners with an older header report no other.
 */
static bool is_surely_aborted(const struct execution *execution,
			      const struct termination *termination)
{
	if (execution->end_told || execution->rejected || execution->members_left_out)
		return false;
	return execution->start_seen || !termination->is_fork ||
	       termination->cause != TERMINATION_EXITED;
}

/* The last process of the execution ended. */
static void end_command(struct stream *stream, struct abortion *abortion)
{
	struct execution *execution = abortion->execution;

	if (is_surely_aborted(execution, abortion->termination)) {
		aborted__end_command(abortion);
		stream__remember_aborted(stream, execution->id);
	}
	stream__remove(stream, execution);
}

static void end_member(struct stream *stream, struct member *member,
		       const struct termination *termination)
{
	struct execution *execution = member->execution;
	struct abortion abortion = abortion_of(stream, member, termination);

	if (termination->cause == TERMINATION_EXITED)
		add_heirs(stream, member, termination);
	aborted__end_steps(&abortion);
	open_steps__end_process(&execution->open, executions__steps_store(stream->open),
				member->pid);
	if (execution->members.count == 1)
		end_command(stream, &abortion);
	else
		members__remove(executions__members(stream->open), member);
}

void stream__abort_process(struct stream *stream, const struct termination *termination)
{
	const struct members *members = executions__members(stream->open);
	struct member *member, *next;

	member = members__of_process(members, termination->record.pid, NULL);
	for (; member; member = next) {
		next = members__of_process(members, termination->record.pid, member);
		end_member(stream, member, termination);
	}
}

void stream__command_closed(struct stream *stream, const struct command_closed *closed)
{
	struct member *member =
		executions__find(stream->open, closed->record.pid, closed->execution_id);
	struct execution *execution =
		member ? member->execution
		       : executions__find_to_join(stream->open, closed->execution_id, closed->uid,
						  closed->parent_pid);

	if (execution)
		stream__remove(stream, execution);
}
