/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as a span of its execution (spans.h): when it was, and inside of what. */
#ifndef STEPTRACE_EVENT_SPAN_H
#define STEPTRACE_EVENT_SPAN_H

#include "steptrace/export/spans.h"
#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/text_hash.h"

enum { EVENT_SPAN_COMMAND_LEVEL = 0, EVENT_SPAN_STEP_LEVEL = 1 };

/* The duration does not contain the time for which the span was suspended; the span does. It is an
 * instant at its end if the beginning is not known. The event has a timestamp. `hash` makes ids of
 * the ids of steps. The span has no body. */
struct span event_span__of(const struct recorded_event *event, const struct text_hash *hash);

#endif
