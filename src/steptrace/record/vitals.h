/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracer's own numbers: rate, lag, buffers, processor time, memory, losses. This file formats a
 * reading as a line for a person (--stats) and as text for Prometheus (--metrics). Pure.
 */
#ifndef STEPTRACE_VITALS_H
#define STEPTRACE_VITALS_H

#include <stddef.h>
#include <stdint.h>

#include "common/prometheus_text.h"
#include "steptrace/stream/stream.h"
#include "steptrace/stream/trace_events.h"

enum { VITALS_OUTPUTS_MAX = 8 };

struct output_vitals {
	const char *name;
	uint64_t lost; /* events that this output did not write */
	uint64_t queued_bytes, queue_bytes;
};

/* One reading. Counts are totals since the recording began. */
struct vitals {
	uint64_t now_ns;
	struct stream_counts counts;
	struct trace_totals totals; /* as in trace.stopped; reason: NULL while it records */
	uint64_t cpu_ns;            /* of the tracer, all threads; since its start */
	uint64_t memory_bytes, own_memory_bytes;
	uint64_t lag_ns;               /* the worst since the previous reading */
	uint64_t unread_bytes;         /* of the fullest ring buffer since the previous reading */
	uint64_t ring_bytes;           /* the size of one ring buffer */
	uint64_t buffer_bytes;         /* the size of all ring buffers together */
	unsigned int level;            /* see budget.h */
	uint64_t binaries, executions; /* attached binaries; open executions */
	uint64_t oldest_ns;            /* the age of the oldest open execution; 0: none is open */
	uint64_t held_events;          /* --whole: that wait for the end of their execution */
	uint64_t held_bytes, hold_bytes;
	struct output_vitals outputs[VITALS_OUTPUTS_MAX];
	size_t outputs_count;
};

/* The share of one processor that the tracer used between two readings, in percent. */
double vitals__cpu_percent(const struct vitals *before, const struct vitals *now);

enum { VITALS_LINE_BYTES = 448 };

/* "12000 events/s, 0 lost/s, lag 48.1 ms, buffer 3 % of 16M, queue 0 % of 32M, cpu 4.2 %, memory
 * 36.1M"; with --whole also "held 12.5 % of 64M", before cpu */
void vitals__line(const struct vitals *before, const struct vitals *now,
		  char line[VITALS_LINE_BYTES]);

/* Appends the reading as metrics. */
void vitals__prometheus(const struct vitals *now, const struct prometheus_text *out);

#endif
