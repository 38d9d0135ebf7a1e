// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event.h"

#include <stddef.h>

#define PROBE_INFO(probe, no, name, span, phase, form, event, used)                                \
	[no] = {#name, SPAN_##span, PHASE_##phase, FORM_##form, EVENT_##event, used},
#define EVENT_NAME(kind, writer, name) [EVENT_##kind] = (name),

const struct probe_info probes[] = {STEPTRACE_PROBES(PROBE_INFO)};

const char *const event_names[] = {[EVENT_NONE] = "", STEPTRACE_EVENT_KINDS(EVENT_NAME)};

const char *const loss_names[] = {
	[LOSS_BUFFER_FULL] = "buffer_full",   [LOSS_UNREADABLE] = "unreadable",
	[LOSS_INVALID] = "invalid",           [LOSS_LAYOUT] = "unknown_layout",
	[LOSS_UNATTRIBUTED] = "unattributed", [LOSS_MISSED] = "missed",
	[LOSS_DEGRADED] = "degraded",         [LOSS_NOT_WRITTEN] = "not_written",
	[LOSS_REFUSED] = "refused",
};

_Static_assert(sizeof(loss_names) / sizeof(loss_names[0]) == LOSS_REASONS_COUNT,
	       "a loss has no name");

const char *const blocked_names[] = {
	[BLOCKED_DISK] = "disk",   [BLOCKED_LOCK] = "lock", [BLOCKED_NETWORK] = "network",
	[BLOCKED_SLEEP] = "sleep", [BLOCKED_PIPE] = "pipe", [BLOCKED_OTHER] = "other",
};

_Static_assert(sizeof(blocked_names) / sizeof(blocked_names[0]) == BLOCKED_KINDS_COUNT,
	       "a kind of blocking has no name");

#define NAME_OF(table, number)                                                                     \
	((number) < sizeof(table) / sizeof((table)[0]) ? (table)[number] : NULL)

const char *outcome__name(unsigned int outcome)
{
	static const char *const names[] = {NULL,      "success", "failure",
					    "skipped", "aborted", "cancelled"};

	return NAME_OF(names, outcome);
}

const char *error_category__name(unsigned int category)
{
	static const char *const names[] = {NULL,         "general",   "timeout",    "memory",
					    "permission", "not_found", "validation", "network",
					    "database",   "cancelled", "limit"};

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
	    __builtin_add_overflow(sum, command->steps_aborted, &sum) ||
	    __builtin_add_overflow(sum, command->steps_cancelled, &sum) ||
	    __builtin_add_overflow(sum, event->steps_aborted, &sum))
		return UINT64_MAX;
	return sum;
}

bool event__has_failed(const struct event *event)
{
	unsigned int outcome =
		event->kind == EVENT_STEP_EXECUTED ? event->step->outcome : event->command->outcome;

	return event->termination || outcome == OUTCOME_FAILURE || outcome == OUTCOME_ABORTED;
}

bool event__queued_ns(const struct event *event, uint64_t *ns)
{
	const struct command_span *command = event->command;

	return command->queue[0] && command->enqueued_at_ns &&
	       !__builtin_sub_overflow(event->realtime_ns, command->enqueued_at_ns, ns);
}

bool event__was_suspended(const struct event *event)
{
	bool can_be = event->kind == EVENT_STEP_EXECUTED || event->kind == EVENT_COMMAND_COMPLETED;

	return can_be && event->head->flags & SPAN_SUSPENDED;
}

uint64_t event__suspended_ns(const struct event *event)
{
	if (!event__was_suspended(event))
		return 0;
	return event->kind == EVENT_STEP_EXECUTED ? event->step->suspended_ns
						  : event->command->suspended_ns;
}

bool event__duration_ns(const struct event *event, uint64_t *ns)
{
	const struct span_head *head = event->head;

	if (head->start_ns == 0 || head->end_ns < head->start_ns)
		return false;
	*ns = head->end_ns - head->start_ns;
	if (*ns > event->record->time_ns) /* longer than the machine has been up */
		return false;
	return !__builtin_sub_overflow(*ns, event__suspended_ns(event), ns);
}

/* Whether the parts add up to the whole: without one that is larger, and an overflow. */
static bool adds_up(const struct steptrace_cpu *cpu)
{
	uint64_t left = cpu->threads_ns;

	if (__builtin_sub_overflow(left, cpu->on_cpu_ns, &left) ||
	    __builtin_sub_overflow(left, cpu->runnable_ns, &left))
		return false;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		if (__builtin_sub_overflow(left, cpu->blocked_ns[kind], &left))
			return false;
	return left == 0;
}

/* The kernel read the stamps of the span before the record was made: the runner could have changed
 * them meanwhile. A command may have several threads. */
const struct steptrace_cpu *event__cpu(const struct event *event)
{
	const struct steptrace_cpu *cpu = event->cpu;
	uint64_t ns;

	if (!cpu || event->termination || event__was_suspended(event) ||
	    !event__duration_ns(event, &ns) || !adds_up(cpu))
		return NULL;
	if (event->kind == EVENT_STEP_EXECUTED ? cpu->threads_ns != ns : cpu->threads_ns < ns)
		return NULL;
	return cpu;
}
