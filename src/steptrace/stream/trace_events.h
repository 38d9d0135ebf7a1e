/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stream says about itself: trace.started, trace.attached, trace.detached, trace.lost,
 * trace.degraded, trace.clock, trace.stopped. As JSON lines; in compact form the same facts are one
 * line for a person.
 */
#ifndef STEPTRACE_TRACE_EVENTS_H
#define STEPTRACE_TRACE_EVENTS_H

#include <stdint.h>

#include "steptrace/stream/stream.h"

enum { SCHEMA_VERSION = 1 };

struct trace_facts {
	const char *host;
	const char *boot_id;
	const char *kernel;
	const char *site;           /* "nop5" */
	const char *method;         /* "uprobe_multi" */
	const char *const *targets; /* what was named on the command line */
	size_t targets_count;
	const char *const *pseudonymized; /* fields whose values are not the real ones */
	size_t pseudonymized_count;
};

/* A binary whose probes are, or were, attached. */
struct trace_binary {
	const char *exe; /* what the process, or the command line, calls it */
	uint64_t inode;
	const char *build_id; /* "": it has none */
	const char *site;
	const uint32_t *pids; /* that run it, as far as they are known */
	size_t pids_count;
};

struct trace_totals {
	uint64_t hits;
	const char *reason; /* why it stopped */
	uint64_t untraced;  /* processes that were meant, and found no room */
};

/* How much is left out, and why. */
struct trace_degree {
	const char *level;     /* "steps_sampled" */
	uint32_t sample_every; /* of so many executions one keeps its steps; 0: none does */
	double cpu_percent, max_cpu_percent;
};

/* Each appends one line to stream__lines(); 0 or -ENOMEM. */
int trace_events__started(struct stream *stream, const struct trace_facts *facts);
int trace_events__attached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns);
int trace_events__detached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns);
int trace_events__lost(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		       uint64_t lost, uint64_t since_ns, uint64_t until_ns);

int trace_events__degraded(struct stream *stream, const struct trace_degree *degree,
			   uint64_t now_ns);

/* The wall clock was set: what it says now, and how far that is ahead of the timestamps. */
int trace_events__clock(struct stream *stream, const struct clock_pair *now, int64_t ahead_ns);

/* The same into any buffer, in a format and with a clock that are given; that of the end is for each
 * output its own. Nothing is written where a person reads and the log says it. */
int trace_events__put_lost(struct json *json, enum stream_format format, struct clock_anchor *clock,
			   enum event_kind kind, enum loss_reason reason, uint64_t lost,
			   const uint64_t window_ns[2]);
int trace_events__put_stopped(struct json *json, enum stream_format format,
			      struct clock_anchor *clock, const struct stream_counts *counts,
			      const struct trace_totals *totals, uint64_t now_ns);

#endif
