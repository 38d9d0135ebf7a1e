/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a recording within --max-cpu. The governor measures the tracer's processor time, asks
 * budget.h for the level of detail, and when the level changes tells the BPF programs, the stream
 * (trace.degraded) and the log.
 */
#ifndef STEPTRACE_GOVERNOR_H
#define STEPTRACE_GOVERNOR_H

#include "steptrace/capture/capture.h"
#include "steptrace/record/budget.h"
#include "steptrace/stream/stream.h"

/* Zeroed, but for budget.max_share: nothing was measured yet. */
struct governor {
	struct budget budget;
	double others_share; /* of one processor, which other processes of the tracer may use */
	uint64_t measured_ns, cpu_ns, records_count; /* as of the last measurement */
	uint64_t hits[PROBES_COUNT];
};

/* Totals since the recording began. */
struct governor_load {
	uint64_t now_ns;
	uint64_t records_count; /* read from the ring buffers */
	const uint64_t *hits;   /* by probe, PROBES_COUNT of them */
};

/* Call it on every timer: it measures every 250 ms, and never without a limit. */
void governor__update(struct governor *governor, const struct governor_load *load,
		      struct capture *capture, struct stream *stream);

#endif
