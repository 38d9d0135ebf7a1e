/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as a Chrome trace (see chrome_lines.h), event by event.
 *
 *	chrome = chrome__new(&out);
 *	while (... next event ...)
 *		chrome__event(chrome, &event);
 *	err = chrome__end(chrome, &counts);
 *	chrome__free(chrome);
 *
 * What is drawn: each execution as asynchronous slices with its id (command, steps, tool calls; see
 * spans.h), changed fragments and overdue reports as instants of it; the time in a queue as a slice
 * of the queue; flows from the parent to its child and from the queue to the worker; the number of
 * open executions of each process; what was lost, and rejected commands.
 *
 * Memory is bounded: see processes.h and held_executions.h. The spans of open executions are held
 * up to CHROME_HELD_BYTES. When there are more, all are written, and what comes later of these
 * executions is drawn as a further part. Everything that was left out or split is counted.
 */
#ifndef STEPTRACE_EXPORT_CHROME_H
#define STEPTRACE_EXPORT_CHROME_H

#include "steptrace/export/export_out.h"
#include "steptrace/recording/recorded_event.h"

enum { CHROME_HELD_BYTES = 64 << 20 };

struct chrome_counts {
	uint64_t executions;   /* that are drawn with their command */
	uint64_t steps, tools; /* that are drawn */
	uint64_t flows;
	uint64_t lost;            /* as the recording says (trace.lost) */
	uint64_t without_time;    /* events without timestamp: not drawn */
	uint64_t without_begin;   /* duration null: drawn as an instant */
	uint64_t without_end;     /* executions that were open at the end of the recording */
	uint64_t taken_out;       /* executions that were given up because too many were open */
	uint64_t split;           /* executions in several parts */
	uint64_t not_nested;      /* spans that overlap too many others: drawn as instants */
	uint64_t without_parent;  /* children whose parent is not there: no flow */
	uint64_t without_process; /* events of processes that were too many */
};

struct chrome;

/* NULL: no memory. `out` is borrowed. */
struct chrome *chrome__new(struct export_out *out);

/* The same with another limit than CHROME_HELD_BYTES. */
struct chrome *chrome__with_limit(struct export_out *out, size_t held_bytes);

/* 0, or -ENOMEM or the error of the output: it makes no sense to go on. */
int chrome__event(struct chrome *chrome, const struct recorded_event *event);

/* Draws what is still open, and ends the document. */
int chrome__end(struct chrome *chrome, struct chrome_counts *counts);

/* NULL does nothing. */
void chrome__free(struct chrome *chrome);

#endif
