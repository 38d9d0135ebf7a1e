// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/aborted.h"

#include <string.h>

static void make_step_event(const struct abortion *abortion, struct begun_step *step)
{
	const struct termination *termination = abortion->termination;
	struct span_head *head = &step->span.child.head;
	struct event event = {
		.kind = EVENT_STEP_EXECUTED,
		.record = &step->record,
		.execution = abortion->execution,
		.member = abortion->member,
		.head = head,
		.termination = termination,
	};

	head->start_ns = step->record.time_ns;
	head->end_ns = termination->record.time_ns;
	head->flags &= ~(uint32_t)SPAN_SUSPENDED; /* not known before the span ends by itself */
	step->record.time_ns = termination->record.time_ns;
	step->span.outcome = OUTCOME_ABORTED;
	step->span.mutations_count = 0;
	abortion->each(abortion->context, &event);
}

void aborted__end_steps(struct abortion *abortion)
{
	struct execution *execution = abortion->execution;

	for (struct begun_step *step = execution->open.newest; step; step = step->older) {
		if (step->record.pid != abortion->member->pid ||
		    step->record.time_ns <= abortion->steps_lost_until_ns)
			continue;
		if (abortion->open_steps++ == 0)
			abortion->innermost = step->span;
		make_step_event(abortion, step);
	}
	execution->steps_aborted += abortion->open_steps;
}

static void fill_in_span(struct execution *execution, const struct termination *termination)
{
	struct command_span *command = &execution->command;

	if (execution->began_ns)
		command->head.start_ns = execution->began_ns;
	command->head.end_ns = termination->record.time_ns;
	command->outcome = OUTCOME_ABORTED;
	command->steps_successful = execution->steps_seen[OUTCOME_SUCCESS];
	command->steps_failed = execution->steps_seen[OUTCOME_FAILURE];
	command->steps_skipped = execution->steps_seen[OUTCOME_SKIPPED];
	command->steps_aborted = execution->steps_seen[OUTCOME_ABORTED];
	command->steps_cancelled = execution->steps_seen[OUTCOME_CANCELLED];
	command->head.flags &= ~(uint32_t)SPAN_SUSPENDED;
}

void aborted__end_command(struct abortion *abortion)
{
	struct execution *execution = abortion->execution;
	bool complete = execution->start_seen && !execution->open.is_cut &&
			execution->known_ns > abortion->steps_lost_until_ns;
	struct event event = {
		.kind = EVENT_COMMAND_COMPLETED,
		.record = &abortion->termination->record,
		.execution = execution,
		.member = abortion->member,
		.head = &execution->command.head,
		.termination = abortion->termination,
		.steps_aborted = execution->steps_aborted,
		.open_steps = abortion->open_steps,
		.innermost = abortion->open_steps ? &abortion->innermost : NULL,
		.complete = complete,
		.steps_lost_known = complete,
	};

	if (!abortion->open_steps && execution->last_ns <= abortion->commands_lost_until_ns)
		return;
	fill_in_span(execution, abortion->termination);
	abortion->each(abortion->context, &event);
}
