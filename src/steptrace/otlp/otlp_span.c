// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_span.h"

#include <errno.h>

enum { KIND_INTERNAL = 1, KIND_CONSUMER = 5, STATUS_ERROR = 2 };

/* ---- attributes: docs/otlp.md has the same table */

static const struct otlp_attribute command_rows[] = {
	OTLP_ROW_TEXT("steptrace.correlation_id", correlation_id),
	OTLP_ROW_TEXT("steptrace.execution_id", execution_id),
	OTLP_ROW_TEXT("steptrace.parent_execution_id", parent_execution_id),
	OTLP_ROW_TEXT("user.id", user_id),
	OTLP_ROW_BOOL("steptrace.dry_run", dry_run),
	OTLP_ROW_TEXT("steptrace.outcome", outcome_name),
	OTLP_ROW_TEXT("steptrace.reason", reason),
	OTLP_ROW_U64("steptrace.steps_executed", steps_executed),
	OTLP_ROW_U64("steptrace.steps_successful", steps_successful),
	OTLP_ROW_U64("steptrace.steps_failed", steps_failed),
	OTLP_ROW_U64("steptrace.steps_skipped", steps_skipped),
	OTLP_ROW_U64("steptrace.steps_lost", steps_lost),
	OTLP_ROW_BOOL("steptrace.complete", complete),
	OTLP_ROW_TEXT("steptrace.failed_step.step_id", failed_step_id),
	OTLP_ROW_TEXT("steptrace.failed_step.step_type", failed_step_type),
	OTLP_ROW_TEXT("steptrace.failed_step.name", failed_step_name),
};

static const struct otlp_attribute step_rows[] = {
	OTLP_ROW_TEXT("code.function.name", step_type),
	OTLP_ROW_TEXT("steptrace.step_id", step_id),
	OTLP_ROW_U64("steptrace.step.index", step_index),
	OTLP_ROW_U64("steptrace.step.depth", step_depth),
	OTLP_ROW_TEXT("steptrace.command_slug", command_slug),
	OTLP_ROW_I64("steptrace.fragment_id", fragment_id),
	OTLP_ROW_U64("steptrace.mutations_count", mutations_count),
	OTLP_ROW_BOOL("steptrace.dry_run", dry_run),
	OTLP_ROW_TEXT("steptrace.outcome", outcome_name),
	OTLP_ROW_U64("steptrace.items.in", items_in),
	OTLP_ROW_U64("steptrace.items.out", items_out),
	OTLP_ROW_TEXT("steptrace.ai.cache", ai_cache),
	OTLP_ROW_U64("gen_ai.usage.input_tokens", prompt_tokens),
	OTLP_ROW_U64("gen_ai.usage.output_tokens", completion_tokens),
};

static const struct otlp_attribute tool_rows[] = {
	OTLP_ROW_TEXT("steptrace.invocation_id", invocation_id),
	OTLP_ROW_TEXT("steptrace.command_slug", command_slug),
	OTLP_ROW_TEXT("steptrace.outcome", outcome_name),
	OTLP_ROW_I64("process.exit.code", exit_status),
};

/* Of all spans. */
static const struct otlp_attribute common_rows[] = {
	OTLP_ROW_U64("thread.id", tid),
	OTLP_ROW_MS("steptrace.suspended_ms", suspended_ns),
	OTLP_ROW_TEXT("steptrace.aborted.cause", aborted_cause),
	OTLP_ROW_TEXT("steptrace.aborted.signal_name", aborted_signal_name),
	OTLP_ROW_I64("steptrace.aborted.exit_status", aborted_exit_status),
	OTLP_ROW_U64("steptrace.aborted.open_steps", aborted_open_steps),
	OTLP_ROW_TEXT("steptrace.aborted.step.step_id", aborted_step_id),
	OTLP_ROW_TEXT("steptrace.aborted.step.step_type", aborted_step_type),
	OTLP_ROW_TEXT("steptrace.aborted.step.name", aborted_step_name),
};

/* Of --breakdown. */
static const struct otlp_attribute cpu_rows[] = {
	OTLP_ROW_MS("steptrace.cpu.on_cpu_ms", on_cpu_ns),
	OTLP_ROW_MS("steptrace.cpu.runnable_ms", runnable_ns),
	OTLP_ROW_MS("steptrace.cpu.threads_ms", threads_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.disk", blocked_disk_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.lock", blocked_lock_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.network", blocked_network_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.sleep", blocked_sleep_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.pipe", blocked_pipe_ns),
	OTLP_ROW_MS("steptrace.cpu.blocked_ms.other", blocked_other_ns),
	OTLP_ROW_U64("steptrace.cpu.switches.voluntary", switches_voluntary),
	OTLP_ROW_U64("steptrace.cpu.switches.involuntary", switches_involuntary),
	OTLP_ROW_U64("steptrace.cpu.migrations", migrations),
	OTLP_ROW_U64("steptrace.cpu.page_faults", page_faults),
};

static const struct otlp_attribute origin_rows[] = {
	OTLP_ROW_TEXT("steptrace.request_source", request_source),
	OTLP_ROW_U64("steptrace.arguments_count", arguments_count),
	OTLP_ROW_I64("steptrace.schedule.schedule_id", schedule_id),
	OTLP_ROW_I64("steptrace.schedule.schedule_run_id", schedule_run_id),
	OTLP_ROW_TIME("steptrace.schedule.planned_run_at", planned_run_at_ns),
	OTLP_ROW_TEXT("messaging.destination.name", queue_name),
	OTLP_ROW_U64("steptrace.queue.attempt", attempt),
	OTLP_ROW_MS("steptrace.queue.wait_ms", wait_ns),
};

/* Of span events. */
static const struct otlp_attribute event_rows[] = {
	OTLP_ROW_I64("steptrace.fragment_id", fragment_id),
	OTLP_ROW_TEXT("steptrace.operation", operation),
	OTLP_ROW_TEXT("steptrace.reason", reason),
};

/* ---- parts of a span */

static struct recorded_text name_of(const struct recorded_event *event)
{
	static const struct recorded_text unknown = {"unknown", 7};
	struct recorded_text name = event->command_slug;

	if (event->kind == RECORDED_STEP_EXECUTED)
		name = event->step_name.bytes ? event->step_name : event->step_type;
	else if (event->kind == RECORDED_TOOL_COMPLETED)
		name = event->tool_slug;
	return name.bytes ? name : unknown;
}

/* The duration does not contain the time for which the span was suspended; the span does. */
static uint64_t begin_of(const struct otlp_span *span, const struct recorded_event *event)
{
	uint64_t whole_ns = event->duration_ns + event->suspended_ns;

	if (RECORDED_HAS(event, duration_ns) && whole_ns <= event->timestamp_ns)
		return event->timestamp_ns - whole_ns;
	return span->started_ns && span->started_ns < event->timestamp_ns ? span->started_ns
									  : event->timestamp_ns;
}

static bool is_command(const struct recorded_event *event)
{
	return event->kind == RECORDED_COMMAND_COMPLETED ||
	       event->kind == RECORDED_VALIDATION_FAILED;
}

static void put_kind_attributes(struct json *json, const struct recorded_event *event)
{
	if (is_command(event))
		OTLP_PUT_ALL(json, command_rows, event);
	else if (event->kind == RECORDED_STEP_EXECUTED)
		OTLP_PUT_ALL(json, step_rows, event);
	else
		OTLP_PUT_ALL(json, tool_rows, event);
}

/* What the span failed of; NULL text: it did not fail. */
static struct recorded_text failure_of(const struct recorded_event *event)
{
	static const struct recorded_text other = {"_OTHER", 6}, none = {NULL, 0};
	struct recorded_text text = event->error_category;

	if (event->kind == RECORDED_VALIDATION_FAILED)
		text = event->reason;
	else if (event->outcome == RECORDED_SUCCESS || event->outcome == RECORDED_SKIPPED)
		return none;
	else if (!text.bytes && event->outcome != RECORDED_FAILURE)
		text = event->outcome_name;
	return text.bytes ? text : event->outcome || is_command(event) ? other : none;
}

static void put_attributes(struct json *json, const struct otlp_span *span,
			   const struct recorded_event *event, struct recorded_text failure)
{
	json__raw(json, ",\"attributes\":[");
	put_kind_attributes(json, event);
	OTLP_PUT_ALL(json, common_rows, event);
	if (RECORDED_HAS(event, threads_ns))
		OTLP_PUT_ALL(json, cpu_rows, event);
	if (failure.text)
		otlp__put_text(json, "error.type", failure);
	if (!RECORDED_HAS(event, duration_ns) && event->kind != RECORDED_VALIDATION_FAILED)
		json__raw(json, "{\"key\":\"steptrace.begin_unknown\",\"value\":{"
				"\"boolValue\":true}},");
	if (span->attributes_bytes)
		json__bytes(json, span->attributes, span->attributes_bytes);
	otlp__end_array(json);
}

static void put_link(struct json *json, const struct otlp_span *span)
{
	json__raw(json, ",\"links\":[{\"traceId\":");
	otlp__trace_id(json, &span->linked_trace);
	json__raw(json, ",\"spanId\":");
	otlp__span_id(json, span->linked_span);
	json__raw(json, "}]");
}

static void put_status(struct json *json, struct recorded_text failure)
{
	if (!failure.text) {
		json__raw(json, ",\"status\":{}");
		return;
	}
	json__raw(json, ",\"status\":{\"code\":2,\"message\":");
	_Static_assert(STATUS_ERROR == 2, "the code above");
	json__text(json, failure.text, failure.bytes);
	json__raw(json, "}");
}

static void put_ids(struct json *json, const struct otlp_span *span)
{
	json__raw(json, "{\"traceId\":");
	otlp__trace_id(json, &span->trace);
	json__raw(json, ",\"spanId\":");
	otlp__span_id(json, span->id);
	if (span->parent) {
		json__raw(json, ",\"parentSpanId\":");
		otlp__span_id(json, span->parent);
	}
}

int otlp_span__put(struct json *json, const struct otlp_span *span,
		   const struct recorded_event *event)
{
	struct recorded_text name = name_of(event), failure = failure_of(event);

	if (json__reserve(json,
			  otlp__room_for(event) + span->attributes_bytes + span->events_bytes))
		return -ENOMEM;
	put_ids(json, span);
	json__raw(json, ",\"name\":");
	json__text(json, name.text, name.bytes);
	json__raw(json, ",\"kind\":");
	json__u64(json, span->is_consumer ? KIND_CONSUMER : KIND_INTERNAL);
	json__raw(json, ",\"startTimeUnixNano\":");
	otlp__u64(json, begin_of(span, event));
	json__raw(json, ",\"endTimeUnixNano\":");
	otlp__u64(json, event->timestamp_ns);
	put_attributes(json, span, event, failure);
	if (span->events_bytes) {
		json__raw(json, ",\"events\":[");
		json__bytes(json, span->events, span->events_bytes);
		otlp__end_array(json);
	}
	if (span->linked_span)
		put_link(json, span);
	put_status(json, failure);
	json__raw(json, "},");
	return 0;
}

int otlp_span__put_origin(struct json *json, const struct recorded_event *started)
{
	if (json__reserve(json, otlp__room_for(started)))
		return -ENOMEM;
	OTLP_PUT_ALL(json, origin_rows, started);
	if (RECORDED_HAS(started, queue_name))
		json__raw(json, "{\"key\":\"messaging.system\",\"value\":{\"stringValue\":"
				"\"steptrace\"}},{\"key\":\"messaging.operation.type\",\"value\":{"
				"\"stringValue\":\"process\"}},");
	return 0;
}

int otlp_span__put_event(struct json *json, const struct recorded_event *event)
{
	if (json__reserve(json, otlp__room_for(event)))
		return -ENOMEM;
	json__raw(json, "{\"timeUnixNano\":");
	otlp__u64(json, event->timestamp_ns);
	json__raw(json, ",\"name\":");
	json__text(json, event->event_name.text, event->event_name.bytes);
	json__raw(json, ",\"attributes\":[");
	OTLP_PUT_ALL(json, event_rows, event);
	otlp__end_array(json);
	json__raw(json, "},");
	return 0;
}
