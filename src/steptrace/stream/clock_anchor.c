// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/clock_anchor.h"

#include <stdbool.h>
#include <string.h>

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

struct date {
	uint64_t year, month, day;
};

/*
 * The Gregorian date of a day since 1970-01-01. Years are counted from 1 March here, so the leap
 * day is the last day of its year; 400 such years are always 146,097 days.
 */
static struct date date_of(uint64_t days)
{
	uint64_t since_year_0 = days + 719468; /* days since 0000-03-01 */
	uint64_t cycle = since_year_0 / 146097, in_cycle = since_year_0 % 146097;
	uint64_t leap_days = in_cycle / 1460 - in_cycle / 36524 + in_cycle / 146096;
	uint64_t year = (in_cycle - leap_days) / 365;
	uint64_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * in_year + 2) / 153; /* 0: March; five months have 153 days */
	bool is_next_year = month >= 10;          /* January, February */

	return (struct date){.year = 400 * cycle + year + is_next_year,
			     .month = is_next_year ? month - 9 : month + 3,
			     .day = in_year - (153 * month + 2) / 5 + 1};
}

/* `count` decimal digits, zeros in front. */
static void put_digits(char *at, int count, uint64_t value)
{
	for (; count > 0; value /= 10)
		at[--count] = (char)('0' + value % 10);
}

/* Not gmtime_r() and strftime(): these read /etc/localtime. */
static void format_second(struct clock_anchor *anchor, uint64_t second)
{
	struct date date = date_of(second / 86400);
	char *text = anchor->formatted;

	memcpy(text, "0000-00-00T00:00:00.", sizeof(anchor->formatted));
	put_digits(text, 4, date.year);
	put_digits(text + 5, 2, date.month);
	put_digits(text + 8, 2, date.day);
	put_digits(text + 11, 2, second / 3600 % 24);
	put_digits(text + 14, 2, second / 60 % 60);
	put_digits(text + 17, 2, second % 60);
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
