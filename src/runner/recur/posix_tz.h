/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rule of a time zone for all years to come, as POSIX writes it and as it ends a TZif file. The
 * sign is the opposite of the usual one: -3 is three hours east of Greenwich.
 *
 *	<+03>-3				three hours ahead of UTC, all year
 *	CET-1CEST,M3.5.0,M10.5.0/3	daylight time from the last Sunday in March, 02:00, to the
 *					last Sunday in October, 03:00 of daylight time
 *	IST-1GMT0,M10.5.0,M3.5.0/1	"daylight time" is winter, and behind
 *	XXX3EDT4,0/0,J365/23		daylight time from day 0 to day 365: all year
 *
 * A day is Mm.w.d (5 is the last week), Jn (1 to 365, without 29 February) or n (0 to 365). Its
 * time is -167 to 167 hours, so that it may be on another day: an extension of RFC 9636.
 *
 * A rule with daylight time but without its days is refused: POSIX does not say when it begins.
 */
#ifndef STEPTRACE_RUNNER_POSIX_TZ_H
#define STEPTRACE_RUNNER_POSIX_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct posix_change {
	enum { CHANGE_WEEKDAY, CHANGE_DAY_FROM_1, CHANGE_DAY_FROM_0 } kind;
	int month, week;
	int day; /* of the week (0 is Sunday) or of the year */
	int32_t time_s;
};

/* Offsets are local time minus UTC. */
struct posix_tz {
	int32_t standard_s, daylight_s;
	bool has_daylight;
	struct posix_change begin, end; /* of daylight time; in the south it ends a year later */
};

/* What holds at an instant, and the instant at which that may change. */
struct tz_span {
	int32_t offset_s;
	int64_t until_s; /* INT64_MAX: it does not change */
};

/* `text` has `length` bytes, and no NUL. 0, or -EINVAL with a sentence that quotes the text. */
int posix_tz__parse(struct posix_tz *tz, const char *text, size_t length, struct error *err);

/* `at_s` is seconds since 1970 UTC, in the years 1 to 10000. */
struct tz_span posix_tz__at(const struct posix_tz *tz, int64_t at_s);

#endif
