// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filters for times. A time is text such as "2025-03-01T08:30:00.123456Z",
 * "2025-03-01 08:30:00+01:00", "2025-03-01 08:30" or "2025-03-01", or a number of seconds since
 * 1970. A time without an offset is UTC.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/template/filters.h"
#include "runner/value/value.h"

/* ------------------------------------------------------------------ reading */

/* Reads `count` digits and moves *at after them. -1: there are fewer digits. */
static int read_digits(const char **at, int count)
{
	int number = 0;

	for (; count > 0; count--, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		number = 10 * number + (**at - '0');
	}
	return number;
}

static bool read_day(const char **at, struct tm *when)
{
	when->tm_year = read_digits(at, 4) - 1900;
	if (when->tm_year < -1900 || *(*at)++ != '-')
		return false;
	when->tm_mon = read_digits(at, 2) - 1;
	if (when->tm_mon < 0 || when->tm_mon > 11 || *(*at)++ != '-')
		return false;
	when->tm_mday = read_digits(at, 2);
	return when->tm_mday >= 1 && when->tm_mday <= 31;
}

/* Reads "T08:30", " 08:30:00" or " 08:30:00.5". Decimals are skipped. */
static bool read_clock(const char **at, struct tm *when)
{
	++*at;
	when->tm_hour = read_digits(at, 2);
	if (when->tm_hour < 0 || when->tm_hour > 23 || *(*at)++ != ':')
		return false;
	when->tm_min = read_digits(at, 2);
	if (when->tm_min < 0 || when->tm_min > 59)
		return false;
	if (**at == ':') {
		++*at;
		when->tm_sec = read_digits(at, 2);
	}
	if (**at == '.')
		*at += 1 + strspn(*at + 1, "0123456789");
	return when->tm_sec >= 0 && when->tm_sec <= 60;
}

/* Reads "Z", "+01:00", "-0530" or nothing. *seconds is the offset east of UTC. */
static bool read_offset(const char **at, long *seconds)
{
	bool is_west = **at == '-';
	int hours, minutes;

	*seconds = 0;
	*at += **at == ' ';
	is_west = **at == '-';
	if (**at == 'Z' || !**at) {
		*at += **at == 'Z';
		return true;
	}
	if (*(*at)++ != '+' && !is_west)
		return false;
	hours = read_digits(at, 2);
	*at += hours >= 0 && **at == ':';
	minutes = hours >= 0 ? read_digits(at, 2) : -1;
	*seconds = (is_west ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return minutes >= 0;
}

static bool read_seconds(const cJSON *value, struct tm *when)
{
	double number;
	time_t seconds;

	if (cJSON_IsBool(value) || !value__number(value, &number) || fabs(number) > 2.5e11)
		return false;
	seconds = (time_t)floor(number);
	return gmtime_r(&seconds, when) != NULL;
}

/* *when is the local time as written; *offset says how many seconds it is east of UTC. */
static bool read_time(const cJSON *value, struct tm *when, long *offset)
{
	const char *at = cJSON_GetStringValue(value);
	time_t seconds;

	*when = (struct tm){0};
	*offset = 0;
	if (read_seconds(value, when))
		return true;
	if (!at || !read_day(&at, when))
		return false;
	if ((*at == 'T' || *at == ' ') && !read_clock(&at, when))
		return false;
	if (!read_offset(&at, offset) || *at)
		return false;
	seconds = timegm(when); /* sets the day of the week and turns 31 April into 1 May */
	return gmtime_r(&seconds, when) != NULL;
}

/* ------------------------------------------------------------------ date */

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static void write_letter(struct strbuf *out, char letter, const struct tm *when)
{
	switch (letter) {
	case 'Y': strbuf__printf(out, "%04d", when->tm_year + 1900); break;
	case 'm': strbuf__printf(out, "%02d", when->tm_mon + 1); break;
	case 'd': strbuf__printf(out, "%02d", when->tm_mday); break;
	case 'H': strbuf__printf(out, "%02d", when->tm_hour); break;
	case 'i': strbuf__printf(out, "%02d", when->tm_min); break;
	case 's': strbuf__printf(out, "%02d", when->tm_sec); break;
	case 'M': strbuf__text(out, months[when->tm_mon]); break;
	case 'j': strbuf__printf(out, "%d", when->tm_mday); break;
	case 'g': strbuf__printf(out, "%d", (when->tm_hour + 11) % 12 + 1); break;
	case 'A': strbuf__text(out, when->tm_hour < 12 ? "AM" : "PM"); break;
	case 'D': strbuf__text(out, days[when->tm_wday]); break;
	case 'N': strbuf__printf(out, "%d", (when->tm_wday + 6) % 7 + 1); break;
	default: strbuf__char(out, letter); break;
	}
}

/* The letters of the format are those of PHP's date(). A backslash copies the next character as it
 * is; so do all other characters. If the input is not a time, the result is null, so that the
 * filter `default` can follow. */
int filter_time__date(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	struct tm when;
	char *format;
	long offset;
	int err;

	if (!read_time(call->input, &when, &offset))
		return filter__give(call, cJSON_CreateNull(), result);
	err = filter__text(call, call->arguments[0], &format);
	if (err)
		return err;
	strbuf__init(&out, FILTER_TEXT_BYTES);
	for (const char *at = format; *at; at++) {
		if (*at == '\\' && at[1])
			strbuf__char(&out, *++at);
		else
			write_letter(&out, *at, &when);
	}
	free(format);
	return filter__give_text(call, &out, result);
}

/* ------------------------------------------------------------------ timeago */

struct unit {
	const char *name;
	long long seconds;
};

static const struct unit units[] = {{"year", 31536000}, {"month", 2592000}, {"week", 604800},
				    {"day", 86400},     {"hour", 3600},     {"minute", 60},
				    {"second", 1}};

static long long since_1970(struct tm when, long offset)
{
	return (long long)timegm(&when) - offset;
}

/* Writes "3 hours ago", "1 day from now" or "just now". */
static void write_distance(struct strbuf *out, long long seconds)
{
	long long distance = seconds < 0 ? -seconds : seconds, count;
	const struct unit *unit = units;

	if (distance == 0) {
		strbuf__text(out, "just now");
		return;
	}
	while (distance < unit->seconds)
		unit++;
	count = distance / unit->seconds;
	strbuf__printf(out, "%lld %s%s %s", count, unit->name, count == 1 ? "" : "s",
		       seconds > 0 ? "ago" : "from now");
}

/* Compares with the `now` of the execution, or with the system's clock if there is none. */
int filter_time__ago(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	struct tm then, now;
	long then_offset, now_offset;
	long long present;

	if (!read_time(call->input, &then, &then_offset))
		return filter__give(call, cJSON_CreateNull(), result);
	present = read_time(call->now, &now, &now_offset) ? since_1970(now, now_offset)
							  : (long long)time(NULL);
	strbuf__init(&out, FILTER_TEXT_BYTES);
	write_distance(&out, present - since_1970(then, then_offset));
	return filter__give_text(call, &out, result);
}
