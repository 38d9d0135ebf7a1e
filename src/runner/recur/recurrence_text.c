// SPDX-License-Identifier: BSD-2-Clause
/* The text of a recurrence, see recurrence.h. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "runner/recur/calendar.h"
#include "runner/recur/cron_field.h"
#include "runner/recur/recurrence.h"

enum {
	TEXT_MAX = 500, /* bytes; every minute one by one has 169 */
	EVERY_DAY = 0x7f,
	MONTHS = 12,
	LEAP_YEAR = 2000,
	FIRST_YEAR = 1970
};

#define EVERY_DATE  0xfffffffeU /* 1 to 31 */
#define EVERY_MONTH 0x1ffeU     /* 1 to 12 */
#define MINUTE_US   INT64_C(60000000)
#define DAY_MINUTES 1440
#define BLANKS      " \t"

static struct piece piece_of(const char *text)
{
	return (struct piece){text, strlen(text)};
}

/* ---- dates and times */

/* Whether the text has the shape of the pattern, in which 9 is any digit: "99:99". */
static bool has_shape(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == '9' ? !isdigit((unsigned char)*text) : *text != *pattern)
			return false;
	return !*text;
}

static int digits(const char *text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++)
		number = 10 * number + (text[i] - '0');
	return number;
}

/* "08:30" */
static int read_time(const char *text, int *hour, int *minute, struct error *err)
{
	if (!has_shape(text, "99:99"))
		return error__set(err, -EINVAL,
				  "the time '%s' is wrong; expected: HH:MM, such as 08:30", text);
	*hour = digits(text, 2);
	*minute = digits(text + 3, 2);
	if (*hour > 23)
		return error__set(err, -EINVAL, "the hour '%.2s' is wrong; expected: 00 to 23",
				  text);
	if (*minute > 59)
		return error__set(err, -EINVAL, "the minute '%s' is wrong; expected: 00 to 59",
				  text + 3);
	return 0;
}

static int check_date(struct date date, const char *text, struct error *err)
{
	if (date.year < FIRST_YEAR)
		return error__set(err, -EINVAL, "the year '%.4s' is wrong; expected: %d to 9999",
				  text, FIRST_YEAR);
	if (date.month < 1 || date.month > MONTHS)
		return error__set(err, -EINVAL, "the month '%.2s' is wrong; expected: 01 to 12",
				  text + 5);
	if (date.day < 1 || date.day > calendar__month_days(date.year, date.month))
		return error__set(err, -EINVAL,
				  "the day '%.2s' is wrong; expected: 01 to %d in this month",
				  text + 8, calendar__month_days(date.year, date.month));
	return 0;
}

/* ---- the kinds */

static int read_one_off(struct recurrence *recurrence, const char *text, struct error *err)
{
	struct date date;
	int hour, minute, code;

	if (!has_shape(text, "9999-99-99 99:99"))
		return error__set(err, -EINVAL,
				  "'%s' is wrong; expected: YYYY-MM-DD HH:MM, such as "
				  "2025-03-01 08:30",
				  text);
	date = (struct date){digits(text, 4), digits(text + 5, 2), digits(text + 8, 2)};
	code = check_date(date, text, err);
	if (!code)
		code = read_time(text + 11, &hour, &minute, err);
	if (code)
		return code;
	recurrence->is_one_off = true;
	recurrence->one_off_us =
		(calendar__day(date) * DAY_MINUTES + hour * 60 + minute) * MINUTE_US;
	return 0;
}

static int read_daily(struct recurrence *recurrence, const char *text, struct error *err)
{
	int hour, minute, code = read_time(text, &hour, &minute, err);

	if (code)
		return code;
	recurrence->minutes = UINT64_C(1) << minute;
	recurrence->hours = UINT32_C(1) << hour;
	recurrence->days = EVERY_DATE;
	recurrence->months = EVERY_MONTH;
	recurrence->weekdays = EVERY_DAY;
	return 0;
}

/* "mon-fri,sunday:08:30" */
static int read_weekly(struct recurrence *recurrence, const char *text, struct error *err)
{
	struct piece time, days = piece__cut(piece_of(text), ':', &time);
	uint64_t set;
	int code;

	if (!time.at)
		return error__set(err, -EINVAL,
				  "'%s' is wrong; expected: DAYS:HH:MM, such as mon-fri:08:30",
				  text);
	code = cron_field__parse(WEEKLY_DAYS, days, &set, err);
	if (!code)
		code = read_daily(recurrence, time.at, err);
	if (!code)
		recurrence->weekdays = (uint32_t)set;
	return code;
}

/* ---- cron */

/* Vixie's names for five fields; another text is returned as it is. */
static const char *fields_of(const char *text)
{
	static const struct {
		const char *name, *fields;
	} names[] = {
		{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
		{"@annually", "0 0 1 1 *"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].fields;
	return text;
}

static int cut_fields(const char *text, struct piece parts[CRON_FIELDS], struct error *err)
{
	int count = 0;

	for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
		struct piece part = {text, strcspn(text, BLANKS)};

		if (count == CRON_FIELDS)
			return error__set(err, -EINVAL,
					  "'%.*s' follows the day of the week, the last field",
					  (int)strlen(text), text);
		parts[count++] = part;
		text += part.length;
	}
	if (count < CRON_FIELDS)
		return error__set(err, -EINVAL,
				  "there are %d fields; expected: five, which are minute, hour, "
				  "day of the month, month, day of the week",
				  count);
	return 0;
}

/* Whether one of the months is ever as long as the earliest of the days. */
static bool has_date(const struct recurrence *recurrence)
{
	int earliest = __builtin_ctz(recurrence->days);

	for (int month = 1; month <= MONTHS; month++)
		if (recurrence->months >> month & 1 &&
		    calendar__month_days(LEAP_YEAR, month) >= earliest)
			return true;
	return false;
}

static int read_cron(struct recurrence *recurrence, const char *text, struct error *err)
{
	struct piece parts[CRON_FIELDS];
	uint64_t sets[CRON_FIELDS] = {0};
	int code;

	if (*text == '@' && fields_of(text) == text)
		return error__set(err, -EINVAL,
				  "'%s' is unknown; expected: @hourly, @daily, @midnight, @weekly, "
				  "@monthly, @yearly or @annually",
				  text);
	code = cut_fields(fields_of(text), parts, err);
	for (int i = 0; !code && i < CRON_FIELDS; i++)
		code = cron_field__parse((enum cron_field)i, parts[i], &sets[i], err);
	if (code)
		return code;
	*recurrence = (struct recurrence){
		.minutes = sets[CRON_MINUTE],
		.hours = (uint32_t)sets[CRON_HOUR],
		.days = (uint32_t)sets[CRON_DAY],
		.months = (uint32_t)sets[CRON_MONTH],
		.weekdays = (uint32_t)sets[CRON_WEEKDAY],
		.is_either_day = *parts[CRON_DAY].at != '*' && *parts[CRON_WEEKDAY].at != '*',
		.is_frequent = *parts[CRON_MINUTE].at == '*' || *parts[CRON_HOUR].at == '*',
	};
	if (!recurrence->is_either_day && !has_date(recurrence))
		return error__set(err, -EINVAL,
				  "the day of the month '%.*s' never comes in the month '%.*s'",
				  (int)parts[CRON_DAY].length, parts[CRON_DAY].at,
				  (int)parts[CRON_MONTH].length, parts[CRON_MONTH].at);
	return 0;
}

/* ---- all of it */

static const struct kind {
	const char *prefix;
	int (*read)(struct recurrence *recurrence, const char *text, struct error *err);
} kinds[] = {
	{"one_off:", read_one_off},
	{"daily_at:", read_daily},
	{"weekly_at:", read_weekly},
	{"cron:", read_cron},
};

static const struct kind *kind_of(const char *text)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

int recurrence__parse(struct recurrence *recurrence, const char *text, struct error *err)
{
	const struct kind *kind = kind_of(text);
	int code;

	*recurrence = (struct recurrence){.is_one_off = false};
	if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
		return error__set(err, -EINVAL, "the recurrence has more than %d bytes", TEXT_MAX);
	if (!kind)
		return error__set(err, -EINVAL,
				  "the recurrence '%s' has an unknown kind; expected: one_off:, "
				  "daily_at:, weekly_at: or cron:",
				  text);
	code = kind->read(recurrence, text + strlen(kind->prefix), err);
	return code ? error__prefix(err, code, "the recurrence '%s'", text) : 0;
}
