// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/rate.h"

#define SECOND_NS 1000000000ull

enum { SLOTS = RATE_SECONDS + 1 };

void rate__add(struct rate *rate, uint64_t time_ns)
{
	uint64_t second = time_ns / SECOND_NS;
	unsigned int slot = (unsigned int)(second % SLOTS);

	if (second < rate->seconds[slot])
		return; /* too late: the slot is in use for a later second */
	if (second > rate->seconds[slot])
		rate->counts[slot] = 0;
	rate->seconds[slot] = second;
	rate->counts[slot]++;
}

/* The second that is not over yet counts as far as it has gone. */
double rate__per_second(const struct rate *rate, uint64_t from_ns, uint64_t now_ns)
{
	uint64_t last = now_ns / SECOND_NS;
	uint64_t first = last > RATE_SECONDS ? last - RATE_SECONDS : 0;
	uint64_t begin_ns = first * SECOND_NS > from_ns ? first * SECOND_NS : from_ns;
	uint64_t count = 0;

	for (int slot = 0; slot < SLOTS; slot++)
		if (rate->seconds[slot] >= first && rate->seconds[slot] <= last)
			count += rate->counts[slot];
	return now_ns > begin_ns ? (double)count * SECOND_NS / (double)(now_ns - begin_ns) : 0;
}
