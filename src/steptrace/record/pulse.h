/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beat of a recording: once a second its vitals are read, said on stderr where that was asked
 * for (--stats), and kept for who asks over HTTP (--metrics).
 */
#ifndef STEPTRACE_PULSE_H
#define STEPTRACE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/record/metrics.h"
#include "steptrace/record/usage.h"
#include "steptrace/record/vitals.h"

struct session;

struct pulse {
	bool says; /* --stats */
	struct usage usage;
	struct metrics *metrics; /* NULL: nobody asks */
	struct vitals before, now;
};

/* Into zeroed memory. `address` is where the metrics are served; NULL: nowhere. 0 or negative errno with
 * a sentence. */
int pulse__open(struct pulse *pulse, const char *address, struct error *err);
void pulse__close(struct pulse *pulse);

void pulse__beat(struct session *session);

#endif
