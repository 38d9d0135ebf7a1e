// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/clock.h"

#include <stdio.h>
#include <time.h>

static const uint64_t second_ns = 1000000000;

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

uint64_t clock__now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock__used_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void clock__anchor(struct clock_anchor *clock)
{
	uint64_t best = UINT64_MAX;

	clock->written[0] = 0;
	for (int i = 0; i < 8; i++) {
		uint64_t before = clock__now_ns();
		uint64_t wall = read_clock(CLOCK_REALTIME);
		uint64_t distance = clock__now_ns() - before;

		if (distance >= best)
			continue;
		best = distance;
		clock->monotonic_ns = before + distance / 2;
		clock->realtime_ns = wall;
	}
}

uint64_t clock__wall_ns(const struct clock_anchor *clock, uint64_t monotonic_ns)
{
	return clock->realtime_ns + (monotonic_ns - clock->monotonic_ns);
}

int64_t clock__ahead_ns(const struct clock_anchor *clock, const struct clock_anchor *later)
{
	return (int64_t)(later->realtime_ns - clock__wall_ns(clock, later->monotonic_ns));
}

static void write_second(struct clock_anchor *clock, uint64_t second)
{
	time_t time = (time_t)second;
	struct tm calendar;

	if (!gmtime_r(&time, &calendar) || calendar.tm_year > 8099)
		calendar = (struct tm){.tm_year = 70, .tm_mday = 1};
	strftime(clock->written, sizeof(clock->written), "%Y-%m-%dT%H:%M:%S.", &calendar);
	clock->written_s = second;
}

void clock__timestamp(struct clock_anchor *clock, struct json *json, uint64_t monotonic_ns)
{
	uint64_t wall = clock__wall_ns(clock, monotonic_ns);
	uint64_t second = wall / second_ns;

	if (second != clock->written_s || !clock->written[0])
		write_second(clock, second);
	json__bytes(json, clock->written, sizeof(clock->written) - 1);
	json__nine_digits(json, (uint32_t)(wall % second_ns));
	json__raw(json, "Z");
}
