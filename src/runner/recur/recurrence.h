/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a schedule runs, as a text, and the next such instant in a time zone.
 *
 *	one_off:2025-03-01 08:30	once
 *	daily_at:08:30			every day
 *	weekly_at:mon-fri,sunday:08:30	on these days of the week
 *	cron:M H D M W			minute, hour, day of the month, month, day of the week
 *	cron:@daily			also @hourly, @midnight, @weekly, @monthly, @yearly,
 *					@annually
 *
 * Hours are 00 to 23, with two digits outside cron. Days of the week and months have their English
 * names or the first three letters of them, in any case. A range may end with Sunday (fri-sun).
 *
 * cron follows Vixie's. A field is a list, with commas, of values (7), ranges (8-17) and `*`, which
 * is every value. Values may be names. A slash and a number behind a range or `*` is a step: 8-17/3
 * is 8, 11, 14 and 17.
 *
 * Sunday is 0 or 7. Where neither the day of the month nor the day of the week begins with `*`, a
 * day on which one of the two matches is enough; otherwise both must match.
 *
 * Where the clock of the zone is changed:
 *
 * - A planned local time that does not exist runs at the first instant after the gap; one that
 *   comes twice runs the first time only (see zone__first()). Two planned times that fall on one
 *   instant run once.
 * - A cron whose minute or hour begins with `*` is frequent, such as "30 * * * *". It follows real
 *   time: each instant at which the clock shows a planned time is taken. So it runs in both passes
 *   of an hour that comes twice, and skips what the gap skips.
 *
 * Nothing here reads a clock, or allocates.
 */
#ifndef STEPTRACE_RUNNER_RECURRENCE_H
#define STEPTRACE_RUNNER_RECURRENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/recur/zone.h"

/* Sets of numbers have one bit for each: bit 5 of `minutes` is minute 5. Sunday is bit 0. A struct
 * may be copied. */
struct recurrence {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;
	bool is_either_day; /* days or weekdays; otherwise both */
	bool is_frequent;
	bool is_one_off;    /* then only the next member counts */
	int64_t one_off_us; /* local time, see zone.h */
};

/* 0, or -EINVAL with a sentence that names the field, quotes what is wrong and says what is
 * expected. A date that never comes, such as 30 February, is an error as well. */
int recurrence__parse(struct recurrence *recurrence, const char *text, struct error *err);

/*
 * The first planned instant strictly after `after_us`. Both are microseconds since 1970 UTC. There
 * is none before 1970, and none whose local time is after the year 9999.
 *
 * 0; -ENOENT: there is none, for example because the time of a one_off is over.
 */
int recurrence__next(const struct recurrence *recurrence, struct zone *zone, int64_t after_us,
		     int64_t *next_us, struct error *err);

#endif
