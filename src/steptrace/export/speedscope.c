// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/speedscope.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/event_name.h"
#include "steptrace/export/event_span.h"
#include "steptrace/export/speedscope_private.h"

struct speedscope *speedscope__with_limit(struct export_out *out, size_t held_bytes)
{
	struct speedscope *speedscope = calloc(1, sizeof(*speedscope));

	if (!speedscope)
		return NULL;
	speedscope->out = out;
	speedscope->held_limit = held_bytes;
	spool__init(&speedscope->spool);
	text_hash__init(&speedscope->hash);
	speedscope->executions = held_executions__new();
	speedscope->frames = speedscope_frames__new();
	speedscope->lanes = lanes__new();
	if (speedscope->executions && speedscope->frames && speedscope->lanes &&
	    json__init(&speedscope->scratch, 4096) == 0)
		return speedscope;
	speedscope__free(speedscope);
	return NULL;
}

struct speedscope *speedscope__new(struct export_out *out)
{
	return speedscope__with_limit(out, SPEEDSCOPE_HELD_BYTES);
}

void speedscope__free(struct speedscope *speedscope)
{
	if (!speedscope)
		return;
	held_executions__free(speedscope->executions);
	speedscope_frames__free(speedscope->frames);
	lanes__free(speedscope->lanes);
	spool__close(&speedscope->spool);
	json__free(&speedscope->scratch);
	free(speedscope);
}

/* ---- frames */

/* What an aggregating view must not mix with what succeeded. */
static const char *word_of(const struct recorded_event *event)
{
	switch (event->outcome) {
	case RECORDED_FAILURE: return "failure";
	case RECORDED_SKIPPED: return "skipped";
	case RECORDED_ABORTED: return "aborted";
	case RECORDED_CANCELLED: return "cancelled";
	default: return "";
	}
}

/* {"name":"save FragmentCreateStep (failure)","file":"note"}; speedscope gives frames of one file
 * related colours. */
static uint32_t frame_of(struct speedscope *speedscope, const struct recorded_event *event,
			 const char *word)
{
	struct recorded_text slug = event->command_slug;
	struct json *json = &speedscope->scratch;
	bool has_file = slug.bytes && (event->kind == RECORDED_STEP_EXECUTED ||
				       event->kind == RECORDED_TOOL_COMPLETED);
	uint32_t number = 0;

	json->at = json->base;
	if (json__reserve(json, 128 + event_name__bytes(event) + JSON_TEXT_BYTES(slug.bytes))) {
		speedscope->err = -ENOMEM;
		return 0;
	}
	json__raw(json, "{\"name\":");
	event_name__put(json, event);
	if (*word) {
		json->at--; /* the quote */
		json__raw(json, " (");
		json__word(json, word);
		json__raw(json, ")\"");
	}
	if (has_file) {
		json__raw(json, ",\"file\":");
		json__text(json, slug.text, slug.bytes);
	}
	json__raw(json, "}");
	if (speedscope_frames__number(speedscope->frames, json->base, json__length(json), &number))
		speedscope->err = -ENOMEM;
	return number;
}

/* ---- executions */

/* "vm/steprun": the host and the program. */
static uint32_t group_of(struct speedscope *speedscope, struct recorded_text comm)
{
	const char *host = speedscope->trace.place.host;
	char name[2 * HOST_BYTES + 1];
	size_t bytes = strnlen(host, HOST_BYTES);

	memcpy(name, host, bytes);
	if (bytes)
		name[bytes++] = '/';
	if (comm.bytes > HOST_BYTES)
		comm.bytes = HOST_BYTES;
	if (comm.bytes)
		memcpy(name + bytes, comm.text, comm.bytes);
	bytes += comm.bytes;
	return lanes__group(speedscope->lanes, bytes ? name : "?", bytes ? bytes : 1);
}

/* The name of the command is needed again if its end is not seen. */
static void keep_slug(struct speedscope *speedscope, struct held_execution *execution,
		      const struct recorded_event *event)
{
	if (execution->command || !event->command_slug.bytes)
		return;
	execution->command = malloc(event->command_slug.bytes);
	if (!execution->command) {
		speedscope->err = -ENOMEM;
		return;
	}
	memcpy(execution->command, event->command_slug.text, event->command_slug.bytes);
	execution->command_bytes = event->command_slug.bytes;
	speedscope->held_bytes += execution->command_bytes;
}

static struct held_execution *open_execution(struct speedscope *speedscope,
					     const struct recorded_event *event)
{
	struct held_execution *execution =
		held_executions__open(speedscope->executions, event->execution_id);

	if (execution)
		execution->process = group_of(speedscope, event->comm);
	else
		speedscope->err = -ENOMEM;
	return execution;
}

static void add(struct speedscope *speedscope, struct held_execution *execution, struct span *span,
		struct drawn_span drawn)
{
	size_t before = execution->spans.bytes;

	span->body = (char *)&drawn;
	span->body_bytes = sizeof(drawn);
	if (spans__add(&execution->spans, span))
		speedscope->err = -ENOMEM;
	speedscope->held_bytes += execution->spans.bytes - before;
}

static void on_part(struct speedscope *speedscope, struct held_execution *execution,
		    const struct recorded_event *event)
{
	struct span span = event_span__of(event, &speedscope->hash);
	struct drawn_span drawn = {.is_tool = event->kind == RECORDED_TOOL_COMPLETED};

	if (speedscope->held_bytes >= speedscope->held_limit) {
		speedscope->counts.not_held++;
		return;
	}
	drawn.frame = frame_of(speedscope, event, word_of(event));
	add(speedscope, execution, &span, drawn);
}

/* The earliest beginning of a span of the execution; UINT64_MAX: there is none. */
static uint64_t first_begin(const struct held_execution *execution)
{
	uint64_t begin_ns = execution->began_ns ? execution->began_ns : UINT64_MAX;

	for (size_t i = 0; i < execution->spans.count; i++)
		if (!execution->spans.items[i].is_instant &&
		    execution->spans.items[i].begin_ns < begin_ns)
			begin_ns = execution->spans.items[i].begin_ns;
	return begin_ns;
}

static void finish(struct speedscope *speedscope, struct held_execution *execution,
		   struct span *command, uint32_t frame)
{
	if (command->is_instant && first_begin(execution) <= command->end_ns) {
		command->begin_ns = first_begin(execution);
		command->is_instant = false;
	}
	add(speedscope, execution, command, (struct drawn_span){.frame = frame});
	speedscope__draw(speedscope, execution, frame);
	speedscope->held_bytes -= execution->command_bytes;
	held_executions__end(speedscope->executions, execution);
}

static void on_completed(struct speedscope *speedscope, struct held_execution *execution,
			 const struct recorded_event *event)
{
	struct span command = event_span__of(event, &speedscope->hash);

	finish(speedscope, execution, &command, frame_of(speedscope, event, word_of(event)));
}

/* It ends with the last event that was seen of it. */
static void give_up(struct speedscope *speedscope, struct held_execution *execution)
{
	struct span command = {
		.id = SPANS_COMMAND_ID,
		.level = EVENT_SPAN_COMMAND_LEVEL,
		.begin_ns = execution->last_ns,
		.end_ns = execution->last_ns,
		.is_instant = true,
	};
	const struct recorded_event event = {
		.kind = RECORDED_COMMAND_STARTED,
		.command_slug = {execution->command, execution->command_bytes},
	};

	finish(speedscope, execution, &command, frame_of(speedscope, &event, "no end"));
}

/* ---- events */

static bool opens(const struct recorded_event *event)
{
	return event->kind == RECORDED_COMMAND_STARTED || event->kind == RECORDED_STEP_EXECUTED ||
	       event->kind == RECORDED_COMMAND_COMPLETED || event->kind == RECORDED_TOOL_COMPLETED;
}

static void on_event(struct speedscope *speedscope, const struct recorded_event *event)
{
	struct held_execution *execution =
		held_executions__find(speedscope->executions, event->execution_id);

	if ((!execution || !execution->is_open) && opens(event))
		execution = open_execution(speedscope, event);
	if (!execution || !execution->is_open)
		return;
	keep_slug(speedscope, execution, event);
	if (event->timestamp_ns > execution->last_ns)
		execution->last_ns = event->timestamp_ns;
	if (event->kind == RECORDED_COMMAND_STARTED && !execution->began_ns)
		execution->began_ns = event->timestamp_ns;
	else if (event->kind == RECORDED_COMMAND_COMPLETED)
		on_completed(speedscope, execution, event);
	else if (event->kind == RECORDED_STEP_EXECUTED || event->kind == RECORDED_TOOL_COMPLETED)
		on_part(speedscope, execution, event);
}

static void on_lost(struct speedscope *speedscope, const struct recorded_event *event)
{
	uint64_t end_ns = RECORDED_HAS(event, until_ns) ? event->until_ns : event->timestamp_ns;
	uint64_t begin_ns = RECORDED_HAS(event, since_ns) ? event->since_ns : end_ns;
	uint32_t group = group_of(speedscope, (struct recorded_text){"lost events", 11});

	speedscope__draw_alone(speedscope, group, frame_of(speedscope, event, ""),
			       begin_ns < end_ns ? begin_ns : end_ns, end_ns);
}

int speedscope__event(struct speedscope *speedscope, const struct recorded_event *event)
{
	trace_place__note(&speedscope->trace, event);
	speedscope->counts.lost += event->kind == RECORDED_TRACE_LOST ? event->lost : 0;
	if (!RECORDED_HAS(event, timestamp_ns)) {
		speedscope->counts.without_time += recorded_event__is_of_runner(event);
		return speedscope->err;
	}
	if (event->kind == RECORDED_TRACE_LOST)
		on_lost(speedscope, event);
	else if (recorded_event__is_of_runner(event) && event->execution_id.bytes)
		on_event(speedscope, event);
	while (held_executions__open_count(speedscope->executions) > HELD_EXECUTIONS_MAX) {
		speedscope->counts.taken_out++;
		give_up(speedscope, held_executions__oldest(speedscope->executions));
	}
	return speedscope->err;
}

int speedscope__end(struct speedscope *speedscope, struct speedscope_counts *counts)
{
	struct held_execution *execution;
	int err;

	while ((execution = held_executions__oldest(speedscope->executions))) {
		speedscope->counts.without_end++;
		give_up(speedscope, execution);
	}
	speedscope->counts.profiles = speedscope->lanes->count;
	speedscope->counts.without_name = speedscope_frames__others(speedscope->frames);
	err = speedscope->err ? speedscope->err : speedscope__write(speedscope);
	*counts = speedscope->counts;
	return err ? err : export_out__flush(speedscope->out);
}
