/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timeline for a picture: at most so many bars of the same width, from the first slot to the
 * last. A bar adds up one slot or several; where nothing ended it is 0.
 */
#ifndef STEPTRACE_REPORT_TIMELINE_BARS_H
#define STEPTRACE_REPORT_TIMELINE_BARS_H

#include "steptrace/report/timeline.h"
#include "steptrace/stream/duration_text.h"

enum { TIMELINE_BARS_MAX = 200 };

struct timeline_bars {
	uint64_t values[TIMELINE_BARS_MAX], highest;
	size_t count;
	uint64_t slots_of_one; /* how many slots a bar stands for */
};

/* `most` bars, but never more than TIMELINE_BARS_MAX. The timeline must have a slot. */
void timeline_bars__collect(struct timeline_bars *bars, const struct timeline *timeline,
			    size_t most, bool only_failed);

/* "second", "minute", "hour", "day", or a duration. Returns that. */
const char *timeline_bars__width_name(uint64_t width_ns, char text[DURATION_TEXT_BYTES]);

#endif
