// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event.h"

#include <stddef.h>

const struct probe_info probes[] = {
	[PROBE_COMMAND_START] = {"command__start", EVENT_COMMAND_STARTED, true},
	[PROBE_COMMAND_DONE] = {"command__done", EVENT_COMMAND_COMPLETED, true},
	[PROBE_COMMAND_REJECTED] = {"command__rejected", EVENT_VALIDATION_FAILED, true},
	[PROBE_STEP_START] = {"step__start", EVENT_NONE, true},
	[PROBE_STEP_DONE] = {"step__done", EVENT_STEP_EXECUTED, true},
	[PROBE_TOOL_START] = {"tool__start", EVENT_NONE, false},
	[PROBE_TOOL_DONE] = {"tool__done", EVENT_TOOL_COMPLETED, true},
	[PROBE_FRAGMENT_CHANGED] = {"fragment__changed", EVENT_FRAGMENT_CHANGED, true},
};

const char *const event_names[] = {
	[EVENT_NONE] = "",
	[EVENT_COMMAND_STARTED] = "command.execution.started",
	[EVENT_STEP_EXECUTED] = "dsl.step.executed",
	[EVENT_COMMAND_COMPLETED] = "command.execution.completed",
	[EVENT_VALIDATION_FAILED] = "command.validation.failed",
	[EVENT_TOOL_COMPLETED] = "tool.invocation.completed",
	[EVENT_FRAGMENT_CHANGED] = "fragment.changed",
};

const char *const loss_names[] = {
	[LOSS_BUFFER_FULL] = "buffer_full",   [LOSS_UNREADABLE] = "unreadable",
	[LOSS_INVALID] = "invalid",           [LOSS_LAYOUT] = "unknown_layout",
	[LOSS_UNATTRIBUTED] = "unattributed", [LOSS_MISSED] = "missed",
	[LOSS_DEGRADED] = "degraded",         [LOSS_NOT_WRITTEN] = "not_written",
};

_Static_assert(sizeof(probes) / sizeof(probes[0]) == PROBES_COUNT, "a probe has no row");
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == EVENT_KINDS_COUNT,
	       "an event kind has no name");
_Static_assert(sizeof(loss_names) / sizeof(loss_names[0]) == LOSS_REASONS_COUNT,
	       "a loss has no name");

#define NAME_OF(table, number)                                                                     \
	((number) < sizeof(table) / sizeof((table)[0]) ? (table)[number] : NULL)

const char *outcome__name(unsigned int outcome)
{
	static const char *const names[] = {NULL, "success", "failure", "skipped", "aborted"};

	return NAME_OF(names, outcome);
}

const char *error_category__name(unsigned int category)
{
	static const char *const names[] = {NULL,         "general",    "timeout",
					    "memory",     "permission", "not_found",
					    "validation", "network",    "database"};

	return NAME_OF(names, category);
}

const char *ai_cache__name(unsigned int cache)
{
	static const char *const names[] = {NULL, "off", "miss", "hit"};

	return NAME_OF(names, cache);
}

const char *operation__name(unsigned int operation)
{
	static const char *const names[] = {NULL, "created", "updated", "deleted"};

	return NAME_OF(names, operation);
}

uint64_t event__steps_executed(const struct event *event)
{
	const struct command_span *command = event->command;
	uint64_t sum;

	if (__builtin_add_overflow(command->steps_successful, command->steps_failed, &sum) ||
	    __builtin_add_overflow(sum, command->steps_skipped, &sum) ||
	    __builtin_add_overflow(sum, event->steps_aborted, &sum))
		return UINT64_MAX;
	return sum;
}

bool event__duration_ns(const struct event *event, uint64_t *ns)
{
	const struct span_head *head = event->head;

	if (head->start_ns == 0 || head->end_ns < head->start_ns)
		return false;
	*ns = head->end_ns - head->start_ns;
	return *ns <= event->record->time_ns; /* nothing takes longer than the machine is up */
}
