// SPDX-License-Identifier: BSD-2-Clause
/* Which texts are recurrences, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner/recur/recurrence.h"

#define DATES    0xfffffffeU
#define MONTHS   0x1ffeU
#define WEEKDAYS 0x7fU
#define HOURS    0xffffffU
#define MINUTES  0xfffffffffffffffU
#define BIT(n)   (UINT64_C(1) << (n))

/* ---- texts that are taken */

struct taken {
	const char *text;
	struct recurrence expected;
};

#define SETS(m, h, d, mo, w)                                                                       \
	.minutes = (m), .hours = (uint32_t)(h), .days = (uint32_t)(d), .months = (uint32_t)(mo),   \
	.weekdays = (uint32_t)(w)

static const struct taken taken[] = {
	{"daily_at:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, WEEKDAYS)}},
	{"daily_at:00:00", {SETS(1, 1, DATES, MONTHS, WEEKDAYS)}},
	{"daily_at:23:59", {SETS(BIT(59), BIT(23), DATES, MONTHS, WEEKDAYS)}},
	{"weekly_at:mon:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x02)}},
	{"weekly_at:MON,Friday,sUN:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x23)}},
	{"weekly_at:mon-fri:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x3e)}},
	{"weekly_at:friday-SUNDAY,tue:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x65)}},
	{"weekly_at:sun-tue:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x07)}},
	{"weekly_at:sun-sun:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x01)}},
	{"weekly_at:wed-wed,wed:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, 0x08)}},
	{"weekly_at:mon-sun:08:30", {SETS(BIT(30), BIT(8), DATES, MONTHS, WEEKDAYS)}},
	{"cron:* * * * *", {SETS(MINUTES, HOURS, DATES, MONTHS, WEEKDAYS), .is_frequent = true}},
	{"cron:0 0 * * *", {SETS(1, 1, DATES, MONTHS, WEEKDAYS)}},
	{"cron: \t5\t6  7 * * ", {SETS(BIT(5), BIT(6), BIT(7), MONTHS, WEEKDAYS)}},
	{"cron:*/15 5 * * *",
	 {SETS(BIT(0) | BIT(15) | BIT(30) | BIT(45), BIT(5), DATES, MONTHS, WEEKDAYS),
	  .is_frequent = true}},
	{"cron:5 */12 * * *",
	 {SETS(BIT(5), BIT(0) | BIT(12), DATES, MONTHS, WEEKDAYS), .is_frequent = true}},
	{"cron:0-59 5 * * *", {SETS(MINUTES, BIT(5), DATES, MONTHS, WEEKDAYS)}},
	{"cron:1-10/3,59,30-31 5 * * *",
	 {SETS(BIT(1) | BIT(4) | BIT(7) | BIT(10) | BIT(59) | BIT(30) | BIT(31), BIT(5), DATES,
	       MONTHS, WEEKDAYS)}},
	{"cron:007 08 09 010 *", {SETS(BIT(7), BIT(8), BIT(9), BIT(10), WEEKDAYS)}},
	{"cron:*/999 */24 * * *", {SETS(1, 1, DATES, MONTHS, WEEKDAYS), .is_frequent = true}},
	{"cron:0 0 1 JAN,june-Aug,DECEMBER *",
	 {SETS(1, 1, BIT(1), BIT(1) | BIT(6) | BIT(7) | BIT(8) | BIT(12), WEEKDAYS)}},
	{"cron:0 0 1 1-12/4 *", {SETS(1, 1, BIT(1), BIT(1) | BIT(5) | BIT(9), WEEKDAYS)}},
	{"cron:0 0 * * 0", {SETS(1, 1, DATES, MONTHS, 1)}},
	{"cron:0 0 * * 7", {SETS(1, 1, DATES, MONTHS, 1)}},
	{"cron:0 0 * * 0,7", {SETS(1, 1, DATES, MONTHS, 1)}},
	{"cron:0 0 * * 5-7", {SETS(1, 1, DATES, MONTHS, 0x61)}},
	{"cron:0 0 * * sat-sun", {SETS(1, 1, DATES, MONTHS, 0x41)}},
	{"cron:0 0 * * sun-sat", {SETS(1, 1, DATES, MONTHS, WEEKDAYS)}},
	{"cron:0 0 * * mon-5/2", {SETS(1, 1, DATES, MONTHS, 0x2a)}},
	{"cron:0 0 * * */2", {SETS(1, 1, DATES, MONTHS, 0x55)}},
	{"cron:0 0 13 * fri", {SETS(1, 1, BIT(13), MONTHS, 0x20), .is_either_day = true}},
	{"cron:0 0 1-31 * fri", {SETS(1, 1, DATES, MONTHS, 0x20), .is_either_day = true}},
	{"cron:0 0 */2 * 1", {SETS(1, 1, 0xaaaaaaaa, MONTHS, 0x02)}},
	{"cron:0 0 13 * *,1", {SETS(1, 1, BIT(13), MONTHS, WEEKDAYS)}},
	{"cron:0 0 1,* * 1", {SETS(1, 1, DATES, MONTHS, 0x02), .is_either_day = true}},
	{"cron:0 0 29 2 *", {SETS(1, 1, BIT(29), BIT(2), WEEKDAYS)}},
	{"cron:0 0 31 2,3 *", {SETS(1, 1, BIT(31), BIT(2) | BIT(3), WEEKDAYS)}},
	{"cron:0 0 30 2 mon", {SETS(1, 1, BIT(30), BIT(2), 0x02), .is_either_day = true}},
	{"cron:@hourly", {SETS(1, HOURS, DATES, MONTHS, WEEKDAYS), .is_frequent = true}},
	{"cron:@daily", {SETS(1, 1, DATES, MONTHS, WEEKDAYS)}},
	{"cron:@midnight", {SETS(1, 1, DATES, MONTHS, WEEKDAYS)}},
	{"cron:@weekly", {SETS(1, 1, DATES, MONTHS, 1)}},
	{"cron:@monthly", {SETS(1, 1, BIT(1), MONTHS, WEEKDAYS)}},
	{"cron:@yearly", {SETS(1, 1, BIT(1), BIT(1), WEEKDAYS)}},
	{"cron:@annually", {SETS(1, 1, BIT(1), BIT(1), WEEKDAYS)}},
	{"one_off:1970-01-01 00:00", {.is_one_off = true, .one_off_us = 0}},
	{"one_off:2024-02-29 23:59", {.is_one_off = true, .one_off_us = 1709251140000000}},
	{"one_off:9999-12-31 23:59", {.is_one_off = true, .one_off_us = 253402300740000000}},
};

static void texts_that_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const struct recurrence *expected = &taken[i].expected;
		struct recurrence read;
		struct error err = {{0}};

		print_message("%s\n", taken[i].text);
		if (recurrence__parse(&read, taken[i].text, &err))
			fail_msg("%s", err.text);
		assert_true(read.minutes == expected->minutes);
		assert_int_equal(read.hours, expected->hours);
		assert_int_equal(read.days, expected->days);
		assert_int_equal(read.months, expected->months);
		assert_int_equal(read.weekdays, expected->weekdays);
		assert_int_equal(read.is_either_day, expected->is_either_day);
		assert_int_equal(read.is_frequent, expected->is_frequent);
		assert_int_equal(read.is_one_off, expected->is_one_off);
		assert_true(read.one_off_us == expected->one_off_us);
	}
}

/* ---- texts that are refused */

/* `sentence` is a part of what is said. */
struct refused {
	const char *text, *sentence;
};

static const struct refused refused[] = {
	{"", "the recurrence '' has an unknown kind; expected: one_off:, daily_at:"},
	{"hourly", "unknown kind"},
	{"Daily_at:08:30", "unknown kind"},
	{" daily_at:08:30", "unknown kind"},
	{"daily_at", "unknown kind"},
	{"daily_at:", "the time '' is wrong; expected: HH:MM"},
	{"daily_at:8:30", "the time '8:30' is wrong"},
	{"daily_at:08:3", "the time '08:3' is wrong"},
	{"daily_at:08:30:00", "the time '08:30:00' is wrong"},
	{"daily_at: 08:30", "the time ' 08:30' is wrong"},
	{"daily_at:08:30 ", "the time '08:30 ' is wrong"},
	{"daily_at:24:00", "the recurrence 'daily_at:24:00': the hour '24' is wrong"},
	{"daily_at:08:60", "the minute '60' is wrong; expected: 00 to 59"},
	{"daily_at:-1:30", "the time '-1:30' is wrong"},
	{"weekly_at:", "expected: DAYS:HH:MM"},
	{"weekly_at:mon", "expected: DAYS:HH:MM"},
	{"weekly_at::08:30", "the day '' has an empty item"},
	{"weekly_at:mon,:08:30", "the day 'mon,' has an empty item"},
	{"weekly_at:mon,,tue:08:30", "the day 'mon,,tue' has an empty item"},
	{"weekly_at:08:30", "the day '08' is wrong; expected: names such as mon"},
	{"weekly_at:1-5:08:30", "the day '1' is wrong"},
	{"weekly_at:*:08:30", "the day '*' is wrong"},
	{"weekly_at:mon-fri/2:08:30", "the day 'fri/2' is wrong"},
	{"weekly_at:mo:08:30", "the day 'mo' is wrong"},
	{"weekly_at:mond:08:30", "the day 'mond' is wrong"},
	{"weekly_at:mondays:08:30", "the day 'mondays' is wrong"},
	{"weekly_at:mon, tue:08:30", "the day ' tue' is wrong"},
	{"weekly_at:mon-:08:30", "the day '' is wrong"},
	{"weekly_at:-mon:08:30", "the day '' is wrong"},
	{"weekly_at:mon-tue-wed:08:30", "the day 'tue-wed' is wrong"},
	{"weekly_at:sat-mon:08:30", "the day 'sat-mon' is a range that ends before it begins"},
	{"weekly_at:mon:8:30", "the time '8:30' is wrong"},
	{"weekly_at:mon:25:30", "the hour '25' is wrong"},
	{"one_off:", "expected: YYYY-MM-DD HH:MM"},
	{"one_off:2025-03-01", "expected: YYYY-MM-DD HH:MM"},
	{"one_off:2025-03-01T08:30", "expected: YYYY-MM-DD HH:MM"},
	{"one_off:2025-03-01  08:30", "expected: YYYY-MM-DD HH:MM"},
	{"one_off:2025-3-1 08:30", "expected: YYYY-MM-DD HH:MM"},
	{"one_off:1969-12-31 08:30", "the year '1969' is wrong; expected: 1970 to 9999"},
	{"one_off:2025-00-01 08:30", "the month '00' is wrong; expected: 01 to 12"},
	{"one_off:2025-13-01 08:30", "the month '13' is wrong"},
	{"one_off:2025-03-00 08:30", "the day '00' is wrong; expected: 01 to 31 in this month"},
	{"one_off:2025-02-29 08:30", "the day '29' is wrong; expected: 01 to 28 in this month"},
	{"one_off:2100-02-29 08:30", "expected: 01 to 28 in this month"},
	{"one_off:2025-04-31 08:30", "expected: 01 to 30 in this month"},
	{"one_off:2025-03-01 24:00", "the hour '24' is wrong"},
	{"one_off:2025-03-01 08:60", "the minute '60' is wrong"},
	{"cron:", "there are 0 fields; expected: five"},
	{"cron:* * * *", "there are 4 fields; expected: five"},
	{"cron:* * * * * root", "'root' follows the day of the week, the last field"},
	{"cron:60 * * * *", "the minute '60' is wrong; expected: 0 to 59"},
	{"cron:-1 * * * *", "the minute '' is wrong"},
	{"cron:1.5 * * * *", "the minute '1.5' is wrong"},
	{"cron:99999999999999999999 * * * *", "the minute '99999999999999999999' is wrong"},
	{"cron:jan * * * *", "the minute 'jan' is wrong"},
	{"cron:0 24 * * *", "the hour '24' is wrong; expected: 0 to 23"},
	{"cron:0 0 0 * *", "the day of the month '0' is wrong; expected: 1 to 31"},
	{"cron:0 0 32 * *", "the day of the month '32' is wrong"},
	{"cron:0 0 mon * *", "the day of the month 'mon' is wrong"},
	{"cron:0 0 L * *", "the day of the month 'L' is wrong"},
	{"cron:0 0 ? * *", "the day of the month '?' is wrong"},
	{"cron:0 0 * 0 *", "the month '0' is wrong; expected: 1 to 12, or jan to dec"},
	{"cron:0 0 * 13 *", "the month '13' is wrong"},
	{"cron:0 0 * mon *", "the month 'mon' is wrong"},
	{"cron:0 0 * * 8", "the day of the week '8' is wrong; expected: 0 to 7, or sun to sat"},
	{"cron:0 0 * * jan", "the day of the week 'jan' is wrong"},
	{"cron:0 0 * * 1#2", "the day of the week '1#2' is wrong"},
	{"cron:1,,2 * * * *", "the minute '1,,2' has an empty item"},
	{"cron:, * * * *", "the minute ',' has an empty item"},
	{"cron:1, * * * *", "the minute '1,' has an empty item"},
	{"cron:10-5 * * * *", "the minute '10-5' is a range that ends before it begins"},
	{"cron:* 22-2 * * *", "the hour '22-2' is a range that ends before it begins"},
	{"cron:* * * * 5-0", "the day of the week '5-0' is a range that ends"},
	{"cron:* * * dec-jan *", "the month 'dec-jan' is a range that ends"},
	{"cron:1-2-3 * * * *", "the minute '2-3' is wrong"},
	{"cron:*-5 * * * *", "the minute '*' is wrong"},
	{"cron:** * * * *", "the minute '**' is wrong"},
	{"cron:*/0 * * * *", "the minute '*/0' has a wrong step; expected: 1 to 999"},
	{"cron:*/ * * * *", "the minute '*/' has a wrong step"},
	{"cron:*/x * * * *", "the minute '*/x' has a wrong step"},
	{"cron:*/-1 * * * *", "the minute '*/-1' has a wrong step"},
	{"cron:*/1000 * * * *", "the minute '*/1000' has a wrong step"},
	{"cron:*/5/5 * * * *", "the minute '*/5/5' has a wrong step"},
	{"cron:/5 * * * *", "the minute '' is wrong"},
	{"cron:5/5 * * * *", "the minute '5/5' has a step, but neither a range nor *"},
	{"cron:0 0 30 2 *", "the day of the month '30' never comes in the month '2'"},
	{"cron:0 0 31 feb,apr,jun,sep,nov *", "the day of the month '31' never comes"},
	{"cron:0 0 30-31 2 */2", "the day of the month '30-31' never comes in the month '2'"},
	{"cron:@reboot", "'@reboot' is unknown; expected: @hourly"},
	{"cron:@Daily", "'@Daily' is unknown"},
	{"cron:@daily 5", "'@daily 5' is unknown"},
	{"cron:@", "'@' is unknown"},
	{"cron:\x01 * * * *", "the minute '\\x01' is wrong"},
};

static void texts_that_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct recurrence recurrence;
		struct error err = {{0}};

		print_message("%s\n", refused[i].text);
		assert_int_equal(recurrence__parse(&recurrence, refused[i].text, &err), -EINVAL);
		assert_int_equal(strncmp(err.text, "the recurrence '", 16), 0);
		if (!strstr(err.text, refused[i].sentence))
			fail_msg("the sentence is: %s", err.text);
		assert_int_equal(recurrence__parse(&recurrence, refused[i].text, NULL), -EINVAL);
	}
}

static void long_texts(void **state)
{
	struct recurrence recurrence;
	struct error err = {{0}};
	char text[1000] = "cron:0";

	(void)state;
	for (int minute = 0; minute < 60; minute++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", minute);
	strcat(text, " * * * *");
	assert_int_equal(recurrence__parse(&recurrence, text, &err), 0);
	memset(text + strlen(text), ' ', 500);
	assert_int_equal(recurrence__parse(&recurrence, text, &err), -EINVAL);
	assert_string_equal(err.text, "the recurrence has more than 500 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_that_are_taken),
		cmocka_unit_test(texts_that_are_refused),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
