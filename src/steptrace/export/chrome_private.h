/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the Chrome trace share: chrome.c reads events, chrome_executions.c holds and
 * draws executions, chrome_tracks.c names processes and threads and draws flows. */
#ifndef STEPTRACE_CHROME_PRIVATE_H
#define STEPTRACE_CHROME_PRIVATE_H

#include "steptrace/export/chrome.h"
#include "steptrace/export/chrome_lines.h"
#include "steptrace/export/held_executions.h"
#include "steptrace/export/processes.h"
#include "steptrace/stream/text_hash.h"

struct chrome {
	struct chrome_lines lines;
	struct held_executions *executions; /* owned, as the next one */
	struct processes *processes;
	struct trace_place trace;
	struct json scratch;   /* where the body of a span is made */
	struct text_hash hash; /* of the ids of steps */
	size_t held_bytes, held_limit;
	uint64_t losses; /* slices so far, for their ids */
	struct chrome_counts counts;
	int err; /* the first; 0: none */
};

/* ---- chrome_tracks.c */

/* The process of the event, named if it is new; for the events of an execution that is known, that
 * of the execution. */
struct chrome_place chrome__place_of(struct chrome *chrome, const struct recorded_event *event,
				     const struct held_execution *execution);

/* Where the losses of the trace that is being read are drawn. */
struct chrome_place chrome__tracer_place(struct chrome *chrome, const struct recorded_event *event);

/* The flows that end where this command starts, and its time in the queue. */
void chrome__draw_origin(struct chrome *chrome, const struct recorded_event *event,
			 const struct held_execution *execution);

/* One execution of the process more or less is open. */
void chrome__count_open(struct chrome *chrome, const struct held_execution *execution, uint64_t ns,
			int change);

/* ---- chrome_executions.c */

/* The execution of the event, made if it is not known or has ended. NULL: no memory, or no id. */
struct held_execution *chrome__execution_of(struct chrome *chrome,
					    const struct recorded_event *event);

/* Keeps what is known of the command at its start. */
void chrome__keep_start(struct chrome *chrome, struct held_execution *execution,
			const struct recorded_event *event);

/* Holds the event as a span or an instant of its execution. */
void chrome__hold(struct chrome *chrome, struct held_execution *execution,
		  const struct recorded_event *event);

/* The command has ended: adds its span and draws all. */
void chrome__complete(struct chrome *chrome, struct held_execution *execution,
		      const struct recorded_event *event);

/* Draws what is held of an execution whose end was not seen, and forgets it. */
void chrome__give_up(struct chrome *chrome, struct held_execution *execution);

#endif
