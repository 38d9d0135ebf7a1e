// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/clock_anchor.h"

#include <stdio.h>
#include <time.h>

static const uint64_t second_ns = 1000000000;

void clock_anchor__init(struct clock_anchor *anchor, const struct clock_pair *pair)
{
	*anchor = (struct clock_anchor){.monotonic_ns = pair->monotonic_ns,
					.realtime_ns = pair->realtime_ns};
}

uint64_t clock_anchor__realtime_ns(const struct clock_anchor *anchor, uint64_t monotonic_ns)
{
	return anchor->realtime_ns + (monotonic_ns - anchor->monotonic_ns);
}

int64_t clock_anchor__ahead_ns(const struct clock_anchor *anchor, const struct clock_pair *later)
{
	return (int64_t)(later->realtime_ns -
			 clock_anchor__realtime_ns(anchor, later->monotonic_ns));
}

static void format_second(struct clock_anchor *anchor, uint64_t second)
{
	time_t time = (time_t)second;
	struct tm calendar;

	if (!gmtime_r(&time, &calendar) || calendar.tm_year > 8099)
		calendar = (struct tm){.tm_year = 70, .tm_mday = 1};
	strftime(anchor->formatted, sizeof(anchor->formatted), "%Y-%m-%dT%H:%M:%S.", &calendar);
	anchor->formatted_s = second;
}

void clock_anchor__timestamp(struct clock_anchor *anchor, struct json *json, uint64_t monotonic_ns)
{
	uint64_t realtime_ns = clock_anchor__realtime_ns(anchor, monotonic_ns);
	uint64_t second = realtime_ns / second_ns;

	if (second != anchor->formatted_s || !anchor->formatted[0])
		format_second(anchor, second);
	json__bytes(json, anchor->formatted, sizeof(anchor->formatted) - 1);
	json__nine_digits(json, (uint32_t)(realtime_ns % second_ns));
	json__raw(json, "Z");
}
