/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracer's own numbers: read once a second, shown as a line for a person and as text for
 * Prometheus. Pure.
 */
#ifndef STEPTRACE_VITALS_H
#define STEPTRACE_VITALS_H

#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"
#include "steptrace/stream/stream.h"

enum { VITALS_OUTPUTS_MAX = 8 };

struct output_vitals {
	const char *name;
	uint64_t lost; /* events that were not written to it */
	uint64_t queued_bytes, queue_bytes;
};

/* One reading. Counts are since the beginning. */
struct vitals {
	uint64_t now_ns;
	struct stream_counts counts;
	uint64_t hits;
	uint64_t cpu_ns; /* of the tracer, all threads */
	uint64_t memory_bytes, own_memory_bytes;
	uint64_t lag_ns;                   /* the worst since the reading before, and these: */
	uint64_t unread_bytes, ring_bytes; /* of the fullest ring buffer, and its size */
	uint64_t buffer_bytes;             /* all of them */
	unsigned int level;                /* see budget.h */
	uint64_t binaries, executions;     /* attached; open */
	struct output_vitals outputs[VITALS_OUTPUTS_MAX];
	size_t outputs_count;
};

/* The share of one processor between the two, in percent. */
double vitals__cpu_percent(const struct vitals *before, const struct vitals *now);

enum { VITALS_LINE_BYTES = 384 };

/* "12000 events/s, 0 lost/s, lag 48.1 ms, buffer 3 % of 16M, queue 0 % of 32M, cpu 4.2 %, memory 36.1M" */
void vitals__line(const struct vitals *before, const struct vitals *now,
		  char line[VITALS_LINE_BYTES]);

/* Appends the reading in Prometheus' text format. What fails is in text->err. */
void vitals__prometheus(const struct vitals *now, struct strbuf *text);

#endif
