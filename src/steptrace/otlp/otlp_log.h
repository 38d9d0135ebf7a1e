/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes one event as a log record of OTLP: events about the recording itself (trace.lost), overdue
 * commands, and starts and fragments whose span never came. All fields of the event become
 * attributes: "steptrace." and the name of the field.
 *
 *	{"timeUnixNano":"…","severityNumber":13,"severityText":"WARN","body":{"stringValue":
 *	 "trace.lost"},"attributes":[{"key":"event.name","value":{"stringValue":"trace.lost"}},
 *	 {"key":"steptrace.lost","value":{"intValue":"12"}},…]},
 */
#ifndef STEPTRACE_OTLP_LOG_H
#define STEPTRACE_OTLP_LOG_H

#include "steptrace/otlp/otlp_values.h"

/* `trace` NULL: the record belongs to no trace; `span` 0: to no span. Reserves memory; 0 or
 * -ENOMEM. */
int otlp_log__put(struct json *json, const struct recorded_event *event,
		  const struct otlp_trace *trace, uint64_t span);

#endif
