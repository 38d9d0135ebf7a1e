// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/recurrence.h"

#include <errno.h>

#include "runner/recur/calendar.h"

enum { HOUR_MINUTES = 60, DAY_MINUTES = 24 * HOUR_MINUTES, DAY_HOURS = 24 };

#define MINUTE_US INT64_C(60000000)

static const struct date last_date = {9999, 12, 31};

/* ---- planned local times, without a zone */

static bool has(uint64_t set, int value)
{
	return set >> value & 1;
}

static bool is_planned_day(const struct recurrence *recurrence, int64_t day)
{
	struct date date = calendar__date(day);
	bool is_day = has(recurrence->days, date.day);
	bool is_weekday = has(recurrence->weekdays, calendar__weekday(day));

	return has(recurrence->months, date.month) &&
	       (recurrence->is_either_day ? is_day || is_weekday : is_day && is_weekday);
}

/* The first planned time of a day from `from` on, both in minutes of the day; -1: there is none. */
static int planned_minute(const struct recurrence *recurrence, int from)
{
	for (int hour = from / HOUR_MINUTES; hour < DAY_HOURS; hour++) {
		for (int minute = from % HOUR_MINUTES; minute < HOUR_MINUTES; minute++)
			if (has(recurrence->hours, hour) && has(recurrence->minutes, minute))
				return hour * HOUR_MINUTES + minute;
		from = 0;
	}
	return -1;
}

/* The first planned local time that is `from_us` or later. The calendar ends: a set of dates that
 * is empty ends the search as well. */
static bool find_planned(const struct recurrence *recurrence, int64_t from_us, int64_t *planned_us)
{
	int64_t last_day = calendar__day(last_date);
	int64_t minutes = calendar__divide(from_us + MINUTE_US - 1, MINUTE_US);
	int64_t day = calendar__divide(minutes, DAY_MINUTES);
	int from = (int)(minutes - day * DAY_MINUTES);

	if (recurrence->is_one_off) {
		*planned_us = recurrence->one_off_us;
		return from_us <= recurrence->one_off_us;
	}
	for (; day <= last_day; day++) {
		int minute =
			is_planned_day(recurrence, day) ? planned_minute(recurrence, from) : -1;

		if (minute >= 0) {
			*planned_us = (day * DAY_MINUTES + minute) * MINUTE_US;
			return true;
		}
		from = 0;
	}
	return false;
}

/* ---- instants */

static int no_time(struct error *err)
{
	return error__set(err, -ENOENT, "there is no planned time after this one");
}

/* Each planned time has its instant, in the same order. What the clock has shown at `after_us` is
 * over. Times that come twice are not yet planned again, so several may be over. */
static int next_fixed(const struct recurrence *recurrence, struct zone *zone, int64_t after_us,
		      int64_t *next_us, struct error *err)
{
	int64_t planned_us, at_us = after_us;
	struct zone_span span;
	int code = zone__span(zone, after_us, &span, err);

	planned_us = code ? 0 : after_us + span.offset_us;
	while (!code && at_us <= after_us) {
		if (!find_planned(recurrence, planned_us + 1, &planned_us))
			return no_time(err);
		code = zone__first(zone, planned_us, &at_us, err);
	}
	if (!code)
		*next_us = at_us;
	return code;
}

/* In each span in turn, the first planned time that the clock shows within it. */
static int next_frequent(const struct recurrence *recurrence, struct zone *zone, int64_t after_us,
			 int64_t *next_us, struct error *err)
{
	int64_t from_us = after_us + 1, planned_us;

	for (;;) {
		struct zone_span span;
		int code = zone__span(zone, from_us, &span, err);

		if (code)
			return code;
		if (!find_planned(recurrence, from_us + span.offset_us, &planned_us))
			return no_time(err);
		if (planned_us - span.offset_us < span.until_us) {
			*next_us = planned_us - span.offset_us;
			return 0;
		}
		from_us = span.until_us;
	}
}

int recurrence__next(const struct recurrence *recurrence, struct zone *zone, int64_t after_us,
		     int64_t *next_us, struct error *err)
{
	/* A clock may be a day behind UTC. */
	int64_t end_us = (calendar__day(last_date) + 2) * DAY_MINUTES * MINUTE_US;

	if (after_us < 0)
		after_us = -1;
	if (after_us >= end_us)
		return no_time(err);
	return (recurrence->is_frequent ? next_frequent : next_fixed)(recurrence, zone, after_us,
								      next_us, err);
}
