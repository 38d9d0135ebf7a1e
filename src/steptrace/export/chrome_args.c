// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/chrome_args.h"

#include <errno.h>

#include "steptrace/export/event_name.h"
#include "steptrace/export/event_values.h"

/* ---- which members each kind of slice has */

static const struct event_value common_table[] = {
	EVENT_VALUE("execution_id", execution_id),
	EVENT_VALUE("correlation_id", correlation_id),
	EVENT_VALUE("parent_execution_id", parent_execution_id),
	EVENT_VALUE("command", command_slug),
	EVENT_VALUE("user_id", user_id),
	EVENT_VALUE("outcome", outcome_name),
	EVENT_VALUE("error_category", error_category),
	EVENT_VALUE("duration_ms", duration_ns),
	EVENT_VALUE("suspended_ms", suspended_ns),
	EVENT_VALUE("dry_run", dry_run),
	EVENT_VALUE("step_id", step_id),
	EVENT_VALUE("step_type", step_type),
	EVENT_VALUE("step_name", step_name),
	EVENT_VALUE("step_index", step_index),
	EVENT_VALUE("step_depth", step_depth),
	EVENT_VALUE("parent_step_id", parent_step_id),
	EVENT_VALUE("fragment_id", fragment_id),
	EVENT_VALUE("operation", operation),
	EVENT_VALUE("mutations", mutations_count),
	EVENT_VALUE("items_in", items_in),
	EVENT_VALUE("items_out", items_out),
	EVENT_VALUE("ai_cache", ai_cache),
	EVENT_VALUE("prompt_tokens", prompt_tokens),
	EVENT_VALUE("completion_tokens", completion_tokens),
	EVENT_VALUE("invocation_id", invocation_id),
	EVENT_VALUE("tool", tool_slug),
	EVENT_VALUE("exit_status", exit_status),
	EVENT_VALUE("steps_executed", steps_executed),
	EVENT_VALUE("steps_failed", steps_failed),
	EVENT_VALUE("steps_skipped", steps_skipped),
	EVENT_VALUE("steps_lost", steps_lost),
	EVENT_VALUE("complete", complete),
	EVENT_VALUE("failed_step", failed_step_name),
	EVENT_VALUE("aborted_by", aborted_cause),
	EVENT_VALUE("signal", aborted_signal_name),
	EVENT_VALUE("aborted_in", aborted_step_name),
	EVENT_VALUES_OF_CPU,
	EVENT_VALUE("threshold_ms", threshold_ns),
	EVENT_VALUE("age_at_least_ms", age_at_least_ns),
	EVENT_VALUE("reason", reason),
	EVENT_VALUE("lost_kind", lost_kind),
	EVENT_VALUE("lost", lost),
	EVENT_VALUE("timestamp", timestamp_ns),
	EVENT_VALUE("pid", pid),
	EVENT_VALUE("tid", tid),
};

/* These are in no other event of the command. */
static const struct event_value start_table[] = {
	EVENT_VALUE("request_source", request_source),
	EVENT_VALUES_OF_ORIGIN,
};

static const struct event_values common_values = EVENT_VALUES(common_table);
static const struct event_values start_values = EVENT_VALUES(start_table);

enum { NAME_BYTES = 64 }; /* of an argument */

static size_t bytes_of(const struct event_values *values, const struct recorded_event *event)
{
	return values->count * NAME_BYTES + event_values__bytes(values, event);
}

static void put_values(struct json *json, const struct event_values *values,
		       const struct recorded_event *event)
{
	for (size_t i = 0; i < values->count; i++) {
		const struct event_value *value = &values->values[i];

		if (!event_value__is_present(value, event))
			continue;
		json__raw(json, ",\"");
		json__word(json, value->name);
		json__raw(json, "\":");
		event_value__json(value, event, json);
	}
}

int chrome_args__start(struct json *json, const struct recorded_event *event)
{
	int err = json__reserve(json, bytes_of(&start_values, event));

	if (!err)
		put_values(json, &start_values, event);
	return err;
}

int chrome_args__write(struct json *json, const struct recorded_event *event, size_t *name_bytes)
{
	size_t bytes = 256 + event_name__bytes(event) + bytes_of(&common_values, event);
	size_t from = json__length(json);

	if (json__reserve(json, bytes))
		return -ENOMEM;
	json__raw(json, "\"name\":");
	event_name__put(json, event);
	*name_bytes = json__length(json) - from;
	json__raw(json, ",\"args\":{\"kind\":\"");
	json__word(json, event_name__kind(event));
	json__raw(json, "\"");
	put_values(json, &common_values, event);
	return 0;
}
