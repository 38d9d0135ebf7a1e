/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes one event as a span of OTLP: the end of a command, a step or a tool call, or the rejection
 * of a command that never ran. docs/otlp.md lists the attributes.
 *
 *	{"traceId":"5e0c…","spanId":"9b1d…","parentSpanId":"77a0…","name":"set-title","kind":1,
 *	 "startTimeUnixNano":"…","endTimeUnixNano":"…","attributes":[…],"status":{}},
 */
#ifndef STEPTRACE_OTLP_SPAN_H
#define STEPTRACE_OTLP_SPAN_H

#include "steptrace/otlp/otlp_values.h"

/* Where the span belongs. Zero: none. */
struct otlp_span {
	struct otlp_trace trace;
	uint64_t id, parent;
	struct otlp_trace linked_trace; /* of another trace: the command that started this one */
	uint64_t linked_span;
	uint64_t started_ns; /* of a command: its start, as far as it was seen */
	/* What the start of the command said: elements of the array of attributes. And fragments
	 * that changed in the span: elements of the array of events. */
	const char *attributes, *events;
	size_t attributes_bytes, events_bytes;
	bool is_consumer; /* the command came from a queue */
};

/* The event has a timestamp. Reserves memory; 0 or -ENOMEM. */
int otlp_span__put(struct json *json, const struct otlp_span *span,
		   const struct recorded_event *event);

/* What command.execution.started says beyond the end of the command, as attributes. 0, -ENOMEM. */
int otlp_span__put_origin(struct json *json, const struct recorded_event *started);

/* A changed fragment, or the rejection of a command that runs, as a span event. 0 or -ENOMEM. */
int otlp_span__put_event(struct json *json, const struct recorded_event *event);

#endif
