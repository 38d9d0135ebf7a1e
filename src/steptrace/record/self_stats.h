/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beat of a recording: once a second its vitals are read, said on stderr where that was asked
 * for (--stats), and kept for who asks over HTTP (--metrics).
 */
#ifndef STEPTRACE_SELF_STATS_H
#define STEPTRACE_SELF_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/record/metrics.h"
#include "steptrace/record/usage.h"
#include "steptrace/record/vitals.h"

struct session;

struct self_stats {
	bool says; /* --stats */
	struct usage usage;
	struct metrics *metrics; /* NULL: nobody asks */
	struct vitals before, now;
};

/* Into zeroed memory. `address` is where the metrics are served; NULL: nowhere. 0 or negative errno with
 * a sentence. */
int self_stats__open(struct self_stats *pulse, const char *address, struct error *err);
void self_stats__close(struct self_stats *pulse);

void self_stats__beat(struct session *session);

#endif
