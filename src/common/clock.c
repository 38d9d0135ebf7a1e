// SPDX-License-Identifier: BSD-2-Clause
#include "common/clock.h"

#include <time.h>

enum { PAIR_READINGS = 8 };

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock__now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock__thread_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct clock_pair clock__read_pair(void)
{
	struct clock_pair pair = {0};
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < PAIR_READINGS; i++) {
		uint64_t before_ns = clock__now_ns();
		uint64_t realtime_ns = read_clock(CLOCK_REALTIME);
		uint64_t distance_ns = clock__now_ns() - before_ns;

		if (distance_ns >= best_ns)
			continue;
		best_ns = distance_ns;
		pair.monotonic_ns = before_ns + distance_ns / 2;
		pair.realtime_ns = realtime_ns;
	}
	return pair;
}
