// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/event_name.h"

const char *event_name__kind(const struct recorded_event *event)
{
	switch (event->kind) {
	case RECORDED_COMMAND_STARTED:
	case RECORDED_COMMAND_COMPLETED: return "command";
	case RECORDED_STEP_EXECUTED: return "step";
	case RECORDED_TOOL_COMPLETED: return "tool";
	case RECORDED_FRAGMENT_CHANGED: return "fragment";
	case RECORDED_VALIDATION_FAILED: return "rejected";
	case RECORDED_COMMAND_OVERDUE: return "overdue";
	case RECORDED_TRACE_LOST: return "loss";
	default: return "event";
	}
}

static struct recorded_text either(struct recorded_text first, struct recorded_text second)
{
	return first.bytes ? first : second;
}

/* What follows the kind or the name of the step. */
static struct recorded_text subject_of(const struct recorded_event *event)
{
	switch (event->kind) {
	case RECORDED_STEP_EXECUTED: return event->step_type;
	case RECORDED_TOOL_COMPLETED: return event->tool_slug;
	case RECORDED_FRAGMENT_CHANGED: return event->operation;
	case RECORDED_TRACE_LOST: return event->lost_kind;
	default: return event->command_slug;
	}
}

static struct recorded_text first_word(const struct recorded_event *event)
{
	const char *kind = event_name__kind(event);

	switch (event->kind) {
	case RECORDED_COMMAND_STARTED:
	case RECORDED_COMMAND_COMPLETED: return (struct recorded_text){NULL, 0};
	case RECORDED_STEP_EXECUTED: return event->step_name;
	default: return (struct recorded_text){kind, strlen(kind)};
	}
}

/* Two texts as one JSON string, with a blank between them if neither is empty. */
static void put_two(struct json *json, struct recorded_text first, struct recorded_text second)
{
	char *quote;

	if (!first.bytes || !second.bytes) {
		first = either(first, second);
		json__text(json, first.bytes ? first.text : "?", first.bytes ? first.bytes : 1);
		return;
	}
	json__text(json, first.text, first.bytes);
	quote = --json->at;
	json__text(json, second.text, second.bytes);
	*quote = ' ';
}

size_t event_name__bytes(const struct recorded_event *event)
{
	return JSON_TEXT_BYTES(first_word(event).bytes) + JSON_TEXT_BYTES(subject_of(event).bytes) +
	       3;
}

void event_name__put(struct json *json, const struct recorded_event *event)
{
	put_two(json, first_word(event), subject_of(event));
}
