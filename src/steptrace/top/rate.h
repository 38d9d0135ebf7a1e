/* SPDX-License-Identifier: BSD-2-Clause */
/* How many things happened per second, in the last RATE_SECONDS seconds. */
#ifndef STEPTRACE_TOP_RATE_H
#define STEPTRACE_TOP_RATE_H

#include <stdint.h>

enum { RATE_SECONDS = 5 };

/* A count for each second, in a ring. Zeroed: nothing happened. */
struct rate {
	uint64_t seconds[RATE_SECONDS + 1]; /* which second the count is of */
	uint32_t counts[RATE_SECONDS + 1];
};

/* Something happened at this time. */
void rate__add(struct rate *rate, uint64_t time_ns);

/* `from_ns` is when counting began: the rate is about a shorter time where that is not so long
 * ago. */
double rate__per_second(const struct rate *rate, uint64_t from_ns, uint64_t now_ns);

#endif
