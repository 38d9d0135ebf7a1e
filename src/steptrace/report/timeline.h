/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many commands ended and failed in each second, minute, hour or day. It begins with seconds.
 * When there are too many slots, or the recording is long, they are put together to wider ones; no
 * count is lost by that.
 */
#ifndef STEPTRACE_REPORT_TIMELINE_H
#define STEPTRACE_REPORT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMELINE_SLOTS = 4096 };

struct timeline_slot {
	uint64_t start_ns; /* since 1970, a multiple of the width */
	uint64_t count, failed, sum_ns;
};

/* Zeroed: empty. */
struct timeline {
	uint64_t width_ns; /* 0: nothing was added */
	size_t count, last;
	uint64_t untimed;                           /* ended without a timestamp: in no slot */
	struct timeline_slot slots[TIMELINE_SLOTS]; /* those with values, in their order */
};

void timeline__add(struct timeline *timeline, uint64_t at_ns, bool has_failed, uint64_t ns);

/* Widens the slots to minutes, hours or days, so that a person can look at them. */
void timeline__finish(struct timeline *timeline);

#endif
