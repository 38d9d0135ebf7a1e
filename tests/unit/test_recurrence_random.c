// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compares the instants of random recurrences with those that a slow reading of the rules finds:
 * it looks at the clock of the C library in each minute of four days. Most of these days contain a
 * change of the clock. The environment variables PROPERTY_SEED and PROPERTY_ROUNDS choose the
 * random numbers and how many recurrences are tried. A failure prints the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "foreign_text.h"
#include "instants.h"
#include "runner/recur/recurrence.h"
#include "skipping.h"

enum {
	ROUNDS = 800,
	DAY_MINUTES = 1440,
	WINDOW_MINUTES = 4 * DAY_MINUTES,
	/* Before the window, so that times that the clock has shown are known. */
	WARM_UP_MINUTES = 26 * 60,
	FIELDS = 5
};

#define MINUTE_US INT64_C(60000000)

/* ---- what is planned, without the code that is tested */

struct plan {
	char text[1000];
	uint64_t sets[FIELDS];
	bool has_star[FIELDS];
	bool is_cron;
	int64_t one_off_minute; /* local, -1: it is none */
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static bool is_planned(const struct plan *plan, const struct tm *local)
{
	bool is_day = plan->sets[DAY] >> local->tm_mday & 1;
	bool is_weekday = (plan->sets[WEEKDAY] | plan->sets[WEEKDAY] >> 7) >> local->tm_wday & 1;

	if (!(plan->sets[MINUTE] >> local->tm_min & 1) || !(plan->sets[HOUR] >> local->tm_hour & 1))
		return false;
	if (!(plan->sets[MONTH] >> (local->tm_mon + 1) & 1))
		return false;
	if (plan->has_star[DAY] || plan->has_star[WEEKDAY])
		return is_day && is_weekday;
	return is_day || is_weekday;
}

static bool is_planned_minute(const struct plan *plan, int64_t local_minute)
{
	time_t seconds = (time_t)local_minute * 60;
	struct tm local;

	if (plan->one_off_minute >= 0)
		return local_minute == plan->one_off_minute;
	gmtime_r(&seconds, &local);
	return is_planned(plan, &local);
}

static bool is_frequent(const struct plan *plan)
{
	return plan->is_cron && (plan->has_star[MINUTE] || plan->has_star[HOUR]);
}

/* ---- random plans */

struct walk {
	uint64_t seed, state;
	struct plan plan;
	const char *zone_name;
	int64_t start_minute; /* of the window, since 1970 UTC */
};

static int draw(struct walk *walk, int first, int last)
{
	return first + (int)(random__next(&walk->state) % (uint64_t)(last - first + 1));
}

static void add(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct walk *walk, const char *format, ...)
{
	size_t length = strlen(walk->plan.text);
	va_list values;

	va_start(values, format);
	vsnprintf(walk->plan.text + length, sizeof(walk->plan.text) - length, format, values);
	va_end(values);
}

static void set(struct walk *walk, int field, int first, int last, int step)
{
	for (int value = first; value <= last; value += step)
		walk->plan.sets[field] |= UINT64_C(1) << value;
}

static void draw_item(struct walk *walk, int field, int min, int max)
{
	int first = draw(walk, min, max), last = draw(walk, first, max), step = draw(walk, 1, 9);

	switch (draw(walk, 0, 5)) {
	case 0:
		add(walk, "%d-%d", first, last);
		set(walk, field, first, last, 1);
		break;
	case 1:
		add(walk, "%d-%d/%d", first, last, step);
		set(walk, field, first, last, step);
		break;
	default: add(walk, "%d", first); set(walk, field, first, first, 1);
	}
}

/* `star` of ten fields begin with one. */
static void draw_field(struct walk *walk, int field, int min, int max, int star)
{
	int step = draw(walk, 0, 4) ? 1 : draw(walk, 2, 20);

	add(walk, "%s", field == MINUTE ? "" : " ");
	walk->plan.has_star[field] = draw(walk, 0, 9) < star;
	if (walk->plan.has_star[field]) {
		add(walk, step == 1 ? "*" : "*/%d", step);
		set(walk, field, min, max, step);
		return;
	}
	for (int count = draw(walk, 1, 3); count > 0; count--) {
		draw_item(walk, field, min, max);
		if (count > 1)
			add(walk, ",");
	}
}

/* Hours are those of the night in half of the cases: there the clock is changed. */
static void draw_cron(struct walk *walk)
{
	add(walk, "cron:");
	walk->plan.is_cron = true;
	draw_field(walk, MINUTE, 0, 59, 3);
	if (draw(walk, 0, 1)) {
		draw_field(walk, HOUR, 0, 23, 4);
	} else {
		add(walk, " ");
		draw_item(walk, HOUR, 0, 3);
	}
	draw_field(walk, DAY, 1, 31, 7);
	draw_field(walk, MONTH, 1, 12, 9);
	draw_field(walk, WEEKDAY, 0, 7, 7);
}

static void plan_days(struct walk *walk, int hour, int minute)
{
	set(walk, MINUTE, minute, minute, 1);
	set(walk, HOUR, hour, hour, 1);
	set(walk, DAY, 1, 31, 1);
	set(walk, MONTH, 1, 12, 1);
	walk->plan.has_star[DAY] = true;
}

static void draw_weekly(struct walk *walk, int hour, int minute)
{
	static const char *const names[] = {"Sunday", "mon", "TUE", "wednesday",
					    "thu",    "fri", "sat"};
	int first = draw(walk, 0, 6), last = draw(walk, first, 6);

	add(walk, "weekly_at:%s-%s:%02d:%02d", names[first], names[last], hour, minute);
	plan_days(walk, hour, minute);
	set(walk, WEEKDAY, first, last, 1);
}

static void draw_daily(struct walk *walk, int hour, int minute)
{
	add(walk, "daily_at:%02d:%02d", hour, minute);
	plan_days(walk, hour, minute);
	set(walk, WEEKDAY, 0, 6, 1);
}

static void draw_one_off(struct walk *walk)
{
	int64_t minute = walk->start_minute + draw(walk, 0, WINDOW_MINUTES);
	time_t seconds = (time_t)minute * 60;
	struct tm local;
	char text[32];

	gmtime_r(&seconds, &local);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local);
	add(walk, "one_off:%s", text);
	walk->plan.one_off_minute = minute;
}

static void draw_plan(struct walk *walk)
{
	int hour = draw(walk, 0, 1) ? draw(walk, 0, 3) : draw(walk, 0, 23);
	int minute = draw(walk, 0, 59);

	walk->plan = (struct plan){.one_off_minute = -1};
	switch (draw(walk, 0, 9)) {
	case 0: draw_daily(walk, hour, minute); break;
	case 1: draw_weekly(walk, hour, minute); break;
	case 2: draw_one_off(walk); break;
	default: draw_cron(walk);
	}
}

/* ---- random places */

static void draw_place(struct walk *walk)
{
	static const struct {
		const char *zone, *change;
	} places[] = {
		{"Europe/Berlin", "2025-03-30T01:00Z"},
		{"Europe/Berlin", "2025-10-26T01:00Z"},
		{"America/New_York", "2026-03-08T07:00Z"},
		{"America/New_York", "2026-11-01T06:00Z"},
		{"Australia/Lord_Howe", "2025-04-05T15:00Z"},
		{"Australia/Lord_Howe", "2025-10-04T15:30Z"},
		{"Pacific/Apia", "2011-12-30T10:00Z"},
		{"America/Sao_Paulo", "2018-11-04T03:00Z"},
		{"America/Sao_Paulo", "2018-02-18T02:00Z"},
		{"Asia/Beirut", "2022-03-26T22:00Z"},
		{"Antarctica/Troll", "2025-03-30T01:00Z"},
		{"Antarctica/Troll", "2025-10-26T01:00Z"},
		{"Asia/Pyongyang", "2018-05-04T15:00Z"},
		{"America/Caracas", "2007-12-09T07:00Z"},
		{"Pacific/Kiritimati", "1994-12-31T10:00Z"},
		{"Europe/London", "2000-02-29T00:00Z"},
		{"UTC", "2024-12-31T12:00Z"},
		{"Africa/Casablanca", "2025-02-23T02:00Z"},
		{"Africa/Casablanca", "2025-04-06T02:00Z"},
		{"America/Nuuk", "2023-03-26T01:00Z"},
		{"America/Nuuk", "2025-10-26T01:00Z"},
		{"America/Scoresbysund", "2024-03-31T01:00Z"},
		{"America/Scoresbysund", "2050-03-27T01:00Z"},
		{"Asia/Gaza", "2024-04-20T00:00Z"},
		{"Asia/Gaza", "2025-10-24T23:00Z"},
		{"Europe/Dublin", "2025-03-30T01:00Z"},
		{"Europe/Dublin", "2050-10-30T01:00Z"},
		{"America/Mexico_City", "2022-10-30T07:00Z"},
		{"America/Mexico_City", "2025-04-06T08:00Z"},
		{"Africa/Cairo", "2023-04-27T22:00Z"},
		{"Africa/Cairo", "2025-10-30T21:00Z"},
		{"Asia/Kathmandu", "1985-12-31T18:30Z"},
	};
	int place = draw(walk, 0, (int)(sizeof(places) / sizeof(places[0])) - 1);

	walk->zone_name = places[place].zone;
	walk->start_minute =
		instants__read(places[place].change) / MINUTE_US - draw(walk, 0, WINDOW_MINUTES);
	if (draw(walk, 0, 9) == 0) /* 1990 to 2029 */
		walk->start_minute = INT64_C(10518480) + draw(walk, 0, 40 * 365 * DAY_MINUTES);
}

/* ---- the slow reading */

/* What the clock of the C library shows, in minutes since 1970. */
static int64_t clock_minute(int64_t minute, struct tm *local)
{
	time_t seconds = (time_t)minute * 60;
	struct tm copy;

	localtime_r(&seconds, local);
	copy = *local;
	return (int64_t)timegm(&copy) / 60;
}

/* Which minutes of the window run. For a fixed time: those in which the clock passes over a planned
 * time that it has not passed over before. */
static void read_slowly(const struct walk *walk, bool runs[WINDOW_MINUTES])
{
	int64_t end = walk->start_minute + WINDOW_MINUTES, shown = -1;

	memset(runs, 0, WINDOW_MINUTES * sizeof(*runs));
	for (int64_t at = walk->start_minute - WARM_UP_MINUTES; at < end; at++) {
		struct tm local;
		int64_t now = clock_minute(at, &local);
		bool is_run = false;

		if (shown < 0)
			shown = now;
		if (is_frequent(&walk->plan))
			is_run = is_planned(&walk->plan, &local);
		while (shown < now) {
			bool is_new = is_planned_minute(&walk->plan, ++shown);

			is_run = is_run || (is_new && !is_frequent(&walk->plan));
		}
		if (at >= walk->start_minute)
			runs[at - walk->start_minute] = is_run;
	}
}

/* ---- comparing */

static void disagree(const struct walk *walk, int64_t after_us, const char *what)
{
	fail_msg("seed %" PRIu64 ": %s in %s after %" PRId64 " us: %s", walk->seed, walk->plan.text,
		 walk->zone_name, after_us, what);
}

/* INT64_MAX: there is none. */
static int64_t next(const struct walk *walk, const struct recurrence *recurrence, struct zone *zone,
		    int64_t after_us)
{
	struct error err = {{0}};
	int64_t next_us = INT64_MAX;
	int code = recurrence__next(recurrence, zone, after_us, &next_us, &err);

	if (code && code != -ENOENT)
		disagree(walk, after_us, err.text);
	if (next_us <= after_us)
		disagree(walk, after_us, "the next instant is not later");
	return next_us;
}

/* The first run of the window that is later; INT64_MAX: there is none. */
static int64_t next_slowly(const struct walk *walk, const bool runs[WINDOW_MINUTES],
			   int64_t after_us)
{
	for (int i = 0; i < WINDOW_MINUTES; i++)
		if (runs[i] && (walk->start_minute + i) * MINUTE_US > after_us)
			return (walk->start_minute + i) * MINUTE_US;
	return INT64_MAX;
}

static void check_instant(const struct walk *walk, const struct recurrence *recurrence,
			  struct zone *zone, const bool runs[WINDOW_MINUTES], int64_t after_us)
{
	int64_t expected_us = next_slowly(walk, runs, after_us);
	int64_t next_us = next(walk, recurrence, zone, after_us);
	int64_t end_us = (walk->start_minute + WINDOW_MINUTES) * MINUTE_US;

	if (next_us < end_us ? next_us != expected_us : expected_us != INT64_MAX)
		disagree(walk, after_us, instants__text(next_us));
	if (next_us != INT64_MAX && next(walk, recurrence, zone, next_us - 1) != next_us)
		disagree(walk, next_us - 1,
			 "the microsecond before an instant has another next one");
}

/* Each run of the window in turn, and then from anywhere. */
static void check_window(struct walk *walk, const struct recurrence *recurrence, struct zone *zone)
{
	static bool runs[WINDOW_MINUTES];
	int64_t at_us = walk->start_minute * MINUTE_US - 1;

	read_slowly(walk, runs);
	for (int i = 0; i < WINDOW_MINUTES; i++) {
		if (!runs[i])
			continue;
		at_us = next(walk, recurrence, zone, at_us);
		if (at_us != (walk->start_minute + i) * MINUTE_US)
			disagree(walk, at_us, "this is not the run that the clock shows");
	}
	check_instant(walk, recurrence, zone, runs, at_us);
	for (int i = 0; i < 20; i++)
		check_instant(walk, recurrence, zone, runs,
			      walk->start_minute * MINUTE_US +
				      (int64_t)(random__next(&walk->state) %
						(uint64_t)(WINDOW_MINUTES * MINUTE_US)));
}

static void try_one(struct walk *walk)
{
	struct recurrence recurrence;
	struct error err = {{0}};
	struct zone *zone;

	draw_place(walk);
	draw_plan(walk);
	setenv("TZ", walk->zone_name, 1);
	tzset();
	if (recurrence__parse(&recurrence, walk->plan.text, &err)) {
		if (!strstr(err.text, "never comes"))
			disagree(walk, 0, err.text);
		return;
	}
	if (zone__open(walk->zone_name, &zone, &err))
		disagree(walk, 0, err.text);
	check_window(walk, &recurrence, zone);
	zone__close(zone);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_recurrences(void **state)
{
	uint64_t seed = setting("PROPERTY_SEED", 20260131),
		 rounds = setting("PROPERTY_ROUNDS", ROUNDS);
	struct walk walk = {.seed = seed, .state = seed | 1};

	(void)state;
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK))
		skip_because("the C library has no time zones: /usr/share/zoneinfo (tzdata)");
	for (uint64_t i = 0; i < rounds; i++)
		try_one(&walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_recurrences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
