// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/posix_tz.h"

#include <ctype.h>
#include <errno.h>

#include "runner/recur/calendar.h"

enum {
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 86400,
	NAME_MIN_BYTES = 3,
	OFFSET_MAX_HOURS = 24,
	TIME_MAX_HOURS = 167,
	LAST_WEEK = 5
};

/* ---- the text: each function takes what it reads, and is false where there is something else */

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *cursor, char byte)
{
	if (cursor->at == cursor->end || *cursor->at != byte)
		return false;
	cursor->at++;
	return true;
}

static bool take_number(struct cursor *cursor, int min, int max, int *number)
{
	const char *start = cursor->at;

	for (*number = 0; cursor->at < cursor->end && isdigit((unsigned char)*cursor->at);
	     cursor->at++) {
		*number = 10 * *number + (*cursor->at - '0');
		if (*number > max)
			return false;
	}
	return cursor->at > start && *number >= min;
}

static bool is_of_a_name(char byte, bool is_quoted)
{
	if (is_quoted && (isdigit((unsigned char)byte) || byte == '+' || byte == '-'))
		return true;
	return isalpha((unsigned char)byte);
}

/* "CET" or "<+03>". */
static bool take_name(struct cursor *cursor)
{
	bool is_quoted = take(cursor, '<');
	const char *start = cursor->at;

	while (cursor->at < cursor->end && is_of_a_name(*cursor->at, is_quoted))
		cursor->at++;
	return cursor->at - start >= NAME_MIN_BYTES && (!is_quoted || take(cursor, '>'));
}

/* "3", "-3:30" or "+12:45:00". */
static bool take_time(struct cursor *cursor, int max_hours, int32_t *seconds)
{
	int hours, minutes = 0, rest = 0;
	bool is_negative = take(cursor, '-');

	if (!is_negative)
		take(cursor, '+');
	if (!take_number(cursor, 0, max_hours, &hours))
		return false;
	if (take(cursor, ':')) {
		if (!take_number(cursor, 0, 59, &minutes))
			return false;
		if (take(cursor, ':') && !take_number(cursor, 0, 59, &rest))
			return false;
	}
	*seconds = hours * HOUR_S + minutes * MINUTE_S + rest;
	if (is_negative)
		*seconds = -*seconds;
	return true;
}

/* POSIX counts what is to be added to local time. */
static bool take_offset(struct cursor *cursor, int32_t *offset_s)
{
	if (!take_time(cursor, OFFSET_MAX_HOURS, offset_s))
		return false;
	*offset_s = -*offset_s;
	return true;
}

static bool take_day(struct cursor *cursor, struct posix_change *change)
{
	if (take(cursor, 'J')) {
		change->kind = CHANGE_DAY_FROM_1;
		return take_number(cursor, 1, 365, &change->day);
	}
	if (!take(cursor, 'M')) {
		change->kind = CHANGE_DAY_FROM_0;
		return take_number(cursor, 0, 365, &change->day);
	}
	change->kind = CHANGE_WEEKDAY;
	return take_number(cursor, 1, 12, &change->month) && take(cursor, '.') &&
	       take_number(cursor, 1, LAST_WEEK, &change->week) && take(cursor, '.') &&
	       take_number(cursor, 0, 6, &change->day);
}

static bool take_change(struct cursor *cursor, struct posix_change *change)
{
	change->time_s = 2 * HOUR_S;
	return take(cursor, ',') && take_day(cursor, change) &&
	       (!take(cursor, '/') || take_time(cursor, TIME_MAX_HOURS, &change->time_s));
}

static bool take_daylight(struct cursor *cursor, struct posix_tz *tz)
{
	tz->has_daylight = true;
	tz->daylight_s = tz->standard_s + HOUR_S;
	if (!take_name(cursor) || cursor->at == cursor->end)
		return false;
	if (*cursor->at != ',' && !take_offset(cursor, &tz->daylight_s))
		return false;
	return take_change(cursor, &tz->begin) && take_change(cursor, &tz->end);
}

int posix_tz__parse(struct posix_tz *tz, const char *text, size_t length, struct error *err)
{
	struct cursor cursor = {text, text + length};

	*tz = (struct posix_tz){0};
	if (take_name(&cursor) && take_offset(&cursor, &tz->standard_s) &&
	    (cursor.at == cursor.end || take_daylight(&cursor, tz)) && cursor.at == cursor.end)
		return 0;
	return error__set(err, -EINVAL,
			  "'%.*s' is no rule of a time zone; expected: a TZ string of POSIX, such "
			  "as <+03>-3",
			  (int)length, text);
}

/* ---- instants */

static int64_t weekday_of(const struct posix_change *change, int year)
{
	int64_t first = calendar__day((struct date){year, change->month, 1});
	int skipped = (change->day - calendar__weekday(first) + 7) % 7 + 7 * (change->week - 1);

	if (skipped >= calendar__month_days(year, change->month))
		skipped -= 7;
	return first + skipped;
}

static int64_t day_of(const struct posix_change *change, int year)
{
	int64_t first = calendar__day((struct date){year, 1, 1});
	bool is_leap = calendar__month_days(year, 2) == 29;

	switch (change->kind) {
	case CHANGE_WEEKDAY: return weekday_of(change, year);
	case CHANGE_DAY_FROM_1: return first + change->day - 1 + (is_leap && change->day > 59);
	default: return first + change->day;
	}
}

/* `offset_s` is the one in front of the change. */
static int64_t instant_of(const struct posix_change *change, int year, int32_t offset_s)
{
	return day_of(change, year) * DAY_S + change->time_s - offset_s;
}

static int64_t begin_of(const struct posix_tz *tz, int year)
{
	return instant_of(&tz->begin, year, tz->standard_s);
}

/* Of the daylight time that begins at `begin_s`, which is in a later year if the changes of the
 * year are in the other order. */
static int64_t end_of(const struct posix_tz *tz, int year, int64_t begin_s)
{
	int64_t end_s;

	do
		end_s = instant_of(&tz->end, year++, tz->daylight_s);
	while (end_s < begin_s);
	return end_s;
}

static void take_earlier(int64_t *until_s, int64_t change_s, int64_t at_s)
{
	if (change_s > at_s && change_s < *until_s)
		*until_s = change_s;
}

/* A time of 167 hours at the end of December is in the next year, and one of -167 hours in January
 * is in the year before. So the changes of two years before and behind count. The calendar begins
 * with year 1. */
struct tz_span posix_tz__at(const struct posix_tz *tz, int64_t at_s)
{
	struct tz_span span = {.offset_s = tz->standard_s, .until_s = INT64_MAX};
	int year;

	if (!tz->has_daylight)
		return span;
	year = calendar__date(calendar__divide(at_s, DAY_S)).year;
	for (int each = year > 2 ? year - 2 : 1; each <= year + 2; each++) {
		int64_t begin_s = begin_of(tz, each), end_s = end_of(tz, each, begin_s);

		take_earlier(&span.until_s, begin_s, at_s);
		take_earlier(&span.until_s, end_s, at_s);
		if (begin_s <= at_s && at_s < end_s)
			span.offset_s = tz->daylight_s;
	}
	return span;
}
