/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording covers: which traces, of which hosts, when, and what is missing. All other
 * numbers of a report depend on it.
 *
 * A trace is one run of `steptrace record`. The parts of its output begin with the same
 * trace.started, but for the number of the part. How many events it lost is said by trace.stopped;
 * where that is missing, the trace.lost lines are added up, which is a lower bound.
 */
#ifndef STEPTRACE_REPORT_COVERAGE_H
#define STEPTRACE_REPORT_COVERAGE_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/report/rows.h"

enum { COVERAGE_TRACES = 500, COVERAGE_TEXT_BYTES = 256 };

struct coverage_trace {
	char host[COVERAGE_TEXT_BYTES], boot_id[64], version[64];
	char reason[64]; /* why it stopped; "": it has no trace.stopped */
	uint64_t monotonic_ns;
	uint64_t started_ns, stopped_ns, last_ns; /* timestamps; 0: not known */
	uint64_t parts, last_part;                /* that were read; the highest number of one */
	bool has_stopped;
	uint64_t events;     /* of runners, that were read */
	uint64_t lost_lines; /* the sum of its trace.lost */
	uint64_t lost_total; /* of its trace.stopped */
	uint64_t hits, untraced;
	uint64_t filtered;      /* left out by filters, --sample and --whole, or after --count */
	uint64_t degraded;      /* trace.degraded that are no return to all details */
	uint64_t clock_changes; /* trace.clock */
	uint64_t attached, detached;
	bool has_breakdown; /* record --breakdown */
};

struct coverage {
	struct coverage_trace traces[COVERAGE_TRACES]; /* in the order in which they were read */
	size_t traces_count;
	struct coverage_trace others; /* all further ones together */
	uint64_t others_count;        /* parts of these */
	uint64_t unattributed;        /* events in files that do not begin with trace.started */
	struct coverage_trace *now;   /* NULL: not known */
	size_t file_index;
	uint64_t first_ns, last_ns; /* of events of runners; last_ns 0: none has a timestamp */
	struct report_rows *losses; /* by kind and reason, of the trace.lost lines; owned */
};

/* 0 or -ENOMEM. */
int coverage__init(struct coverage *coverage);
void coverage__free(struct coverage *coverage);

/* Every event of the recording. 0 or -ENOMEM. */
int coverage__add(struct coverage *coverage, const struct recorded_event *event);

/* Whether both are parts of the same trace. */
bool coverage_trace__is_same(const struct coverage_trace *one, const struct coverage_trace *other);

/* How many events the trace has lost: a lower bound if it has not stopped. */
uint64_t coverage_trace__lost(const struct coverage_trace *trace);
/* The same of all traces together. */
uint64_t coverage__lost(const struct coverage *coverage);

#endif
