// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_encoder.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/otlp/known_traces.h"
#include "steptrace/otlp/open_commands.h"
#include "steptrace/otlp/otlp_log.h"
#include "steptrace/otlp/otlp_span.h"
#include "steptrace/recording/recorded_line.h"

enum { ID_BYTES = 128 };

/* The ids of the execution of the last event: most events have the same as the one before. What
 * ids_of() returns is valid until its next call. */
struct last_ids {
	char execution[ID_BYTES], correlation[ID_BYTES];
	size_t execution_bytes, correlation_bytes; /* of the execution 0: nothing is remembered */
	uint64_t command;
	struct otlp_trace trace;
};

struct otlp_encoder {
	struct otlp_resources *resources;
	struct open_commands *open;
	struct known_traces *known;
	struct otlp_request requests[OTLP_SIGNALS_COUNT];
	struct last_ids last;
	struct json part;           /* memory for what is held, and for the events of a span */
	struct recorded_line lines; /* reads held events again */
	struct json dropped;        /* an array of struct line_mark */
};

struct otlp_encoder *otlp_encoder__new(const char *service)
{
	struct otlp_encoder *encoder = calloc(1, sizeof(*encoder));

	if (!encoder)
		return NULL;
	encoder->resources = otlp_resources__new(service);
	encoder->open = open_commands__new();
	encoder->known = calloc(1, sizeof(*encoder->known));
	for (int i = 0; i < OTLP_SIGNALS_COUNT; i++)
		encoder->requests[i].signal = (enum otlp_signal)i;
	if (encoder->resources && encoder->open && encoder->known &&
	    json__init(&encoder->part, 4096) == 0)
		return encoder;
	otlp_encoder__free(encoder);
	return NULL;
}

void otlp_encoder__free(struct otlp_encoder *encoder)
{
	if (!encoder)
		return;
	otlp_resources__free(encoder->resources);
	open_commands__free(encoder->open);
	free(encoder->known);
	for (int i = 0; i < OTLP_SIGNALS_COUNT; i++)
		otlp_request__free(&encoder->requests[i]);
	json__free(&encoder->part);
	json__free(&encoder->dropped);
	recorded_line__free(&encoder->lines);
	free(encoder);
}

struct otlp_request *otlp_encoder__request(struct otlp_encoder *encoder, enum otlp_signal signal)
{
	return &encoder->requests[signal];
}

/* ---- ids */

static bool is_text(struct recorded_text text, const char *bytes, size_t count)
{
	return text.bytes == count && memcmp(text.text, bytes, count) == 0;
}

static void remember(char place[ID_BYTES], size_t *bytes, struct recorded_text text)
{
	*bytes = text.bytes;
	memcpy(place, text.text ? text.text : "", text.bytes);
}

/* The correlation id, or the execution id where there is none. */
static const struct last_ids *ids_of(struct otlp_encoder *encoder,
				     const struct recorded_event *event)
{
	struct last_ids *last = &encoder->last;
	struct recorded_text execution = event->execution_id;
	struct recorded_text correlation =
		event->correlation_id.bytes ? event->correlation_id : execution;

	if (last->execution_bytes && is_text(execution, last->execution, last->execution_bytes) &&
	    is_text(correlation, last->correlation, last->correlation_bytes))
		return last;
	last->command = otlp_ids__command(execution);
	otlp_ids__trace(correlation, &last->trace);
	last->execution_bytes = 0;
	if (execution.bytes <= ID_BYTES && correlation.bytes <= ID_BYTES) {
		remember(last->execution, &last->execution_bytes, execution);
		remember(last->correlation, &last->correlation_bytes, correlation);
	}
	return last;
}

/* ---- requests */

static void drop(struct otlp_encoder *encoder, const struct line_mark *mark)
{
	if (json__reserve(&encoder->dropped, sizeof(*mark)) == 0)
		json__bytes(&encoder->dropped, (const char *)mark, sizeof(*mark));
}

bool otlp_encoder__take_dropped(struct otlp_encoder *encoder, struct line_mark *mark)
{
	if (json__length(&encoder->dropped) == 0)
		return false;
	encoder->dropped.at -= sizeof(*mark);
	memcpy(mark, encoder->dropped.at, sizeof(*mark));
	return true;
}

/* The item begins at `before` of `items`. Without memory for its mark it is taken out again. */
static int finish_item(struct otlp_request *request, struct json *items, size_t before,
		       const struct line_mark *mark)
{
	if (otlp_request__mark(request, mark)) {
		items->at = items->base + before;
		return -ENOMEM;
	}
	otlp_request__added(request, json__length(items) - before);
	return 0;
}

static int put_log(struct otlp_encoder *encoder, const struct recorded_event *event,
		   const struct line_mark *mark)
{
	struct otlp_request *request = &encoder->requests[OTLP_LOGS];
	const struct otlp_resource *resource = otlp_resources__of(encoder->resources, event);
	struct json *items = resource ? otlp_request__items(request, resource) : NULL;
	const struct last_ids *ids = event->execution_id.bytes ? ids_of(encoder, event) : NULL;
	size_t before;

	if (!items)
		return -ENOMEM;
	before = json__length(items);
	if (otlp_log__put(items, event, ids ? &ids->trace : NULL, ids ? ids->command : 0))
		return -ENOMEM;
	return finish_item(request, items, before, mark);
}

/* What no span took becomes a log record. */
static void log_held(struct otlp_encoder *encoder, struct held_event *held)
{
	struct recorded_event event;

	if (recorded_line__read(&encoder->lines, &event, held->text, held->line_bytes) ||
	    put_log(encoder, &event, &held->mark))
		drop(encoder, &held->mark);
	held_event__free(held);
}

static void let_go(struct otlp_encoder *encoder, struct open_command *command)
{
	struct held_event *held = open_commands__swap_start(encoder->open, command, NULL);

	if (held)
		log_held(encoder, held);
	while ((held = open_commands__take_fragment(encoder->open, command, 0, true)))
		log_held(encoder, held);
	open_commands__remove(encoder->open, command);
}

bool otlp_encoder__let_go(struct otlp_encoder *encoder)
{
	struct open_command *command = open_commands__excess(encoder->open, true);

	if (command)
		let_go(encoder, command);
	return command != NULL;
}

/* ---- what is held */

size_t otlp_encoder__held_bytes(const struct otlp_encoder *encoder)
{
	return open_commands__bytes(encoder->open);
}

/* NULL: no memory. */
static struct open_command *open_command_of(struct otlp_encoder *encoder, uint64_t span)
{
	struct open_command *command = open_commands__find(encoder->open, span), *oldest;

	if (command)
		return command;
	command = open_commands__add(encoder->open, span);
	while ((oldest = open_commands__excess(encoder->open, false)) && oldest != command)
		let_go(encoder, oldest);
	return command;
}

/* The oldest commands give way. False: the command can hold no more, or the request has no room for
 * the events of another one. */
static bool make_room(struct otlp_encoder *encoder, const struct open_command *command,
		      size_t bytes)
{
	const struct otlp_request *logs = &encoder->requests[OTLP_LOGS];
	struct open_command *oldest;

	if (!open_command__may_hold(command, bytes))
		return false;
	while ((oldest = open_commands__in_the_way(encoder->open, command, bytes)) &&
	       !otlp_request__is_full(logs))
		let_go(encoder, oldest);
	return !oldest;
}

static struct held_event *new_held(struct otlp_encoder *encoder, const struct recorded_event *event,
				   const struct line_mark *mark,
				   int (*put)(struct json *json,
					      const struct recorded_event *event))
{
	struct held_event *held;

	encoder->part.at = encoder->part.base;
	if (put(&encoder->part, event))
		return NULL;
	held = held_event__new(mark, event->line, &encoder->part);
	if (held)
		held->time_ns = event->timestamp_ns;
	return held;
}

static int hold_start(struct otlp_encoder *encoder, const struct recorded_event *event,
		      const struct line_mark *mark)
{
	uint64_t span = ids_of(encoder, event)->command;
	struct open_command *command = open_command_of(encoder, span);
	struct held_event *held =
		command ? new_held(encoder, event, mark, otlp_span__put_origin) : NULL;
	struct held_event *before;

	if (!held)
		return -ENOMEM;
	known_traces__add(encoder->known, span, &ids_of(encoder, event)->trace);
	command->is_consumer = RECORDED_HAS(event, queue_name);
	before = open_commands__swap_start(encoder->open, command, NULL);
	if (before)
		log_held(encoder, before);
	if (!make_room(encoder, command, held_event__bytes(held))) {
		held_event__free(held);
		return put_log(encoder, event, mark);
	}
	open_commands__swap_start(encoder->open, command, held);
	return 0;
}

static int hold_part(struct otlp_encoder *encoder, const struct recorded_event *event,
		     const struct line_mark *mark)
{
	uint64_t span = ids_of(encoder, event)->command;
	struct open_command *command = open_command_of(encoder, span);
	struct held_event *held;

	if (!command)
		return -ENOMEM;
	if (command->fragments_count == HELD_FRAGMENTS_MAX)
		return put_log(encoder, event, mark);
	held = new_held(encoder, event, mark, otlp_span__put_event);
	if (!held)
		return -ENOMEM;
	if (!make_room(encoder, command, held_event__bytes(held))) {
		held_event__free(held);
		return put_log(encoder, event, mark);
	}
	if (event->step_id.bytes)
		held->step = otlp_ids__inner(span, OTLP_STEP, event->step_id);
	open_commands__hold_fragment(encoder->open, command, held);
	return 0;
}

/* ---- spans */

/* The command that started this one. In a trace that is not known, it is taken for the parent: the
 * most frequent case. */
static void place_child(struct otlp_encoder *encoder, const struct recorded_event *event,
			struct otlp_span *span)
{
	uint64_t starter = otlp_ids__command(event->parent_execution_id);
	struct otlp_trace trace;

	span->parent = span->trace.parent;
	if (!event->parent_execution_id.bytes)
		return;
	if (!known_traces__find(encoder->known, starter, &trace) ||
	    (trace.high == span->trace.high && trace.low == span->trace.low)) {
		span->parent = starter;
		return;
	}
	span->linked_trace = trace;
	span->linked_span = starter;
}

static struct recorded_text own_id(const struct recorded_event *event, struct recorded_text id)
{
	return id.bytes ? id : event->line;
}

static void place(struct otlp_encoder *encoder, const struct recorded_event *event,
		  struct otlp_span *span)
{
	const struct last_ids *ids = ids_of(encoder, event);

	*span = (struct otlp_span){.trace = ids->trace, .id = ids->command, .parent = ids->command};
	if (event->kind == RECORDED_STEP_EXECUTED) {
		span->id = otlp_ids__inner(ids->command, OTLP_STEP, own_id(event, event->step_id));
		if (event->parent_step_id.bytes)
			span->parent =
				otlp_ids__inner(ids->command, OTLP_STEP, event->parent_step_id);
	} else if (event->kind == RECORDED_TOOL_COMPLETED) {
		span->id = otlp_ids__inner(ids->command, OTLP_TOOL,
					   own_id(event, event->invocation_id));
		if (event->step_id.bytes)
			span->parent = otlp_ids__inner(ids->command, OTLP_STEP, event->step_id);
	} else if (event->kind == RECORDED_VALIDATION_FAILED) {
		span->id = otlp_ids__inner(ids->command, OTLP_REJECTION, event->execution_id);
		span->parent = span->trace.parent;
	} else {
		known_traces__add(encoder->known, ids->command, &ids->trace);
		place_child(encoder, event, span);
	}
}

/* Moves the fragments of the span into its events. */
static void take_fragments(struct otlp_encoder *encoder, struct open_command *command,
			   struct otlp_span *span, bool is_command)
{
	struct otlp_request *request = &encoder->requests[OTLP_TRACES];
	struct held_event *fragment;

	encoder->part.at = encoder->part.base;
	while ((fragment = open_commands__take_fragment(encoder->open, command, span->id,
							is_command))) {
		if (json__reserve(&encoder->part, fragment->part_bytes) ||
		    otlp_request__mark(request, &fragment->mark))
			drop(encoder, &fragment->mark);
		else
			json__bytes(&encoder->part, fragment->text + fragment->line_bytes,
				    fragment->part_bytes);
		held_event__free(fragment);
	}
	span->events = encoder->part.base;
	span->events_bytes = json__length(&encoder->part);
}

static int take_start(struct otlp_encoder *encoder, const struct open_command *command,
		      struct otlp_span *span)
{
	const struct held_event *start = command->start;

	if (!start)
		return 0;
	if (otlp_request__mark(&encoder->requests[OTLP_TRACES], &start->mark))
		return -ENOMEM;
	span->started_ns = start->time_ns;
	span->attributes = start->text + start->line_bytes;
	span->attributes_bytes = start->part_bytes;
	span->is_consumer = command->is_consumer;
	return 0;
}

static int write_span(struct otlp_encoder *encoder, const struct otlp_span *span,
		      const struct recorded_event *event, const struct line_mark *mark)
{
	struct otlp_request *request = &encoder->requests[OTLP_TRACES];
	const struct otlp_resource *resource = otlp_resources__of(encoder->resources, event);
	struct json *items = resource ? otlp_request__items(request, resource) : NULL;
	size_t before;

	if (!items)
		return -ENOMEM;
	before = json__length(items);
	if (otlp_span__put(items, span, event))
		return -ENOMEM;
	return finish_item(request, items, before, mark);
}

/* Marks of this item whose span was not written. */
static void drop_marks(struct otlp_encoder *encoder, size_t bytes)
{
	struct json *marks = &encoder->requests[OTLP_TRACES].marks;

	while (json__length(marks) > bytes) {
		marks->at -= sizeof(struct otlp_mark);
		drop(encoder, &((const struct otlp_mark *)marks->at)->mark);
	}
}

static int put_span(struct otlp_encoder *encoder, const struct recorded_event *event,
		    const struct line_mark *mark)
{
	bool is_command = event->kind == RECORDED_COMMAND_COMPLETED;
	size_t marks_bytes = json__length(&encoder->requests[OTLP_TRACES].marks);
	struct open_command *command;
	struct otlp_span span;
	int code = 0;

	place(encoder, event, &span);
	command = open_commands__find(encoder->open, encoder->last.command);
	if (command && (is_command || command->fragments))
		take_fragments(encoder, command, &span, is_command);
	if (command && is_command)
		code = take_start(encoder, command, &span);
	if (!code)
		code = write_span(encoder, &span, event, mark);
	if (code)
		drop_marks(encoder, marks_bytes);
	if (command && is_command)
		open_commands__remove(encoder->open, command);
	return code;
}

int otlp_encoder__learn(struct otlp_encoder *encoder, const struct recorded_event *event)
{
	if (event->kind == RECORDED_COMMAND_STARTED || event->kind == RECORDED_COMMAND_COMPLETED) {
		const struct last_ids *ids = ids_of(encoder, event);

		known_traces__add(encoder->known, ids->command, &ids->trace);
	}
	return otlp_resources__learn(encoder->resources, event);
}

/* A command that runs can reject its arguments, too. Then its end follows. */
static bool is_of_running(struct otlp_encoder *encoder, const struct recorded_event *event)
{
	return event->kind == RECORDED_VALIDATION_FAILED &&
	       open_commands__find(encoder->open, ids_of(encoder, event)->command);
}

int otlp_encoder__put(struct otlp_encoder *encoder, const struct recorded_event *event,
		      const struct line_mark *mark)
{
	if (otlp_resources__learn(encoder->resources, event))
		return -ENOMEM;
	if (!event->timestamp_ns)
		return -ENODATA;
	if (!recorded_event__is_of_runner(event) || event->kind == RECORDED_COMMAND_OVERDUE)
		return put_log(encoder, event, mark);
	if (!event->execution_id.bytes)
		return -ENODATA;
	if (event->kind == RECORDED_COMMAND_STARTED)
		return hold_start(encoder, event, mark);
	if (event->kind == RECORDED_FRAGMENT_CHANGED || is_of_running(encoder, event))
		return hold_part(encoder, event, mark);
	return put_span(encoder, event, mark);
}
