// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/aborted.h"

#include <string.h>

static void make_step_event(const struct execution *execution, struct open_step *step,
			    const struct termination *termination, aborted_fn *each, void *context)
{
	struct span_head *head = &step->span.child.head;
	struct event event = {
		.kind = EVENT_STEP_EXECUTED,
		.record = &step->record,
		.execution = execution,
		.head = head,
		.termination = termination,
	};

	head->start_ns = step->record.time_ns;
	head->end_ns = termination->record.time_ns;
	head->flags &= ~(uint32_t)SPAN_SUSPENDED; /* not known before the span ends by itself */
	step->record.time_ns = termination->record.time_ns;
	step->span.outcome = OUTCOME_ABORTED;
	step->span.mutations_count = 0;
	each(context, &event);
}

static void make_command_event(struct execution *execution, struct event *event, aborted_fn *each,
			       void *context)
{
	struct command_span *command = &execution->command;

	if (execution->began_ns)
		command->head.start_ns = execution->began_ns;
	command->head.end_ns = event->termination->record.time_ns;
	command->outcome = OUTCOME_ABORTED;
	command->steps_successful = execution->steps_seen[OUTCOME_SUCCESS];
	command->steps_failed = execution->steps_seen[OUTCOME_FAILURE];
	command->steps_skipped = execution->steps_seen[OUTCOME_SKIPPED];
	command->steps_aborted = execution->steps_seen[OUTCOME_ABORTED];
	command->steps_cancelled = execution->steps_seen[OUTCOME_CANCELLED];
	command->head.flags &= ~(uint32_t)SPAN_SUSPENDED;
	event->head = &command->head;
	each(context, event);
}

void aborted__make_events(struct execution *execution, const struct termination *termination,
			  const struct lost_ends *lost, aborted_fn *each, void *context)
{
	struct event event = {
		.kind = EVENT_COMMAND_COMPLETED,
		.record = &termination->record,
		.execution = execution,
		.termination = termination,
	};

	event.complete = execution->start_seen && execution->known_ns > lost->steps_until_ns &&
			 !execution->open.is_cut;
	event.steps_lost_known = event.complete;
	for (struct open_step *step = execution->open.newest; step; step = step->older) {
		if (step->record.time_ns <= lost->steps_until_ns)
			continue;
		if (event.steps_aborted++ == 0)
			event.innermost = &step->span;
		make_step_event(execution, step, termination, each, context);
	}
	if (event.steps_aborted || execution->last_ns > lost->commands_until_ns)
		make_command_event(execution, &event, each, context);
}
