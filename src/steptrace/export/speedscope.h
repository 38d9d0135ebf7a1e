/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as a file of speedscope (https://www.speedscope.app/file-format-schema.json), event
 * by event. It is used as chrome.h is.
 *
 *	{"$schema":"https://www.speedscope.app/file-format-schema.json","name":"2026-...",
 *	"shared":{"frames":[
 *	{"name":"note"},
 *	{"name":"save FragmentCreateStep","file":"note"}]},
 *	"profiles":[
 *	{"type":"evented","name":"vm/steprun","unit":"nanoseconds","startValue":0,"endValue":900,
 *	"events":[
 *	{"type":"O","frame":0,"at":100},
 *	{"type":"O","frame":1,"at":120},
 *	{"type":"C","frame":1,"at":300},
 *	{"type":"C","frame":0,"at":310}]}]}
 *
 * Profiles. The frames of a profile must nest, so two executions that overlap cannot be in one.
 * A profile for each thread does not solve this: a runner may carry out several executions on a
 * thread in turn, or move one between threads. A profile for each execution does, but then the view
 * that adds up equal stacks sees one execution, and a long recording has a million profiles. So a
 * profile is a lane (lanes.h) of a program, named by the host and the comm of the first event:
 * executions that follow each other share it, also when they are of several processes or threads. A
 * program has as many profiles as it had executions at the same time. Steps that overlap within an
 * execution (spans.h) go to further profiles, each inside of a frame of its command.
 *
 * Lost events are profiles of their own ("vm/lost events"). The format has no place for flows,
 * queues, fragments and overdue reports.
 *
 * Times count from the earliest beginning, and are the same in all profiles. They are exact up to
 * 2^53 ns, which are 104 days.
 *
 * Memory is bounded: spans of open executions up to SPEEDSCOPE_HELD_BYTES; frames.h; lanes.h;
 * held_executions.h; 16 KiB for each lane. Beginnings and ends are in a temporary file until the
 * end (spool.h), because the format wants a profile as a whole; of 32 bytes for each span.
 * Everything that was left out is counted.
 */
#ifndef STEPTRACE_EXPORT_SPEEDSCOPE_H
#define STEPTRACE_EXPORT_SPEEDSCOPE_H

#include "steptrace/export/export_out.h"
#include "steptrace/recording/recorded_event.h"

enum { SPEEDSCOPE_HELD_BYTES = 64 << 20 };

struct speedscope_counts {
	uint64_t profiles;
	uint64_t executions, steps, tools; /* that are drawn */
	uint64_t lost;                     /* as the recording says (trace.lost) */
	uint64_t without_time;             /* events without timestamp: left out */
	uint64_t without_begin;            /* spans whose beginning is not known: left out */
	uint64_t without_end;              /* executions that were open at the end */
	uint64_t taken_out;                /* executions given up because too many were open */
	uint64_t not_held;                 /* spans left out: too many were open */
	uint64_t not_nested;               /* spans left out: they overlap too many others */
	uint64_t without_lane;             /* spans left out: there are too many profiles */
	uint64_t without_name;             /* spans with the name "other": there are too many */
};

struct speedscope;

/* NULL: no memory. `out` is borrowed. */
struct speedscope *speedscope__new(struct export_out *out);

/* The same with another limit than SPEEDSCOPE_HELD_BYTES. */
struct speedscope *speedscope__with_limit(struct export_out *out, size_t held_bytes);

/* 0, -ENOMEM, or the error of the temporary file: it makes no sense to go on. */
int speedscope__event(struct speedscope *speedscope, const struct recorded_event *event);

/* Writes the document. 0, or as the last one, or the error of the output. */
int speedscope__end(struct speedscope *speedscope, struct speedscope_counts *counts);

/* NULL does nothing. */
void speedscope__free(struct speedscope *speedscope);

#endif
