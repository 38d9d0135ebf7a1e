/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ids of traces and spans. They are computed from the ids of the events alone. So a span that
 * is sent again, or that is exported from a recording, has the same ids.
 *
 *	trace	the correlation id, where it is a UUID, 32 hexadecimal digits (W3C trace id), or a
 *		traceparent; else a hash of it
 *	span	a hash of the execution id; for steps and tools of the execution and of their own
 *		id; for a rejection of the execution twice
 *
 * The hash is SipHash-2-4 with fixed keys. No id is zero: OTLP calls such an id invalid.
 */
#ifndef STEPTRACE_OTLP_IDS_H
#define STEPTRACE_OTLP_IDS_H

#include <stdint.h>

#include "steptrace/recording/recorded_event.h"

struct otlp_trace {
	uint64_t high, low; /* of the id: 16 bytes, big-endian */
	uint64_t parent;    /* of a traceparent: the span that called the command; 0: none */
};

void otlp_ids__trace(struct recorded_text correlation_id, struct otlp_trace *trace);

/* The span of the command. */
uint64_t otlp_ids__command(struct recorded_text execution_id);

/* What else is in an execution. */
enum otlp_inner { OTLP_STEP, OTLP_TOOL, OTLP_REJECTION };

/* `command` is the span of the command. */
uint64_t otlp_ids__inner(uint64_t command, enum otlp_inner kind, struct recorded_text id);

#endif
