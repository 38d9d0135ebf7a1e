// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runner/value/time_text.h"

static void expect_text(int64_t us, const char *expected)
{
	char text[TIME_TEXT_BYTES];

	memset(text, 'x', sizeof(text));
	time_text__write(us, text);
	assert_string_equal(text, expected);
}

static void moments(void **state)
{
	(void)state;
	expect_text(0, "1970-01-01T00:00:00.000000Z");
	expect_text(1740817800000000, "2025-03-01T08:30:00.000000Z");
	expect_text(1709251199123456, "2024-02-29T23:59:59.123456Z");
	expect_text(-1, "1969-12-31T23:59:59.999999Z");
	expect_text(-1000000, "1969-12-31T23:59:59.000000Z");
}

static void the_ends_of_time(void **state)
{
	(void)state;
	expect_text(TIME_TEXT_FIRST_US, "0000-01-01T00:00:00.000000Z");
	expect_text(TIME_TEXT_FIRST_US - 1, "0000-01-01T00:00:00.000000Z");
	expect_text(INT64_MIN, "0000-01-01T00:00:00.000000Z");
	expect_text(TIME_TEXT_LAST_US, "9999-12-31T23:59:59.999999Z");
	expect_text(TIME_TEXT_LAST_US + 1, "9999-12-31T23:59:59.999999Z");
	expect_text(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

/* The C library writes the same, and what is written is read as it was. */
static void many_moments(void **state)
{
	const int64_t step = (TIME_TEXT_LAST_US - TIME_TEXT_FIRST_US) / 20011;

	(void)state;
	for (int64_t us = TIME_TEXT_FIRST_US; us < TIME_TEXT_LAST_US - step; us += step) {
		int micros = (int)((us % 1000000 + 1000000) % 1000000);
		time_t seconds = (us - micros) / 1000000;
		char date[32], text[64];
		struct tm when;
		int64_t read;

		gmtime_r(&seconds, &when);
		strftime(date, sizeof(date), "-%m-%dT%H:%M:%S", &when);
		snprintf(text, sizeof(text), "%04d%s.%06dZ", when.tm_year + 1900, date, micros);
		expect_text(us, text);
		assert_int_equal(time_text__read(text, &read), 0);
		assert_true(read == us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),
		cmocka_unit_test(the_ends_of_time),
		cmocka_unit_test(many_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
