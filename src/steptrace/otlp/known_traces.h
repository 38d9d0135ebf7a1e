/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which trace a command is, for the commands that it started: one of the same trace has it as
 * its parent, one of another trace has a link to it. A command may be started by one that has
 * ended.
 *
 * The newest commands are remembered, in a table of fixed size: a new one takes the place of an
 * older one.
 */
#ifndef STEPTRACE_OTLP_KNOWN_TRACES_H
#define STEPTRACE_OTLP_KNOWN_TRACES_H

#include "steptrace/otlp/otlp_ids.h"

enum { KNOWN_TRACES_COUNT = 1 << 16 };

struct known_trace {
	uint64_t span, high, low;
};

struct known_traces {
	struct known_trace items[KNOWN_TRACES_COUNT]; /* by the last bits of the span */
};

static inline void known_traces__add(struct known_traces *known, uint64_t span,
				     const struct otlp_trace *trace)
{
	known->items[span % KNOWN_TRACES_COUNT] =
		(struct known_trace){span, trace->high, trace->low};
}

/* False: it is not known. */
static inline bool known_traces__find(const struct known_traces *known, uint64_t span,
				      struct otlp_trace *trace)
{
	const struct known_trace *item = &known->items[span % KNOWN_TRACES_COUNT];

	if (item->span != span)
		return false;
	*trace = (struct otlp_trace){.high = item->high, .low = item->low};
	return true;
}

#endif
