/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's monotonic stamps to wall-clock time. The two clocks are read together once,
 * when the stream starts; after that every timestamp follows from its stamp alone, so a stepped
 * wall clock cannot reorder a stream.
 */
#ifndef STEPTRACE_CLOCK_H
#define STEPTRACE_CLOCK_H

#include <stdint.h>

#include "steptrace/stream/json.h"

struct clock_anchor {
	uint64_t monotonic_ns;
	uint64_t realtime_ns;
	/* The last second that was written out, so that the calendar is asked once a second. */
	uint64_t written_s;
	char written[21]; /* "2026-01-31T12:00:00."; empty: none yet */
};

enum { CLOCK_TIMESTAMP_BYTES = 30 };

/* CLOCK_MONOTONIC: the clock of the kernel's stamps. */
uint64_t clock__now_ns(void);

/* What this thread has had of the processors. */
uint64_t clock__used_ns(void);

/* Reads both clocks, the pair with the smallest distance out of several. */
void clock__anchor(struct clock_anchor *clock);

uint64_t clock__wall_ns(const struct clock_anchor *clock, uint64_t monotonic_ns);

/* How far the wall clock of a later anchor is ahead of what follows from this one. */
int64_t clock__ahead_ns(const struct clock_anchor *clock, const struct clock_anchor *later);

/* RFC 3339 in UTC with nine decimals, without quotes: 2026-01-31T12:00:00.000000000Z */
void clock__timestamp(struct clock_anchor *clock, struct json *json, uint64_t monotonic_ns);

#endif
