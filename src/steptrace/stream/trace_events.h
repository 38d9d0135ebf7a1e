/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines about the recording itself: trace.started, trace.attached, trace.detached, trace.lost,
 * trace.degraded, trace.clock and trace.stopped.
 *
 * In compact format trace.started is the line with the titles of the columns, and trace.lost is a
 * line. The log on stderr reports the other facts: there the functions return 0 and append nothing.
 */
#ifndef STEPTRACE_TRACE_EVENTS_H
#define STEPTRACE_TRACE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/stream/stream.h"

enum { SCHEMA_VERSION = 2 };

struct trace_facts {
	const char *host;
	const char *boot_id;
	const char *kernel;
	const char *site;           /* "nop5" */
	const char *method;         /* "uprobe_multi" */
	const char *const *targets; /* the targets of the command line */
	size_t targets_count;
	bool breakdown;                   /* --breakdown */
	const char *const *pseudonymized; /* the fields of --pseudonymize */
	size_t pseudonymized_count;
};

/* A binary whose probes are, or were, attached. */
struct trace_binary {
	const char *exe; /* its path as the process or the command line has it */
	uint64_t inode;
	const char *build_id; /* "": the binary has none */
	const char *site;
	uint64_t late_ns; /* how long a process had used it when it was attached; 0: not known */
	const uint32_t *pids; /* the processes that are known to run it */
	size_t pids_count;
};

/* Why processes of the targets were not traced. */
enum untraced_reason {
	UNTRACED_PROCESSES,  /* more of them than can be followed */
	UNTRACED_OPEN_FILES, /* their binary was not attached: the limit of open files */
	UNTRACED_MEMORY,     /* the same: not enough memory */
	UNTRACED_REFUSED,    /* the same: any other error */
	UNTRACED_REASONS_COUNT,
};

extern const char *const untraced_names[UNTRACED_REASONS_COUNT]; /* "open_files_limit" */

/* Counted since the recording began. Each is also a metric (record/vitals.c). */
struct trace_totals {
	uint64_t hits;
	const char *reason;                        /* why it stopped */
	uint64_t untraced[UNTRACED_REASONS_COUNT]; /* processes */
	uint64_t forgotten;        /* open executions that were dropped: there were too many */
	uint64_t decisions_lost;   /* how often a filter decided again for an execution */
	uint64_t breakdowns_lost;  /* spans that --breakdown could not measure */
	struct whole_counts whole; /* executions that --whole decided */
	uint64_t overdue;          /* events of --overdue, for which no probe is hit */
};

uint64_t trace_totals__untraced(const struct trace_totals *totals);

/* How much of the detail is dropped to stay within --max-cpu. */
struct trace_degree {
	const char *level;     /* "steps_sampled" */
	uint32_t sample_every; /* one of so many executions keeps its steps; 0: none does */
	double cpu_percent, max_cpu_percent;
};

/* Each appends one line to stream__lines(). 0, or -ENOMEM: nothing was appended. */
int trace_events__started(struct stream *stream, const struct trace_facts *facts);
int trace_events__attached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns);
int trace_events__detached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns);
int trace_events__lost(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		       uint64_t lost, uint64_t since_ns, uint64_t until_ns);

int trace_events__degraded(struct stream *stream, const struct trace_degree *degree,
			   uint64_t now_ns);

/* The wall clock was set. `now` is the new time; `ahead_ns` says how far it is ahead of the
 * timestamps, which go on as before (clock_anchor__ahead_ns). */
int trace_events__clock(struct stream *stream, const struct clock_pair *now, int64_t ahead_ns);

/* The same for the buffer of one output, which has its own losses and its own trace.stopped.
 * `window_ns` is the time from which and until which the hits were lost. */
int trace_events__put_lost(struct json *json, enum stream_format format, struct clock_anchor *clock,
			   enum event_kind kind, enum loss_reason reason, uint64_t lost,
			   const uint64_t window_ns[2]);
int trace_events__put_stopped(struct json *json, enum stream_format format,
			      struct clock_anchor *clock, const struct stream_counts *counts,
			      const struct trace_totals *totals, uint64_t now_ns);

#endif
