// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/calendar.h"

/* Days are counted from 1 March of year 0, so that a leap day is the last one of its year. */
enum { DAYS_TO_1970 = 719468, FOUR_CENTURIES = 146097, FOUR_YEARS = 1461, MARCH = 3 };

/* Days between 1 March and the first of the month; March is 0. Months have 30.6 days. */
static int days_before(int month)
{
	return (153 * month + 2) / 5;
}

int64_t calendar__day(struct date date)
{
	int64_t years = date.year - (date.month < MARCH);
	int month = (date.month + 12 - MARCH) % 12;

	return 365 * years + years / 4 - years / 100 + years / 400 + days_before(month) + date.day -
	       1 - DAYS_TO_1970;
}

struct date calendar__date(int64_t day)
{
	int64_t days = day + DAYS_TO_1970;
	int in_cycle = (int)(days % FOUR_CENTURIES);
	int years = (in_cycle - in_cycle / (FOUR_YEARS - 1) + in_cycle / 36524 -
		     in_cycle / (FOUR_CENTURIES - 1)) /
		    365;
	int in_year = in_cycle - (365 * years + years / 4 - years / 100);
	int month = (5 * in_year + 2) / 153;

	return (struct date){
		.year = (int)(days / FOUR_CENTURIES) * 400 + years + (month >= 10),
		.month = (month + MARCH - 1) % 12 + 1,
		.day = in_year - days_before(month) + 1,
	};
}

/* 1970-01-01 was a Thursday. */
int calendar__weekday(int64_t day)
{
	return (int)(((day + 4) % 7 + 7) % 7);
}

int calendar__month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

int64_t calendar__divide(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}
