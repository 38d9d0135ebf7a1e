// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/chrome_args.h"
#include "steptrace/export/chrome_private.h"
#include "steptrace/export/event_span.h"

struct held_execution *chrome__execution_of(struct chrome *chrome,
					    const struct recorded_event *event)
{
	struct held_execution *execution;
	struct chrome_place place;

	if (!event->execution_id.bytes)
		return NULL;
	execution = held_executions__find(chrome->executions, event->execution_id);
	place = chrome__place_of(chrome, event, NULL);
	if (!execution || !execution->is_open) {
		execution = held_executions__open(chrome->executions, event->execution_id);
		if (!execution) {
			chrome->err = -ENOMEM;
			return NULL;
		}
		execution->process = place.process;
		execution->tid = place.tid;
	}
	if (event->timestamp_ns > execution->last_ns)
		execution->last_ns = event->timestamp_ns;
	return execution;
}

/* ---- drawing */

struct drawing {
	struct chrome *chrome;
	struct chrome_id id;
	struct chrome_place place;
	bool is_flat; /* the spans have no lane: all of them are instants */
};

static void draw(void *context, const struct span *span, bool is_begin)
{
	struct drawing *drawing = context;
	bool is_instant = drawing->is_flat || span->is_instant;
	char phase = is_begin ? 'b' : 'e';

	drawing->chrome->counts.not_nested += drawing->is_flat && !span->is_instant;
	chrome_lines__span(&drawing->chrome->lines, is_instant ? 'n' : phase, "execution",
			   &drawing->id, &drawing->place, span);
}

static void draw_lane(struct drawing *drawing, const struct held_execution *execution, int lane)
{
	drawing->is_flat = lane < 0;
	drawing->id.lane = lane < 0 ? 0 : lane;
	if (spans__walk(&execution->spans, lane, draw, drawing))
		drawing->chrome->err = -ENOMEM;
}

static void draw_spans(struct chrome *chrome, struct held_execution *execution)
{
	struct drawing drawing = {
		.chrome = chrome,
		.id = {execution->id, execution->id_bytes, execution->parts, 0},
		.place = {execution->process, execution->tid},
	};
	int lanes = spans__lay_out(&execution->spans);

	if (execution->spans.count && lanes == 0)
		chrome->err = -ENOMEM;
	for (int lane = -1; lane < lanes; lane++)
		draw_lane(&drawing, execution, lane);
	chrome->held_bytes -= execution->spans.bytes;
	spans__free(&execution->spans);
}

/* So much is open that everything is drawn. What comes later is no part of the same slices: the
 * parents of what was drawn are not known yet. */
static void draw_all_parts(struct chrome *chrome)
{
	struct held_execution *execution = held_executions__oldest(chrome->executions);

	for (; execution; execution = held_executions__next(execution)) {
		if (execution->spans.count == 0)
			continue;
		draw_spans(chrome, execution);
		chrome->counts.split += execution->parts == 0;
		execution->parts++;
	}
}

/* ---- holding */

static void add(struct chrome *chrome, struct held_execution *execution, const struct span *span)
{
	size_t before = execution->spans.bytes;

	if (spans__add(&execution->spans, span))
		chrome->err = -ENOMEM;
	chrome->held_bytes += execution->spans.bytes - before;
}

/* The body is in the scratch buffer from here on. */
static int write_body(struct chrome *chrome, const struct recorded_event *event, struct span *span)
{
	chrome->scratch.at = chrome->scratch.base;
	if (chrome_args__write(&chrome->scratch, event, &span->name_bytes))
		return chrome->err = -ENOMEM;
	span->body = chrome->scratch.base;
	span->body_bytes = json__length(&chrome->scratch);
	return 0;
}

void chrome__hold(struct chrome *chrome, struct held_execution *execution,
		  const struct recorded_event *event)
{
	struct span span = event_span__of(event, &chrome->hash);

	chrome->counts.without_begin += span.is_instant && (event->kind == RECORDED_STEP_EXECUTED ||
							    event->kind == RECORDED_TOOL_COMPLETED);
	if (write_body(chrome, event, &span))
		return;
	add(chrome, execution, &span);
	if (chrome->held_bytes > chrome->held_limit)
		draw_all_parts(chrome);
}

void chrome__keep_start(struct chrome *chrome, struct held_execution *execution,
			const struct recorded_event *event)
{
	struct json *json = &chrome->scratch;
	struct span span;

	if (write_body(chrome, event, &span))
		return;
	if (chrome_args__start(json, event)) {
		chrome->err = -ENOMEM;
		return;
	}
	execution->command = malloc(json__length(json));
	if (!execution->command) {
		chrome->err = -ENOMEM;
		return;
	}
	memcpy(execution->command, json->base, json__length(json));
	execution->name_bytes = span.name_bytes;
	execution->command_split = span.body_bytes;
	execution->command_bytes = json__length(json);
}

/* ---- the end of an execution */

/* What only the start knew comes last. */
static void add_start(struct chrome *chrome, const struct held_execution *execution,
		      struct span *span)
{
	size_t bytes = execution->command_bytes - execution->command_split;

	if (!execution->command)
		return;
	if (json__reserve(&chrome->scratch, bytes)) {
		chrome->err = -ENOMEM;
		return;
	}
	json__bytes(&chrome->scratch, execution->command + execution->command_split, bytes);
	span->body = chrome->scratch.base;
	span->body_bytes = json__length(&chrome->scratch);
}

static void finish(struct chrome *chrome, struct held_execution *execution)
{
	draw_spans(chrome, execution);
	held_executions__end(chrome->executions, execution);
}

void chrome__complete(struct chrome *chrome, struct held_execution *execution,
		      const struct recorded_event *event)
{
	struct span span = event_span__of(event, &chrome->hash);

	if (span.is_instant && execution->began_ns && execution->began_ns <= span.end_ns) {
		span.begin_ns = execution->began_ns;
		span.is_instant = false;
	}
	chrome->counts.without_begin += span.is_instant;
	chrome->counts.executions++;
	if (write_body(chrome, event, &span) == 0) {
		add_start(chrome, execution, &span);
		add(chrome, execution, &span);
	}
	finish(chrome, execution);
}

/* The slice ends with the last event that was seen of it. */
void chrome__give_up(struct chrome *chrome, struct held_execution *execution)
{
	struct json *json = &chrome->scratch;
	struct span span = {
		.id = SPANS_COMMAND_ID,
		.level = EVENT_SPAN_COMMAND_LEVEL,
		.begin_ns = execution->began_ns,
		.end_ns = execution->last_ns,
		.name_bytes = execution->name_bytes,
	};

	json->at = json->base;
	if (execution->command && json__reserve(json, execution->command_bytes + 64) == 0) {
		json__bytes(json, execution->command, execution->command_bytes);
		json__raw(json, ",\"outcome\":null,\"end_seen\":false");
		span.body = json->base;
		span.body_bytes = json__length(json);
		add(chrome, execution, &span);
		chrome->counts.executions++;
		chrome__count_open(chrome, execution, execution->last_ns, -1);
	}
	finish(chrome, execution);
}
