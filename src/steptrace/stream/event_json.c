// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event_json.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/stream/aborted.h"

#define TEXT(json, field) json__text(json, field, sizeof(field))

static const uint8_t no_id[16];

static bool has_id(const uint8_t id[16])
{
	return memcmp(id, no_id, sizeof(no_id)) != 0;
}

static void put_id(struct json *json, const uint8_t id[16])
{
	json__raw(json, "\"");
	json__uuid(json, id);
	json__raw(json, "\"");
}

static void put_id_or_null(struct json *json, const uint8_t id[16])
{
	if (has_id(id))
		put_id(json, id);
	else
		json__raw(json, "null");
}

/* Where the caller gave no correlation id, the execution id serves as both. */
static void put_ids(struct json *json, const char *correlation_id, size_t bytes,
		    const uint8_t execution_id[16])
{
	json__raw(json, "\"correlation_id\":");
	if (correlation_id[0])
		json__text(json, correlation_id, bytes);
	else
		put_id(json, execution_id);
	json__raw(json, ",\"execution_id\":");
	put_id(json, execution_id);
}

/* The inner pid is said where the process lives in a pid namespace of its own. */
static void put_process(struct json *json, const struct steptrace_process *process, uint32_t pid)
{
	json__raw(json, "\"uid\":");
	json__u64(json, process->uid);
	json__raw(json, ",\"comm\":");
	TEXT(json, process->comm);
	json__raw(json, ",\"cgroup_id\":");
	json__u64(json, process->cgroup_id);
	if (process->inner_pid && process->inner_pid != pid) {
		json__raw(json, ",\"inner_pid\":");
		json__u64(json, process->inner_pid);
	}
}

int event_json__describe(struct execution *execution)
{
	const struct command_span *command = &execution->command;
	char room[EVENT_JSON_BYTES];
	struct json json = {.base = room, .at = room, .limit = room + sizeof(room)};
	char *copy;

	put_ids(&json, command->correlation_id, sizeof(command->correlation_id), execution->id);
	execution->slug_at = (uint32_t)json__length(&json);
	json__raw(&json, "\"command_slug\":");
	TEXT(&json, command->slug);
	execution->user_at = (uint32_t)json__length(&json);
	json__raw(&json, "\"user_id\":");
	TEXT(&json, command->user_id);
	execution->comm_at = (uint32_t)json__length(&json);
	put_process(&json, &execution->process, execution->pid);
	execution->json_bytes = (uint32_t)json__length(&json);

	copy = realloc(execution->json, execution->json_bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, json.base, execution->json_bytes);
	execution->json = copy;
	return 0;
}

static void put_shared_ids(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json, execution->slug_at);
}

static void put_slug(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json + execution->slug_at,
		    execution->user_at - execution->slug_at);
}

static void put_user(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json + execution->user_at,
		    execution->comm_at - execution->user_at);
}

static void put_duration(struct json *json, const struct event *event)
{
	uint64_t ns;

	if (event__duration_ns(event, &ns))
		json__milliseconds(json, ns);
	else
		json__raw(json, "null");
}

static void put_dry_run(struct json *json, const struct event *event)
{
	json__raw(json, ",\"dry_run\":");
	json__bool(json, event->head->flags & SPAN_DRY_RUN);
}

static void put_outcome(struct json *json, unsigned int outcome)
{
	json__raw(json, ",\"outcome\":\"");
	json__word(json, outcome__name(outcome));
	json__raw(json, "\"");
}

static void put_error_category(struct json *json, unsigned int outcome, unsigned int category)
{
	const char *name = error_category__name(category);

	if (outcome != OUTCOME_FAILURE)
		return;
	json__raw(json, ",\"error_category\":\"");
	json__word(json, name ? name : "general");
	json__raw(json, "\"");
}

/* The extension fields that every event has: when, and who the kernel says it was. */
static void put_common(struct json *json, const struct event *event, struct clock_anchor *clock)
{
	const struct execution *execution = event->execution;

	json__raw(json, ",\"timestamp\":\"");
	clock_anchor__timestamp(clock, json, event->record->time_ns);
	json__raw(json, "\",\"monotonic_ns\":");
	json__u64(json, event->record->time_ns);
	json__raw(json, ",\"source\":{\"pid\":");
	json__u64(json, event->record->pid);
	json__raw(json, ",\"tid\":");
	json__u64(json, event->record->tid);
	json__raw(json, ",\"cpu\":");
	json__u64(json, event->record->cpu);
	json__raw(json, ",");
	if (execution)
		json__bytes(json, execution->json + execution->comm_at,
			    execution->json_bytes - execution->comm_at);
	else
		put_process(json, event->process, event->record->pid);
	json__raw(json, "}");
}

/* ---- command.execution.started */

static void started_seed(struct json *json, const struct event *event)
{
	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	put_dry_run(json, event);
	json__raw(json, ",");
	put_user(json, event->execution);
	json__raw(json, ",\"request_source\":");
	TEXT(json, event->command->request_source);
}

static void put_schedule(struct json *json, const struct command_span *command)
{
	struct clock_anchor unix_time = {0};

	json__raw(json, ",\"schedule\":{\"schedule_id\":");
	json__i64(json, command->schedule_id);
	json__raw(json, ",\"schedule_run_id\":");
	json__i64(json, command->schedule_run_id);
	json__raw(json, ",\"planned_run_at\":");
	if (command->planned_run_at_s >= 0 && command->planned_run_at_s < (1LL << 33)) {
		json__raw(json, "\"");
		clock_anchor__timestamp(&unix_time, json,
					(uint64_t)command->planned_run_at_s * 1000000000);
		json__raw(json, "\"");
	} else {
		json__raw(json, "null");
	}
	json__raw(json, "}");
}

static void started_more(struct json *json, const struct event *event)
{
	const struct command_span *command = event->command;

	if (command->head.flags & SPAN_SCHEDULED)
		put_schedule(json, command);
	if (has_id(command->parent_execution_id)) {
		json__raw(json, ",\"parent_execution_id\":");
		put_id(json, command->parent_execution_id);
	}
	json__raw(json, ",\"arguments_count\":");
	json__u64(json, command->arguments_count);
}

/* ---- dsl.step.executed */

static void step_seed(struct json *json, const struct event *event)
{
	const struct step_span *step = event->step;

	put_shared_ids(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id(json, step->step_id);
	json__raw(json, ",\"step_type\":");
	TEXT(json, step->type);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",\"fragment_id\":");
	if (step->child.head.flags & SPAN_FRAGMENT_ID)
		json__i64(json, step->fragment_id);
	else
		json__raw(json, "null");
	json__raw(json, ",\"duration_ms\":");
	put_duration(json, event);
	json__raw(json, ",\"mutations_count\":");
	json__u64(json, step->mutations_count);
	put_dry_run(json, event);
	put_outcome(json, step->outcome);
	json__raw(json, ",");
	put_user(json, event->execution);
}

static void put_ai(struct json *json, const struct step_span *step)
{
	const char *cache = ai_cache__name(step->ai_cache);

	if (!cache)
		return;
	json__raw(json, ",\"ai\":{\"cache\":\"");
	json__word(json, cache);
	json__raw(json, "\",\"prompt_tokens\":");
	json__u64(json, step->prompt_tokens);
	json__raw(json, ",\"completion_tokens\":");
	json__u64(json, step->completion_tokens);
	json__raw(json, "}");
}

static void step_more(struct json *json, const struct event *event)
{
	const struct step_span *step = event->step;

	json__raw(json, ",\"step\":{\"name\":");
	TEXT(json, step->name);
	json__raw(json, ",\"index\":");
	json__u64(json, step->index);
	json__raw(json, ",\"depth\":");
	json__u64(json, step->depth);
	json__raw(json, ",\"parent_step_id\":");
	put_id_or_null(json, step->parent_step_id);
	json__raw(json, "}");
	put_error_category(json, step->outcome, step->error_category);
	if (event->termination)
		return; /* the rest is said when a step ends */
	if (step->child.head.flags & SPAN_ITEMS) {
		json__raw(json, ",\"items\":{\"in\":");
		json__u64(json, step->items_in);
		json__raw(json, ",\"out\":");
		json__u64(json, step->items_out);
		json__raw(json, "}");
	}
	put_ai(json, step);
}

/* ---- command.execution.completed */

static void completed_seed(struct json *json, const struct event *event)
{
	const struct command_span *command = event->command;

	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",\"total_duration_ms\":");
	put_duration(json, event);
	json__raw(json, ",\"steps_executed\":");
	json__u64(json, event__steps_executed(event));
	json__raw(json, ",\"steps_successful\":");
	json__u64(json, command->steps_successful);
	json__raw(json, ",\"steps_failed\":");
	json__u64(json, command->steps_failed);
	put_dry_run(json, event);
	put_outcome(json, command->outcome);
	json__raw(json, ",");
	put_user(json, event->execution);
}

static void completed_more(struct json *json, const struct event *event)
{
	put_error_category(json, event->command->outcome, event->command->error_category);
	json__raw(json, ",\"complete\":");
	json__bool(json, event->complete);
	json__raw(json, ",\"steps_lost\":");
	if (event->steps_lost_known)
		json__u64(json, event->steps_lost);
	else
		json__raw(json, "null");
	if (event->termination)
		aborted__json(event, json);
}

/* ---- command.validation.failed */

static void rejected_seed(struct json *json, const struct event *event)
{
	const struct rejected_span *rejected = event->rejected;

	put_ids(json, rejected->correlation_id, sizeof(rejected->correlation_id),
		rejected->head.execution_id);
	json__raw(json, ",\"command_slug\":");
	TEXT(json, rejected->slug);
	json__raw(json, ",\"user_id\":");
	TEXT(json, rejected->user_id);
	json__raw(json, ",\"request_source\":");
	TEXT(json, rejected->request_source);
	json__raw(json, ",\"reason\":");
	TEXT(json, rejected->reason);
}

/* "a,b" as ["a","b"]: names only, empty ones left out. */
static void rejected_more(struct json *json, const struct event *event)
{
	const char *at = event->rejected->invalid_fields;
	const char *end = at + strnlen(at, sizeof(event->rejected->invalid_fields));
	const char *comma;
	bool first = true;

	json__raw(json, ",\"invalid_fields\":[");
	for (; at < end; at = comma + 1) {
		comma = memchr(at, ',', (size_t)(end - at));
		if (!comma)
			comma = end;
		if (comma == at)
			continue;
		if (!first)
			json__raw(json, ",");
		json__text(json, at, (size_t)(comma - at));
		first = false;
	}
	json__raw(json, "]");
}

/* ---- tool.invocation.completed */

static void tool_seed(struct json *json, const struct event *event)
{
	const struct tool_span *tool = event->tool;

	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",");
	put_user(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id_or_null(json, tool->step_id);
	json__raw(json, ",\"invocation_id\":");
	put_id(json, tool->invocation_id);
	json__raw(json, ",\"tool_slug\":");
	TEXT(json, tool->slug);
	json__raw(json, ",\"duration_ms\":");
	put_duration(json, event);
	put_outcome(json, tool->outcome);
	json__raw(json, ",\"exit_status\":");
	if (tool->child.head.flags & SPAN_EXIT_STATUS)
		json__i64(json, tool->exit_status);
	else
		json__raw(json, "null");
}

/* ---- fragment.changed */

static void fragment_seed(struct json *json, const struct event *event)
{
	const struct fragment_span *fragment = event->fragment;

	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",");
	put_user(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id_or_null(json, fragment->step_id);
	json__raw(json, ",\"fragment_id\":");
	json__i64(json, fragment->fragment_id);
	json__raw(json, ",\"operation\":\"");
	json__word(json, operation__name(fragment->operation));
	json__raw(json, "\"");
}

static void nothing_more(struct json *json, const struct event *event)
{
	(void)json;
	(void)event;
}

struct form {
	void (*seed)(struct json *json, const struct event *event);
	void (*more)(struct json *json, const struct event *event);
};

static const struct form forms[] = {
	[EVENT_COMMAND_STARTED] = {started_seed, started_more},
	[EVENT_STEP_EXECUTED] = {step_seed, step_more},
	[EVENT_COMMAND_COMPLETED] = {completed_seed, completed_more},
	[EVENT_VALIDATION_FAILED] = {rejected_seed, rejected_more},
	[EVENT_TOOL_COMPLETED] = {tool_seed, nothing_more},
	[EVENT_FRAGMENT_CHANGED] = {fragment_seed, nothing_more},
};

_Static_assert(sizeof(forms) / sizeof(forms[0]) == EVENT_KINDS_COUNT, "an event has no form");

void event_json__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       bool seed_fields_only)
{
	const struct form *form = &forms[event->kind];

	json__raw(json, "{\"event\":\"");
	json__word(json, event_names[event->kind]);
	json__raw(json, "\",");
	form->seed(json, event);
	if (!seed_fields_only) {
		put_common(json, event, clock);
		form->more(json, event);
	}
	json__raw(json, "}\n");
}
