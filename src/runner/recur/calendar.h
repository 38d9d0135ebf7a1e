/* SPDX-License-Identifier: BSD-2-Clause */
/* The Gregorian calendar, as arithmetic. A day is its distance from 1970-01-01. */
#ifndef STEPTRACE_RUNNER_CALENDAR_H
#define STEPTRACE_RUNNER_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* Year, month (1 to 12) and day (1 to 31). */
struct date {
	int year, month, day;
};

/* For valid dates from year 1 on. */
int64_t calendar__day(struct date date);
struct date calendar__date(int64_t day);

/* 0 is Sunday. */
int calendar__weekday(int64_t day);

int calendar__month_days(int year, int month);

/* Rounds down, also below 0. */
int64_t calendar__divide(int64_t number, int64_t by);

#endif
