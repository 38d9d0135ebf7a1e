// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/resume.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/held_executions.h"

struct resume {
	struct held_executions *executions; /* owned */
	struct recording_from next;         /* behind the last event */
};

struct resume *resume__new(void)
{
	struct resume *resume = calloc(1, sizeof(*resume));

	if (!resume)
		return NULL;
	resume->executions = held_executions__new();
	if (resume->executions)
		return resume;
	free(resume);
	return NULL;
}

void resume__free(struct resume *resume)
{
	if (!resume)
		return;
	held_executions__free(resume->executions);
	free(resume);
}

static int open_execution(struct resume *resume, const struct recorded_event *event)
{
	struct held_execution *execution =
		held_executions__open(resume->executions, event->execution_id);

	if (!execution)
		return -ENOMEM;
	execution->first = event->place;
	if (held_executions__open_count(resume->executions) > HELD_EXECUTIONS_MAX)
		held_executions__end(resume->executions,
				     held_executions__oldest(resume->executions));
	return 0;
}

/* An id that ended can be used again. What comes after an end without a start belongs to it. */
static bool is_first(const struct held_execution *execution, const struct recorded_event *event)
{
	return !execution || (!execution->is_open && event->kind == RECORDED_COMMAND_STARTED);
}

int resume__event(struct resume *resume, const struct recorded_event *event)
{
	struct held_execution *execution;

	resume->next = (struct recording_from){
		.part = event->place.file_index + 1,
		.byte = event->place.byte + event->place.line_bytes + 1,
	};
	if (!recorded_event__is_of_runner(event) || !event->execution_id.bytes ||
	    event->kind == RECORDED_VALIDATION_FAILED)
		return 0;
	execution = held_executions__find(resume->executions, event->execution_id);
	if (event->kind != RECORDED_COMMAND_COMPLETED)
		return is_first(execution, event) ? open_execution(resume, event) : 0;
	if (execution && execution->is_open)
		held_executions__end(resume->executions, execution);
	return 0;
}

struct recording_from resume__now(const struct resume *resume)
{
	const struct held_execution *oldest = held_executions__oldest(resume->executions);

	if (!oldest)
		return resume->next;
	return (struct recording_from){oldest->first.file_index + 1, oldest->first.byte};
}
