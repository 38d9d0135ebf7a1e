// SPDX-License-Identifier: BSD-2-Clause
/* The instants that follow from recurrences: dates, and changes of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>

#include "instants.h"
#include "runner/recur/recurrence.h"

enum { INSTANTS_MAX = 5 };

/* The instants that follow `after`, and no more where there are fewer than INSTANTS_MAX and the
 * last one is "none". */
struct sequence {
	const char *zone, *text, *after;
	const char *instants[INSTANTS_MAX];
};

static void expect(const struct sequence *sequence)
{
	int64_t at_us = instants__read(sequence->after);
	struct recurrence recurrence;
	struct error err = {{0}};
	struct zone *zone;

	print_message("%s %s after %s\n", sequence->zone, sequence->text, sequence->after);
	if (zone__open(sequence->zone, &zone, &err) ||
	    recurrence__parse(&recurrence, sequence->text, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < INSTANTS_MAX && sequence->instants[i]; i++) {
		int code = recurrence__next(&recurrence, zone, at_us, &at_us, &err);

		assert_true(code == 0 || code == -ENOENT);
		assert_string_equal(code ? "none" : instants__text(at_us), sequence->instants[i]);
	}
	zone__close(zone);
}

static void expect_all(const struct sequence *sequences, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(&sequences[i]);
}

static void calendar(void **state)
{
	static const struct sequence sequences[] = {
		{"UTC",
		 "daily_at:08:30",
		 "2025-03-01T08:29Z",
		 {"2025-03-01T08:30Z", "2025-03-02T08:30Z"}},
		{"UTC",
		 "daily_at:00:00",
		 "2024-12-31T00:00Z",
		 {"2025-01-01T00:00Z", "2025-01-02T00:00Z"}},
		{"Asia/Kolkata",
		 "daily_at:08:30",
		 "2025-03-01T00:00Z",
		 {"2025-03-01T03:00Z", "2025-03-02T03:00Z"}},
		{"UTC",
		 "weekly_at:mon,fri:08:30",
		 "2025-03-03T08:30Z",
		 {"2025-03-07T08:30Z", "2025-03-10T08:30Z", "2025-03-14T08:30Z"}},
		{"Pacific/Auckland",
		 "weekly_at:mon:08:30",
		 "2025-06-01T00:00Z",
		 {"2025-06-01T20:30Z", "2025-06-08T20:30Z"}},
		{"UTC",
		 "one_off:2025-03-01 08:30",
		 "2025-03-01T08:29Z",
		 {"2025-03-01T08:30Z", "none"}},
		{"America/New_York",
		 "one_off:2025-03-01 08:30",
		 "2020-01-01T00:00Z",
		 {"2025-03-01T13:30Z", "none"}},
		{"UTC",
		 "cron:0 0 31 * *",
		 "2025-01-31T00:00Z",
		 {"2025-03-31T00:00Z", "2025-05-31T00:00Z", "2025-07-31T00:00Z",
		  "2025-08-31T00:00Z"}},
		{"UTC",
		 "cron:59 23 28-31 2 *",
		 "2024-02-01T00:00Z",
		 {"2024-02-28T23:59Z", "2024-02-29T23:59Z", "2025-02-28T23:59Z"}},
		{"UTC",
		 "cron:0 12 29 2 *",
		 "2025-01-01T00:00Z",
		 {"2028-02-29T12:00Z", "2032-02-29T12:00Z"}},
		{"UTC", "cron:0 12 29 2 *", "2096-03-01T00:00Z", {"2104-02-29T12:00Z"}},
		{"UTC", "cron:0 12 29 2 *", "1999-01-01T00:00Z", {"2000-02-29T12:00Z"}},
		/* of 29 February only the Sundays: the longest wait is 40 years */
		{"UTC", "cron:0 0 29 2 */7", "2088-03-01T00:00Z", {"2128-02-29T00:00Z"}},
		{"UTC",
		 "cron:0 0 13 * fri",
		 "2025-06-01T00:00Z",
		 {"2025-06-06T00:00Z", "2025-06-13T00:00Z", "2025-06-20T00:00Z",
		  "2025-06-27T00:00Z", "2025-07-04T00:00Z"}},
		{"UTC",
		 "cron:0 0 */2 * sun",
		 "2025-06-01T00:00Z",
		 {"2025-06-15T00:00Z", "2025-06-29T00:00Z", "2025-07-13T00:00Z"}},
		{"UTC",
		 "cron:0 0 30 2 mon",
		 "2025-02-20T00:00Z",
		 {"2025-02-24T00:00Z", "2026-02-02T00:00Z"}},
		{"UTC", "cron:@yearly", "2025-01-01T00:00Z", {"2026-01-01T00:00Z"}},
		{"UTC",
		 "cron:@weekly",
		 "2025-03-01T00:00Z",
		 {"2025-03-02T00:00Z", "2025-03-09T00:00Z"}},
		{"UTC",
		 "cron:50-55/5 23 * * *",
		 "2025-12-31T23:50Z",
		 {"2025-12-31T23:55Z", "2026-01-01T23:50Z"}},
		{"UTC", "daily_at:23:59", "9999-12-30T23:59Z", {"9999-12-31T23:59Z", "none"}},
		{"Etc/GMT+12",
		 "daily_at:23:59",
		 "9999-12-31T11:59Z",
		 {"10000-01-01T11:59Z", "none"}},
		{"UTC", "cron:*/30 23 31 12 *", "9999-12-31T23:15Z", {"9999-12-31T23:30Z", "none"}},
	};

	(void)state;
	expect_all(sequences, sizeof(sequences) / sizeof(sequences[0]));
}

/* In spring the clock leaves out a time. */
static void gaps(void **state)
{
	static const struct sequence sequences[] = {
		{"Europe/Berlin",
		 "daily_at:02:30",
		 "2025-03-28T02:00Z",
		 {"2025-03-29T01:30Z", "2025-03-30T01:00Z", "2025-03-31T00:30Z"}},
		{"Europe/Berlin",
		 "one_off:2025-03-30 02:30",
		 "2025-03-28T02:00Z",
		 {"2025-03-30T01:00Z", "none"}},
		{"Europe/Berlin",
		 "weekly_at:sun:02:30",
		 "2025-03-29T02:00Z",
		 {"2025-03-30T01:00Z", "2025-04-06T00:30Z"}},
		{"Europe/Berlin",
		 "cron:15,30 2 * * *",
		 "2025-03-29T02:00Z",
		 {"2025-03-30T01:00Z", "2025-03-31T00:15Z", "2025-03-31T00:30Z"}},
		{"Europe/Berlin",
		 "cron:0 2,3 * * *",
		 "2025-03-29T02:30Z",
		 {"2025-03-30T01:00Z", "2025-03-31T00:00Z"}},
		{"Europe/Berlin",
		 "cron:*/30 2 * * *",
		 "2025-03-29T02:00Z",
		 {"2025-03-31T00:00Z", "2025-03-31T00:30Z"}},
		{"Europe/Berlin",
		 "cron:30 * * * *",
		 "2025-03-29T23:45Z",
		 {"2025-03-30T00:30Z", "2025-03-30T01:30Z", "2025-03-30T02:30Z"}},
		{"America/New_York",
		 "daily_at:02:15",
		 "2025-03-08T12:00Z",
		 {"2025-03-09T07:00Z", "2025-03-10T06:15Z"}},
		{"America/New_York",
		 "daily_at:02:15",
		 "2026-03-07T12:00Z",
		 {"2026-03-08T07:00Z", "2026-03-09T06:15Z"}},
		{"Australia/Lord_Howe",
		 "daily_at:02:10",
		 "2025-10-04T00:00Z",
		 {"2025-10-04T15:30Z", "2025-10-05T15:10Z"}},
		{"Australia/Lord_Howe",
		 "daily_at:02:30",
		 "2025-10-04T00:00Z",
		 {"2025-10-04T15:30Z", "2025-10-05T15:30Z"}},
		{"Antarctica/Troll",
		 "daily_at:01:30",
		 "2025-03-29T12:00Z",
		 {"2025-03-30T01:00Z", "2025-03-30T23:30Z"}},
		{"America/Sao_Paulo",
		 "daily_at:00:00",
		 "2018-11-03T12:00Z",
		 {"2018-11-04T03:00Z", "2018-11-05T02:00Z"}},
		{"America/Sao_Paulo",
		 "weekly_at:sun:00:30",
		 "2018-11-03T12:00Z",
		 {"2018-11-04T03:00Z", "2018-11-11T02:30Z"}},
		{"Asia/Beirut",
		 "daily_at:00:00",
		 "2022-03-26T12:00Z",
		 {"2022-03-26T22:00Z", "2022-03-27T21:00Z"}},
		{"Pacific/Apia",
		 "daily_at:10:00",
		 "2011-12-28T22:00Z",
		 {"2011-12-29T20:00Z", "2011-12-30T10:00Z", "2011-12-30T20:00Z"}},
		{"Pacific/Apia",
		 "cron:0 9 30 12 *",
		 "2011-12-28T22:00Z",
		 {"2011-12-30T10:00Z", "2012-12-29T19:00Z"}},
		{"Pacific/Apia",
		 "cron:0-59 9-11 30 12 *",
		 "2011-12-28T22:00Z",
		 {"2011-12-30T10:00Z", "2012-12-29T19:00Z"}},
		{"Pacific/Apia",
		 "cron:0 */12 * * *",
		 "2011-12-29T21:00Z",
		 {"2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"}},
		{"Pacific/Apia",
		 "cron:* * 30 12 *",
		 "2011-12-28T22:00Z",
		 {"2012-12-29T10:00Z", "2012-12-29T10:01Z"}},
	};

	(void)state;
	expect_all(sequences, sizeof(sequences) / sizeof(sequences[0]));
}

/* In autumn the clock shows a time again. */
static void repetitions(void **state)
{
	static const struct sequence sequences[] = {
		{"Europe/Berlin",
		 "daily_at:02:30",
		 "2025-10-25T12:00Z",
		 {"2025-10-26T00:30Z", "2025-10-27T01:30Z"}},
		{"Europe/Berlin",
		 "one_off:2025-10-26 02:30",
		 "2025-10-25T12:00Z",
		 {"2025-10-26T00:30Z", "none"}},
		/* from within the second pass */
		{"Europe/Berlin", "one_off:2025-10-26 02:30", "2025-10-26T01:15Z", {"none"}},
		{"Europe/Berlin", "daily_at:02:30", "2025-10-26T01:15Z", {"2025-10-27T01:30Z"}},
		{"Europe/Berlin",
		 "cron:0-59 2 * * *",
		 "2025-10-26T00:58Z",
		 {"2025-10-26T00:59Z", "2025-10-27T01:00Z"}},
		{"Europe/Berlin",
		 "cron:0 2,3 * * *",
		 "2025-10-25T22:00Z",
		 {"2025-10-26T00:00Z", "2025-10-26T02:00Z", "2025-10-27T01:00Z"}},
		{"Europe/Berlin",
		 "cron:30 * * * *",
		 "2025-10-25T23:45Z",
		 {"2025-10-26T00:30Z", "2025-10-26T01:30Z", "2025-10-26T02:30Z"}},
		{"Europe/Berlin",
		 "cron:@hourly",
		 "2025-10-25T23:45Z",
		 {"2025-10-26T00:00Z", "2025-10-26T01:00Z", "2025-10-26T02:00Z"}},
		{"Europe/Berlin",
		 "cron:*/30 2 * * *",
		 "2025-10-25T12:00Z",
		 {"2025-10-26T00:00Z", "2025-10-26T00:30Z", "2025-10-26T01:00Z",
		  "2025-10-26T01:30Z", "2025-10-27T01:00Z"}},
		{"America/New_York",
		 "daily_at:01:15",
		 "2025-11-01T12:00Z",
		 {"2025-11-02T05:15Z", "2025-11-03T06:15Z"}},
		{"America/New_York",
		 "cron:15 * * * *",
		 "2025-11-02T04:30Z",
		 {"2025-11-02T05:15Z", "2025-11-02T06:15Z", "2025-11-02T07:15Z"}},
		{"Australia/Lord_Howe",
		 "daily_at:01:45",
		 "2025-04-05T00:00Z",
		 {"2025-04-05T14:45Z", "2025-04-06T15:15Z"}},
		{"Australia/Lord_Howe",
		 "cron:*/15 1 * * *",
		 "2025-04-05T14:40Z",
		 {"2025-04-05T14:45Z", "2025-04-05T15:00Z", "2025-04-05T15:15Z",
		  "2025-04-06T14:30Z"}},
		/* Midnight comes near, and the evening is repeated. */
		{"America/Sao_Paulo",
		 "daily_at:23:30",
		 "2018-02-17T12:00Z",
		 {"2018-02-18T01:30Z", "2018-02-19T02:30Z"}},
		{"America/Sao_Paulo",
		 "daily_at:00:00",
		 "2018-02-17T12:00Z",
		 {"2018-02-18T03:00Z", "2018-02-19T03:00Z"}},
	};

	(void)state;
	expect_all(sequences, sizeof(sequences) / sizeof(sequences[0]));
}

/* ---- ends of time */

static int next_utc(const char *text, int64_t after_us, int64_t *next_us, struct error *err)
{
	struct recurrence recurrence;
	struct zone *zone;
	int code;

	assert_int_equal(zone__open("UTC", &zone, NULL), 0);
	assert_int_equal(recurrence__parse(&recurrence, text, NULL), 0);
	code = recurrence__next(&recurrence, zone, after_us, next_us, err);
	zone__close(zone);
	return code;
}

static void ends_of_time(void **state)
{
	static const int64_t late[] = {INT64_MAX, INT64_MAX - 1, INT64_C(253402300740000000)};
	struct error err = {{0}};
	int64_t next_us = -5;

	(void)state;
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		assert_int_equal(next_utc("cron:* * * * *", late[i], &next_us, &err), -ENOENT);
		assert_int_equal(next_utc("cron:0 0 * * *", late[i], &next_us, &err), -ENOENT);
		assert_int_equal(next_utc("cron:0 0 * * *", late[i], &next_us, NULL), -ENOENT);
		assert_string_equal(err.text, "there is no planned time after this one");
		assert_int_equal(next_us, -5);
	}
	assert_int_equal(next_utc("cron:* * * * *", INT64_MIN, &next_us, &err), 0);
	assert_int_equal(next_us, 0);
	assert_int_equal(next_utc("daily_at:00:00", INT64_MIN, &next_us, &err), 0);
	assert_int_equal(next_us, 0);
	assert_int_equal(next_utc("daily_at:00:00", -1, &next_us, &err), 0);
	assert_int_equal(next_us, 0);
	assert_int_equal(next_utc("one_off:1970-01-01 00:00", 0, &next_us, &err), -ENOENT);
}

/* A planned time is after the microsecond before it. */
static void microseconds(void **state)
{
	static const char *const texts[] = {"daily_at:08:30", "cron:30 * * * *",
					    "one_off:2025-03-01 08:30"};
	int64_t planned_us = instants__read("2025-03-01T08:30Z"), next_us;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(next_utc(texts[i], planned_us - 1, &next_us, NULL), 0);
		assert_true(next_us == planned_us);
		if (next_utc(texts[i], planned_us, &next_us, NULL) == 0)
			assert_true(next_us > planned_us);
	}
}

/* A set of dates that nothing is in ends the search at the end of the calendar. */
static void dates_that_never_come(void **state)
{
	struct recurrence never = {
		.minutes = 1, .hours = 1, .days = 1U << 30, .months = 1U << 2, .weekdays = 0x7f};
	struct zone *zone;
	int64_t next_us;

	(void)state;
	assert_int_equal(zone__open("Europe/Berlin", &zone, NULL), 0);
	assert_int_equal(recurrence__next(&never, zone, 0, &next_us, NULL), -ENOENT);
	never.is_frequent = true;
	assert_int_equal(recurrence__next(&never, zone, 0, &next_us, NULL), -ENOENT);
	zone__close(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar),     cmocka_unit_test(gaps),
		cmocka_unit_test(repetitions),  cmocka_unit_test(ends_of_time),
		cmocka_unit_test(microseconds), cmocka_unit_test(dates_that_never_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
