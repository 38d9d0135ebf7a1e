// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/chrome.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/chrome_args.h"
#include "steptrace/export/chrome_private.h"

struct chrome *chrome__with_limit(struct export_out *out, size_t held_bytes)
{
	struct chrome *chrome = calloc(1, sizeof(*chrome));

	if (!chrome)
		return NULL;
	chrome->lines.out = out;
	chrome->held_limit = held_bytes;
	text_hash__init(&chrome->hash);
	chrome->executions = held_executions__new();
	chrome->processes = processes__new();
	if (!chrome->executions || !chrome->processes || json__init(&chrome->scratch, 4096)) {
		chrome__free(chrome);
		return NULL;
	}
	chrome_lines__begin(&chrome->lines);
	return chrome;
}

struct chrome *chrome__new(struct export_out *out)
{
	return chrome__with_limit(out, CHROME_HELD_BYTES);
}

void chrome__free(struct chrome *chrome)
{
	if (!chrome)
		return;
	held_executions__free(chrome->executions);
	processes__free(chrome->processes);
	json__free(&chrome->scratch);
	free(chrome);
}

/* ---- the events of a command */

static void on_started(struct chrome *chrome, const struct recorded_event *event)
{
	struct held_execution *execution = chrome__execution_of(chrome, event);

	if (!execution || execution->began_ns)
		return;
	execution->began_ns = event->timestamp_ns;
	chrome__keep_start(chrome, execution, event);
	chrome__draw_origin(chrome, event, execution);
	chrome__count_open(chrome, execution, event->timestamp_ns, 1);
}

static void on_completed(struct chrome *chrome, const struct recorded_event *event)
{
	struct held_execution *execution = chrome__execution_of(chrome, event);

	if (!execution)
		return;
	if (execution->began_ns)
		chrome__count_open(chrome, execution, event->timestamp_ns, -1);
	chrome__complete(chrome, execution, event);
}

static void on_part(struct chrome *chrome, const struct recorded_event *event)
{
	struct held_execution *execution = chrome__execution_of(chrome, event);

	if (!execution)
		return;
	chrome->counts.steps += event->kind == RECORDED_STEP_EXECUTED;
	chrome->counts.tools += event->kind == RECORDED_TOOL_COMPLETED;
	chrome__hold(chrome, execution, event);
}

/* ---- other events */

static void on_rejected(struct chrome *chrome, const struct recorded_event *event)
{
	struct chrome_place place = chrome__place_of(chrome, event, NULL);
	size_t name_bytes;

	chrome->scratch.at = chrome->scratch.base;
	chrome->err = chrome_args__write(&chrome->scratch, event, &name_bytes);
	if (!chrome->err)
		chrome_lines__instant(&chrome->lines, &place, event->timestamp_ns,
				      chrome->scratch.base, json__length(&chrome->scratch));
}

/* A slice of its own: losses of several kinds overlap. */
static void on_lost(struct chrome *chrome, const struct recorded_event *event)
{
	struct chrome_place place = chrome__tracer_place(chrome, event);
	struct chrome_id id = {.text = "loss", .bytes = 4, .lane = (int)++chrome->losses};
	struct span span = {.end_ns = event->timestamp_ns, .begin_ns = event->timestamp_ns};

	chrome->counts.lost += event->lost;
	if (RECORDED_HAS(event, until_ns))
		span.end_ns = span.begin_ns = event->until_ns;
	if (RECORDED_HAS(event, since_ns) && event->since_ns < span.end_ns)
		span.begin_ns = event->since_ns;
	chrome->scratch.at = chrome->scratch.base;
	chrome->err = chrome_args__write(&chrome->scratch, event, &span.name_bytes);
	span.body = chrome->scratch.base;
	span.body_bytes = json__length(&chrome->scratch);
	if (chrome->err)
		return;
	chrome_lines__span(&chrome->lines, 'b', "loss", &id, &place, &span);
	chrome_lines__span(&chrome->lines, 'e', "loss", &id, &place, &span);
}

static void dispatch(struct chrome *chrome, const struct recorded_event *event)
{
	switch (event->kind) {
	case RECORDED_COMMAND_STARTED: on_started(chrome, event); break;
	case RECORDED_COMMAND_COMPLETED: on_completed(chrome, event); break;
	case RECORDED_STEP_EXECUTED:
	case RECORDED_TOOL_COMPLETED:
	case RECORDED_FRAGMENT_CHANGED:
	case RECORDED_COMMAND_OVERDUE: on_part(chrome, event); break;
	case RECORDED_VALIDATION_FAILED: on_rejected(chrome, event); break;
	case RECORDED_TRACE_LOST: on_lost(chrome, event); break;
	default: break;
	}
}

int chrome__event(struct chrome *chrome, const struct recorded_event *event)
{
	trace_place__note(&chrome->trace, event);
	if (!RECORDED_HAS(event, timestamp_ns)) {
		chrome->counts.without_time += recorded_event__is_of_runner(event);
		return 0;
	}
	chrome_lines__base(&chrome->lines, event->timestamp_ns);
	dispatch(chrome, event);
	while (held_executions__open_count(chrome->executions) > HELD_EXECUTIONS_MAX) {
		chrome->counts.taken_out++;
		chrome__give_up(chrome, held_executions__oldest(chrome->executions));
	}
	return chrome->err ? chrome->err : chrome->lines.out->err;
}

/* ---- the end */

int chrome__end(struct chrome *chrome, struct chrome_counts *counts)
{
	struct chrome_counts *own = &chrome->counts;
	struct held_execution *execution;

	while ((execution = held_executions__oldest(chrome->executions))) {
		own->without_end += execution->began_ns != 0;
		chrome__give_up(chrome, execution);
	}
	own->without_process = processes__left_out(chrome->processes);
	chrome_lines__end(&chrome->lines,
			  (struct chrome_count[]){
				  {"executions", own->executions},
				  {"steps", own->steps},
				  {"tools", own->tools},
				  {"flows", own->flows},
				  {"lost", own->lost},
				  {"without_timestamp", own->without_time},
				  {"without_begin", own->without_begin},
				  {"without_end", own->without_end},
			  },
			  8);
	*counts = *own;
	return chrome->err ? chrome->err : export_out__flush(chrome->lines.out);
}
