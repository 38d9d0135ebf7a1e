/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's monotonic stamps to wall-clock timestamps.
 *
 * The anchor is one moment on both clocks; the caller reads it once, when the recording starts
 * (clock__read_pair in common/clock.h). Every timestamp is then computed from the record's stamp
 * and the anchor. So a wall clock that is set later cannot change the order of the events.
 * Nothing here reads a clock.
 */
#ifndef STEPTRACE_CLOCK_ANCHOR_H
#define STEPTRACE_CLOCK_ANCHOR_H

#include <stdint.h>

#include "common/clock.h"
#include "steptrace/stream/json.h"

struct clock_anchor {
	uint64_t monotonic_ns;
	uint64_t realtime_ns; /* the same moment, since 1970 */
	/* The second that was formatted last. Most timestamps of a stream share it with the one
	 * before, so the date is computed about once a second. */
	uint64_t formatted_s;
	char formatted[21]; /* "2026-01-31T12:00:00."; empty: none yet */
};

/* "2026-01-31T12:00:00.000000000Z", without a NUL */
enum { CLOCK_TIMESTAMP_BYTES = 30 };

void clock_anchor__init(struct clock_anchor *anchor, const struct clock_pair *pair);

/* The wall-clock time of a monotonic stamp: nanoseconds since 1970. */
uint64_t clock_anchor__realtime_ns(const struct clock_anchor *anchor, uint64_t monotonic_ns);

/* How far the wall clock of a later pair is ahead of the time that follows from the anchor. Not 0
 * when the wall clock was set in between; negative when it was set back. */
int64_t clock_anchor__ahead_ns(const struct clock_anchor *anchor, const struct clock_pair *later);

/* Appends the timestamp of a monotonic stamp: RFC 3339 in UTC with nine decimals, without quotes.
 * The caller has reserved CLOCK_TIMESTAMP_BYTES. */
void clock_anchor__timestamp(struct clock_anchor *anchor, struct json *json, uint64_t monotonic_ns);

#endif
