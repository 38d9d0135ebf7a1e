/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a recording within --max-cpu: measures, asks budget.h, and where the level changes has the
 * kernel leave out less or more, says so in the stream (trace.degraded) and to whoever watches.
 */
#ifndef STEPTRACE_GOVERNOR_H
#define STEPTRACE_GOVERNOR_H

#include "steptrace/record/budget.h"

struct session;

struct governor {
	struct budget budget;
	uint64_t looked_ns, cpu_ns, records; /* as of the last look */
	uint64_t hits[PROBES_COUNT];
};

/* Does nothing where there is no limit, or where it did a moment ago. */
void governor__look(struct session *session, uint64_t now_ns);

#endif
