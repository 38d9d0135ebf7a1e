/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to event_json*.c: the pieces that the lines of several events have in common, and the
 * table row that says how an event is written.
 *
 * Every line has the same three parts; the middle one is the same for all events:
 *
 *	{"event":"…",  fields of the seed  ,"timestamp":…,"source":{…}  ,more fields}
 *	               put_seed            event_json.c                 put_more
 *
 * The pieces are inline: they are the hot path of a recording.
 */
#ifndef STEPTRACE_EVENT_JSON_PARTS_H
#define STEPTRACE_EVENT_JSON_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/json.h"

/* How an event is written. Both functions append members of the line's object. */
struct event_json_form {
	void (*put_seed)(struct json *json, const struct event *event); /* begins without a comma */
	/* Each of its members begins with a comma. NULL: there are no more. */
	void (*put_more)(struct json *json, const struct event *event);
};

/* event_json_command.c */
extern const struct event_json_form event_json_started, event_json_completed, event_json_rejected;
/* event_json_step.c */
extern const struct event_json_form event_json_step, event_json_tool, event_json_fragment;

/* A quoted string from a text field of a span, which is an array. */
#define TEXT(json, field) json__text(json, field, sizeof(field))

static inline bool has_id(const uint8_t id[16])
{
	static const uint8_t no_id[16];

	return memcmp(id, no_id, sizeof(no_id)) != 0;
}

static inline void put_id(struct json *json, const uint8_t id[16])
{
	json__raw(json, "\"");
	json__uuid(json, id);
	json__raw(json, "\"");
}

static inline void put_id_or_null(struct json *json, const uint8_t id[16])
{
	if (has_id(id))
		put_id(json, id);
	else
		json__raw(json, "null");
}

/* Without a correlation id the execution id is written for both. */
static inline void put_ids(struct json *json, const char *correlation_id, size_t bytes,
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

/* Members that event_json__describe wrote once for all events of the execution. */
static inline void put_shared_ids(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json, execution->slug_at);
}

static inline void put_slug(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json + execution->slug_at,
		    execution->user_at - execution->slug_at);
}

static inline void put_user(struct json *json, const struct execution *execution)
{
	json__bytes(json, execution->json + execution->user_at,
		    execution->json_bytes - execution->user_at);
}

/* For a command that another command started. */
static inline void put_parent(struct json *json, const struct command_span *command)
{
	if (!has_id(command->parent_execution_id))
		return;
	json__raw(json, ",\"parent_execution_id\":");
	put_id(json, command->parent_execution_id);
}

static inline void put_duration(struct json *json, const struct event *event)
{
	uint64_t ns;

	if (event__duration_ns(event, &ns))
		json__milliseconds(json, ns);
	else
		json__raw(json, "null");
}

/* ,"suspended_ms":12.5 where the runner suspended the span */
static inline void put_suspended(struct json *json, const struct event *event)
{
	uint64_t ns;

	if (!event__was_suspended(event))
		return;
	json__raw(json, ",\"suspended_ms\":");
	if (event__duration_ns(event, &ns))
		json__milliseconds(json, event__suspended_ns(event));
	else
		json__raw(json, "null");
}

/* ,"cpu":{…} or ,"cpu":null with --breakdown; otherwise nothing (event_json_cpu.c) */
void event_json__put_cpu(struct json *json, const struct event *event);

static inline void put_dry_run(struct json *json, const struct event *event)
{
	json__raw(json, ",\"dry_run\":");
	json__bool(json, event->head->flags & SPAN_DRY_RUN);
}

static inline void put_outcome(struct json *json, unsigned int outcome)
{
	json__raw(json, ",\"outcome\":\"");
	json__word(json, outcome__name(outcome));
	json__raw(json, "\"");
}

/* A failure always has a category, an aborted or cancelled span if the runner gave one. */
static inline void put_error_category(struct json *json, unsigned int outcome,
				      unsigned int category)
{
	const char *name = error_category__name(category);

	bool is_named = name && (outcome == OUTCOME_ABORTED || outcome == OUTCOME_CANCELLED);

	if (outcome != OUTCOME_FAILURE && !is_named)
		return;
	json__raw(json, ",\"error_category\":\"");
	json__word(json, name ? name : "general");
	json__raw(json, "\"");
}

#endif
