/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracer's own numbers (vitals.h) once a second: printed on stderr (--stats) and kept for the
 * HTTP server (--metrics).
 */
#ifndef STEPTRACE_SELF_STATS_H
#define STEPTRACE_SELF_STATS_H

#include <stdbool.h>

#include "common/error.h"
#include "steptrace/latency/duration_metrics.h"
#include "steptrace/record/metrics.h"
#include "steptrace/record/usage.h"
#include "steptrace/record/vitals.h"

struct self_stats {
	bool prints; /* --stats */
	struct usage usage;
	struct metrics *metrics;            /* NULL: no HTTP server */
	struct duration_metrics *durations; /* owned; NULL: durations are not counted */
	struct vitals before, now;
};

/* `address` is where the HTTP server listens; NULL: no server. 0 or negative errno with a
 * sentence. Call self_stats__close() also after a failure. */
int self_stats__open(struct self_stats *stats, const char *address, bool prints, struct error *err);
void self_stats__close(struct self_stats *stats);

/* Takes the next reading, and prints a line about the time since the reading before. */
void self_stats__update(struct self_stats *stats, const struct vitals *now);

#endif
