// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>

#include "steptrace/export/chrome_private.h"

/* ---- names of processes and threads */

/* "vm/4711 steprun", and "vm/4711 steprun (2)" for the second process with this pid. */
static void name_process(struct chrome *chrome, struct process *process, const char *host,
			 uint64_t pid, struct recorded_text comm)
{
	struct chrome_place place = {.process = process->number, .tid = 0};
	char name[256], times[16] = "";
	struct json *json = &chrome->scratch;

	if (process->incarnation > 1)
		snprintf(times, sizeof(times), " (%u)", process->incarnation);
	snprintf(name, sizeof(name), "%.*s%s%llu%s%.*s%s", HOST_BYTES, host, *host ? "/" : "",
		 (unsigned long long)pid, comm.bytes ? " " : "",
		 (int)(comm.bytes < 64 ? comm.bytes : 64), comm.bytes ? comm.text : "", times);
	json->at = json->base;
	if (json__reserve(json, JSON_TEXT_BYTES(sizeof(name)))) {
		chrome->err = -ENOMEM;
		return;
	}
	json__text(json, name, strlen(name));
	chrome_lines__name(&chrome->lines, "process_name", &place, json->base, json__length(json));
	process->is_new = false;
}

static void name_thread(struct chrome *chrome, const struct chrome_place *place,
			struct recorded_text comm)
{
	struct json *json = &chrome->scratch;

	json->at = json->base;
	if (json__reserve(json, JSON_TEXT_BYTES(comm.bytes))) {
		chrome->err = -ENOMEM;
		return;
	}
	json__text(json, comm.text, comm.bytes);
	chrome_lines__name(&chrome->lines, "thread_name", place, json->base, json__length(json));
}

/* The process of a pid on the host of the trace. The first event of process 0 is no reason to name
 * it: chrome_lines__end() does. */
static struct process *process_of(struct chrome *chrome, const struct recorded_event *event)
{
	bool is_end = event->aborted_cause.bytes != 0;
	struct process *process =
		processes__of(chrome->processes, &chrome->trace.place, event->pid, is_end);

	if (!process)
		return NULL;
	if (process->is_new && process->number)
		name_process(chrome, process, chrome->trace.place.host, event->pid, event->comm);
	if (process->number)
		process->has_ended = is_end;
	return process;
}

struct chrome_place chrome__place_of(struct chrome *chrome, const struct recorded_event *event,
				     const struct held_execution *execution)
{
	struct process *process = process_of(chrome, event);
	struct chrome_place place = {.process = process ? process->number : 0, .tid = event->tid};

	if (!process)
		chrome->err = -ENOMEM;
	else if (event->comm.bytes && process->number &&
		 processes__is_new_thread(chrome->processes, place.process, place.tid))
		name_thread(chrome, &place, event->comm);
	if (execution && execution->process)
		place.process = execution->process;
	return place;
}

struct chrome_place chrome__tracer_place(struct chrome *chrome, const struct recorded_event *event)
{
	struct recorded_text name = {"steptrace", 9};
	struct process *process = processes__of(chrome->processes, &chrome->trace.place, 0, true);

	(void)event;
	if (process && process->is_new && process->number)
		name_process(chrome, process, chrome->trace.place.host, 0, name);
	return (struct chrome_place){.process = process ? process->number : 0};
}

/* ---- the queue */

/* A queue is drawn as a process of its own: a worker that takes from it may be any process. */
static struct chrome_place queue_place(struct chrome *chrome, struct recorded_text queue)
{
	struct process_place of_queues = {.host = "queue"};
	size_t bytes = queue.bytes < HOST_BYTES ? queue.bytes : HOST_BYTES;
	struct process *process;

	memcpy(of_queues.boot_id, queue.text ? queue.text : "", queue.text ? bytes : 0);
	process = processes__of(chrome->processes, &of_queues, UINT64_MAX, true);
	if (process && process->is_new && process->number) {
		struct chrome_place place = {.process = process->number};
		struct json *json = &chrome->scratch;

		json->at = json->base;
		if (json__reserve(json, 16 + JSON_TEXT_BYTES(bytes)) == 0) {
			json__raw(json, "\"queue");
			json__text(json, of_queues.boot_id, bytes);
			json->base[6] = ' ';
			chrome_lines__name(&chrome->lines, "process_name", &place, json->base,
					   json__length(json));
		}
		process->is_new = false;
	}
	return (struct chrome_place){.process = process ? process->number : 0};
}

/* The name of the slice is that of the command. */
static void draw_wait(struct chrome *chrome, const struct recorded_event *event,
		      const struct held_execution *execution, const struct chrome_place *place,
		      uint64_t since_ns)
{
	struct chrome_id id = {.text = execution->id, .bytes = execution->id_bytes};
	struct span span = {.begin_ns = since_ns, .end_ns = event->timestamp_ns};
	struct json *json = &chrome->scratch;

	json->at = json->base;
	if (json__reserve(json, 64 + JSON_TEXT_BYTES(event->command_slug.bytes))) {
		chrome->err = -ENOMEM;
		return;
	}
	json__raw(json, "\"name\":");
	json__text(json, event->command_slug.text ? event->command_slug.text : "?",
		   event->command_slug.text ? event->command_slug.bytes : 1);
	span.name_bytes = json__length(json);
	json__raw(json, ",\"args\":{\"kind\":\"wait\",\"queue_wait_ms\":");
	json__milliseconds(json, event->wait_ns);
	span.body = json->base;
	span.body_bytes = json__length(json);
	chrome_lines__span(&chrome->lines, 'b', "queue", &id, place, &span);
	chrome_lines__span(&chrome->lines, 'e', "queue", &id, place, &span);
}

/* ---- flows */

static void draw_flow(struct chrome *chrome, const char *category, const struct chrome_place *from,
		      uint64_t from_ns, const struct chrome_place *to,
		      const struct recorded_event *event)
{
	uint64_t number = ++chrome->counts.flows;
	struct recorded_text slug = event->command_slug;

	if (!slug.text)
		slug = (struct recorded_text){"?", 1};
	chrome_lines__flow(&chrome->lines, 's', category, number, from, from_ns, slug);
	chrome_lines__flow(&chrome->lines, 'f', category, number, to, event->timestamp_ns, slug);
}

/* A parent that is not there was before the recording, is in another one, or was forgotten. */
static void draw_parent(struct chrome *chrome, const struct recorded_event *event,
			const struct chrome_place *to, uint64_t since_ns)
{
	const struct held_execution *parent =
		held_executions__find(chrome->executions, event->parent_execution_id);
	struct chrome_place from;

	if (!parent) {
		chrome->counts.without_parent++;
		return;
	}
	from = (struct chrome_place){.process = parent->process, .tid = parent->tid};
	draw_flow(chrome, "parent", &from, since_ns, to, event);
}

void chrome__draw_origin(struct chrome *chrome, const struct recorded_event *event,
			 const struct held_execution *execution)
{
	struct chrome_place to = {.process = execution->process, .tid = execution->tid};
	uint64_t since_ns = event->timestamp_ns;

	if (RECORDED_HAS(event, wait_ns) && event->wait_ns < since_ns)
		since_ns -= event->wait_ns;
	if (event->parent_execution_id.bytes)
		draw_parent(chrome, event, &to, since_ns);
	if (RECORDED_HAS(event, queue_name)) {
		struct chrome_place queue = queue_place(chrome, event->queue_name);

		draw_wait(chrome, event, execution, &queue, since_ns);
		draw_flow(chrome, "queue", &queue, since_ns, &to, event);
	}
}

/* ---- counters */

void chrome__count_open(struct chrome *chrome, const struct held_execution *execution, uint64_t ns,
			int change)
{
	struct process *process = processes__numbered(chrome->processes, execution->process);
	struct chrome_place place = {.process = execution->process};

	if (!process || (change < 0 && process->open == 0))
		return;
	process->open = change < 0 ? process->open - 1 : process->open + 1;
	/* Events of two threads may be in the wrong order by less than a microsecond. */
	if (ns < process->counted_ns)
		ns = process->counted_ns;
	process->counted_ns = ns;
	chrome_lines__counter(&chrome->lines, &place, ns, process->open);
}
