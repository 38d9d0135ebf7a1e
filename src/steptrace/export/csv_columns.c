// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/csv_columns.h"

#include <errno.h>

const char *const csv_table_names[CSV_TABLES_COUNT] = {"commands", "steps", "tools"};

/* `begin` and `end` are computed, and `host` comes from another event: csv.c writes these three. */

#define SOURCE_AND_IDS                                                                             \
	EVENT_VALUE("pid", pid), EVENT_VALUE("tid", tid), EVENT_VALUE("uid", uid),                 \
		EVENT_VALUE("comm", comm), EVENT_VALUE("execution_id", execution_id),              \
		EVENT_VALUE("correlation_id", correlation_id)

static const struct event_value command_values[] = {
	SOURCE_AND_IDS,
	EVENT_VALUE("parent_execution_id", parent_execution_id),
	EVENT_VALUE("command", command_slug),
	EVENT_VALUE("user_id", user_id),
	EVENT_VALUE("dry_run", dry_run),
	EVENT_VALUE("outcome", outcome_name),
	EVENT_VALUE("error_category", error_category),
	EVENT_VALUE("duration_ms", duration_ns),
	EVENT_VALUE("suspended_ms", suspended_ns),
	EVENT_VALUE("steps_executed", steps_executed),
	EVENT_VALUE("steps_successful", steps_successful),
	EVENT_VALUE("steps_failed", steps_failed),
	EVENT_VALUE("steps_skipped", steps_skipped),
	EVENT_VALUE("steps_lost", steps_lost),
	EVENT_VALUE("complete", complete),
	EVENT_VALUE("failed_step", failed_step_name),
	EVENT_VALUE("failed_step_type", failed_step_type),
	EVENT_VALUE("failed_step_id", failed_step_id),
	EVENT_VALUE("aborted_cause", aborted_cause),
	EVENT_VALUE("aborted_signal", aborted_signal_name),
	EVENT_VALUE("aborted_exit_status", aborted_exit_status),
	EVENT_VALUE("aborted_step", aborted_step_name),
	EVENT_VALUES_OF_CPU,
};

static const struct event_value start_values[] = {
	EVENT_VALUE("request_source", request_source),
	EVENT_VALUE("arguments_count", arguments_count),
	EVENT_VALUES_OF_ORIGIN,
};

static const struct event_value step_values[] = {
	SOURCE_AND_IDS,
	EVENT_VALUE("command", command_slug),
	EVENT_VALUE("user_id", user_id),
	EVENT_VALUE("dry_run", dry_run),
	EVENT_VALUE("step_id", step_id),
	EVENT_VALUE("parent_step_id", parent_step_id),
	EVENT_VALUE("step_type", step_type),
	EVENT_VALUE("step_name", step_name),
	EVENT_VALUE("step_index", step_index),
	EVENT_VALUE("step_depth", step_depth),
	EVENT_VALUE("outcome", outcome_name),
	EVENT_VALUE("error_category", error_category),
	EVENT_VALUE("duration_ms", duration_ns),
	EVENT_VALUE("suspended_ms", suspended_ns),
	EVENT_VALUE("fragment_id", fragment_id),
	EVENT_VALUE("mutations_count", mutations_count),
	EVENT_VALUE("items_in", items_in),
	EVENT_VALUE("items_out", items_out),
	EVENT_VALUE("ai_cache", ai_cache),
	EVENT_VALUE("prompt_tokens", prompt_tokens),
	EVENT_VALUE("completion_tokens", completion_tokens),
	EVENT_VALUE("aborted_cause", aborted_cause),
	EVENT_VALUE("aborted_signal", aborted_signal_name),
	EVENT_VALUES_OF_CPU,
};

static const struct event_value tool_values[] = {
	SOURCE_AND_IDS,
	EVENT_VALUE("command", command_slug),
	EVENT_VALUE("user_id", user_id),
	EVENT_VALUE("step_id", step_id),
	EVENT_VALUE("invocation_id", invocation_id),
	EVENT_VALUE("tool", tool_slug),
	EVENT_VALUE("outcome", outcome_name),
	EVENT_VALUE("error_category", error_category),
	EVENT_VALUE("duration_ms", duration_ns),
	EVENT_VALUE("exit_status", exit_status),
};

const struct event_values csv_end_columns[CSV_TABLES_COUNT] = {
	[CSV_COMMANDS] = EVENT_VALUES(command_values),
	[CSV_STEPS] = EVENT_VALUES(step_values),
	[CSV_TOOLS] = EVENT_VALUES(tool_values),
};

const struct event_values csv_start_columns = EVENT_VALUES(start_values);

int csv_columns__names(const struct event_values *columns, struct json *json)
{
	if (json__reserve(json, 64 * columns->count))
		return -ENOMEM;
	for (size_t i = 0; i < columns->count; i++) {
		if (i)
			json__raw(json, ",");
		json__word(json, columns->values[i].name);
	}
	return 0;
}

int csv_columns__cells(const struct event_values *columns, const struct recorded_event *event,
		       struct json *json)
{
	if (json__reserve(json, columns->count + event_values__bytes(columns, event)))
		return -ENOMEM;
	for (size_t i = 0; i < columns->count; i++) {
		if (i)
			json__raw(json, ",");
		event_value__cell(&columns->values[i], event, json);
	}
	return 0;
}
