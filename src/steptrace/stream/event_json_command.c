// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines about a command as a whole: command.execution.started, command.execution.completed and
 * command.validation.failed.
 */
#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/container.h"
#include "steptrace/stream/event_json_parts.h"
#include "steptrace/stream/termination.h"
#include "steptrace/stream/whole.h"

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

/* 0 stands for "not set". */
static void put_number_or_null(struct json *json, int64_t number)
{
	if (number)
		json__i64(json, number);
	else
		json__raw(json, "null");
}

static void put_schedule(struct json *json, const struct command_span *command)
{
	struct clock_anchor unix_time = {0};

	json__raw(json, ",\"schedule\":{\"schedule_id\":");
	put_number_or_null(json, command->schedule_id);
	json__raw(json, ",\"schedule_run_id\":");
	put_number_or_null(json, command->schedule_run_id);
	json__raw(json, ",\"planned_run_at\":");
	if (command->planned_run_at_s > 0 && command->planned_run_at_s < (1LL << 33)) {
		json__raw(json, "\"");
		clock_anchor__timestamp(&unix_time, json,
					(uint64_t)command->planned_run_at_s * 1000000000);
		json__raw(json, "\"");
	} else {
		json__raw(json, "null");
	}
	json__raw(json, "}");
}

/* ,"queue":{"name":"high","attempt":2,"wait_ms":12.5} */
static void put_queue(struct json *json, const struct event *event)
{
	const struct command_span *command = event->command;
	uint64_t ns;

	json__raw(json, ",\"queue\":{\"name\":");
	TEXT(json, command->queue);
	json__raw(json, ",\"attempt\":");
	if (command->attempt)
		json__u64(json, command->attempt);
	else
		json__raw(json, "null");
	json__raw(json, ",\"wait_ms\":");
	if (event__queued_ns(event, &ns))
		json__milliseconds(json, ns);
	else
		json__raw(json, "null");
	json__raw(json, "}");
}

static void put_text_or_null(struct json *json, const char *text)
{
	if (text[0])
		json__text(json, text, strlen(text));
	else
		json__raw(json, "null");
}

static void put_container(struct json *json, const char *cgroup_path)
{
	struct container container;

	container__recognise(cgroup_path, &container);
	json__raw(json, ",\"container\":{\"cgroup_path\":");
	json__text(json, cgroup_path, strlen(cgroup_path));
	json__raw(json, ",\"container_id\":");
	put_text_or_null(json, container.id);
	json__raw(json, ",\"pod_uid\":");
	put_text_or_null(json, container.pod_uid);
	json__raw(json, "}");
}

static void started_more(struct json *json, const struct event *event)
{
	const struct command_span *command = event->command;

	if (command->head.flags & SPAN_SCHEDULED)
		put_schedule(json, command);
	if (command->queue[0])
		put_queue(json, event);
	put_parent(json, command);
	json__raw(json, ",\"arguments_count\":");
	json__u64(json, command->arguments_count);
	if (event->cgroup_path)
		put_container(json, event->cgroup_path);
}

const struct event_json_form event_json_started = {
	.put_seed = started_seed,
	.put_more = started_more,
};

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

static void put_open_step(struct json *json, const struct step_span *step)
{
	json__raw(json, "{\"step_id\":");
	put_id(json, step->step_id);
	json__raw(json, ",\"step_type\":");
	TEXT(json, step->type);
	json__raw(json, ",\"name\":");
	TEXT(json, step->name);
	json__raw(json, ",\"index\":");
	json__u64(json, step->index);
	json__raw(json, "}");
}

/* ,"failed_step":{"step_id":…,"step_type":…,"name":…} */
static void put_failed_step(struct json *json, const struct event *event)
{
	const struct failed_step *failed = &event->execution->failed_step;

	if (event->command->outcome != OUTCOME_FAILURE)
		return;
	if (!failed->is_known) {
		json__raw(json, ",\"failed_step\":null");
		return;
	}
	json__raw(json, ",\"failed_step\":{\"step_id\":");
	put_id(json, failed->step_id);
	json__raw(json, ",\"step_type\":");
	TEXT(json, failed->type);
	json__raw(json, ",\"name\":");
	TEXT(json, failed->name);
	json__raw(json, "}");
}

/* ,"aborted":{"cause":…,"open_steps":2,"step":{"step_id":…,"step_type":…,"name":…,"index":1}} */
static void put_aborted(struct json *json, const struct event *event)
{
	json__raw(json, ",\"aborted\":{");
	termination__json(event->termination, json);
	json__raw(json, ",\"open_steps\":");
	json__u64(json, event->open_steps);
	json__raw(json, ",\"step\":");
	if (event->innermost)
		put_open_step(json, event->innermost);
	else
		json__raw(json, "null");
	json__raw(json, "}");
}

static void completed_more(struct json *json, const struct event *event)
{
	put_error_category(json, event->command->outcome, event->command->error_category);
	put_suspended(json, event);
	event_json__put_cpu(json, event);
	json__raw(json, ",\"complete\":");
	json__bool(json, event->complete);
	json__raw(json, ",\"steps_lost\":");
	if (event->steps_lost_known)
		json__u64(json, event->steps_lost);
	else
		json__raw(json, "null");
	json__raw(json, ",\"steps_skipped\":");
	json__u64(json, event->command->steps_skipped);
	put_parent(json, event->command);
	put_failed_step(json, event);
	if (event->termination)
		put_aborted(json, event);
	if (event->execution->selected_by)
		whole__json(event->execution->selected_by, json);
}

const struct event_json_form event_json_completed = {
	.put_seed = completed_seed,
	.put_more = completed_more,
};

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

/* The span has "a,,b"; the line gets ["a","b"], without empty names. */
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

const struct event_json_form event_json_rejected = {
	.put_seed = rejected_seed,
	.put_more = rejected_more,
};
