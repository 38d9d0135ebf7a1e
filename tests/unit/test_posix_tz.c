// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules of time zones, as POSIX writes them: the texts, and the offsets that follow from them. They
 * are compared with those of the C library, which reads the same texts in the variable TZ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "foreign_text.h"
#include "instants.h"
#include "runner/recur/posix_tz.h"

#define DAY_S INT64_C(86400)

/* 1970-01-01 and 2100-01-01 */
#define FIRST_S INT64_C(0)
#define END_S   INT64_C(4102444800)

static struct posix_tz read_rule(const char *text)
{
	struct error err = {{0}};
	struct posix_tz tz;

	if (posix_tz__parse(&tz, text, strlen(text), &err))
		fail_msg("%s", err.text);
	return tz;
}

static int64_t seconds(const char *instant)
{
	return instants__read(instant) / 1000000;
}

/* ---- the C library */

static const char *const rules[] = {
	"UTC0",
	"<+03>-3",
	"<-00>0",
	"EST5",
	"<+0545>-5:45",
	"AAA+1:02:03",
	"CET-1CEST,M3.5.0,M10.5.0/3",
	"EST5EDT,M3.2.0,M11.1.0",
	"EST+5EDT+4,M3.2.0/02:00:00,M11.1.0/2",
	"GMT0BST,M3.5.0/1,M10.5.0",
	"IST-1GMT0,M10.5.0,M3.5.0/1",
	"IST-2IDT,M3.4.4/26,M10.5.0",
	"EET-2EEST,M3.4.4/50,M10.4.4/50",
	"EET-2EEST,M4.5.5/0,M10.5.4/24",
	"EET-2EEST,M3.5.0/0,M10.5.0/0",
	"AEST-10AEDT,M10.1.0,M4.1.0/3",
	"NZST-12NZDT,M9.5.0,M4.1.0/3",
	"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
	"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
	"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
	"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
	"<-01>1<+00>,M3.5.0/0,M10.5.0/1",
	"<-04>4<-03>,M9.1.6/24,M4.1.6/24",
	"<-06>6<-05>,M9.1.6/22,M4.1.6/22",
	"<+0330>-3:30<+0430>,J79/24,J263/24",
	"AAA3BBB,59,J300",
	"AAA3BBB,60/0:30,J59/12",
	"AAA-9:30BBB-10,J60,299/-100:30",
	"AAA3BBB,M2.5.1/167,M9.4.6/-167",
	"AAA3BBB,M8.1.2/+1:02:03,M2.4.3/-1:02:03",
	"AAA3BBB5,M3.1.0,M11.4.0",
};

static int64_t offset_of_libc(int64_t at_s)
{
	time_t seconds = (time_t)at_s;
	struct tm local;

	localtime_r(&seconds, &local);
	return local.tm_gmtoff;
}

static void compare(const struct posix_tz *tz, const char *text, int64_t at_s)
{
	struct tz_span span = posix_tz__at(tz, at_s);
	int64_t expected = offset_of_libc(at_s);

	if (span.offset_s != expected)
		fail_msg("%s at %lld: %d seconds, but %lld in the C library", text, (long long)at_s,
			 span.offset_s, (long long)expected);
	if (span.until_s <= at_s || span.until_s > at_s + 400 * DAY_S)
		assert_true(span.until_s == INT64_MAX && !tz->has_daylight);
	else if (offset_of_libc(span.until_s - 1) != expected)
		fail_msg("%s at %lld: the span is too long", text, (long long)at_s);
}

/* At each change, next to it, and anywhere. */
static void compare_all(const char *text, uint64_t *state)
{
	struct posix_tz tz = read_rule(text);
	int64_t at_s = FIRST_S;

	setenv("TZ", text, 1);
	tzset();
	while (at_s < END_S) {
		compare(&tz, text, at_s);
		at_s = posix_tz__at(&tz, at_s).until_s;
		compare(&tz, text, at_s == INT64_MAX ? END_S : at_s - 1);
	}
	for (int i = 0; i < 2000; i++)
		compare(&tz, text, (int64_t)(random__next(state) % (uint64_t)END_S));
}

static void rules_of_the_c_library(void **state)
{
	uint64_t random = 20260131;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		compare_all(rules[i], &random);
}

/* ---- spans */

static void expect_span(const char *text, const char *at, int32_t offset_s, const char *until)
{
	struct posix_tz tz = read_rule(text);
	struct tz_span span = posix_tz__at(&tz, seconds(at));

	print_message("%s at %s\n", text, at);
	assert_int_equal(span.offset_s, offset_s);
	if (until)
		assert_string_equal(instants__text(span.until_s * 1000000), until);
	else
		assert_true(span.until_s == INT64_MAX);
}

static void spans(void **state)
{
	static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";

	(void)state;
	expect_span("<+03>-3", "2025-01-01T00:00Z", 10800, NULL);
	expect_span(berlin, "2025-01-01T00:00Z", 3600, "2025-03-30T01:00Z");
	expect_span(berlin, "2025-03-30T00:59Z", 3600, "2025-03-30T01:00Z");
	expect_span(berlin, "2025-03-30T01:00Z", 7200, "2025-10-26T01:00Z");
	expect_span(berlin, "2025-10-26T01:00Z", 3600, "2026-03-29T01:00Z");
	expect_span(berlin, "1969-12-31T23:59Z", 3600, "1970-03-29T01:00Z");
	expect_span(berlin, "0001-01-01T00:00Z", 3600, "1-03-25T01:00Z");
	expect_span("AAA-10BBB,M10.1.0,M4.1.0/3", "2025-12-31T23:59Z", 39600, "2026-04-04T16:00Z");
}

/* Across the end of a year, which the C library sees in UTC. */
static void year_ends(void **state)
{
	(void)state;
	/* 167 hours before 1 January, and 167 hours behind 31 December */
	expect_span("AAA0BBB,J1/-167,J100", "2024-12-25T00:59Z", 0, "2024-12-25T01:00Z");
	expect_span("AAA0BBB,J1/-167,J100", "2024-12-25T01:00Z", 3600, "2025-04-10T01:00Z");
	expect_span("AAA0BBB,J100,J365/167", "2025-01-06T21:59Z", 3600, "2025-01-06T22:00Z");
	expect_span("AAA0BBB,J100,J365/167", "2025-01-06T22:00Z", 0, "2025-04-10T02:00Z");
	/* in the south, both at once */
	expect_span("AAA0BBB,J365/167,J1/-167", "2024-12-20T00:00Z", 3600, "2024-12-25T00:00Z");
	expect_span("AAA0BBB,J365/167,J1/-167", "2024-12-28T00:00Z", 0, "2025-01-06T23:00Z");
	expect_span("<+14>-14<+15>,0/0,100/0", "2024-12-31T10:00Z", 54000, "2025-04-10T09:00Z");
	expect_span("<+14>-14<+15>,0/0,100/0", "2024-12-31T09:59Z", 50400, "2024-12-31T10:00Z");
	/* day 365 of a year that has none is 1 January */
	expect_span("AAA0BBB,100/0,365/0", "2025-12-31T22:59Z", 3600, "2025-12-31T23:00Z");
	expect_span("AAA0BBB,100/0,365/0", "2024-12-30T22:59Z", 3600, "2024-12-30T23:00Z");
}

/* Daylight time that begins again when it ends, or before. */
static void daylight_all_year(void **state)
{
	static const char *const texts[] = {"XXX3EDT4,0/0,J365/23", "XXX3EDT4,0/0,J365/50",
					    "XXX5EDT4,0/0,J365/25"};
	uint64_t random = 20260131;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct posix_tz tz = read_rule(texts[i]);

		for (int round = 0; round < 2000; round++) {
			int64_t at_s = (int64_t)(random__next(&random) % (uint64_t)END_S);

			if (round % 2) /* a day around a new year of four */
				at_s = at_s / (1461 * DAY_S) * 1461 * DAY_S + at_s % DAY_S -
				       DAY_S / 2;
			assert_int_equal(posix_tz__at(&tz, at_s).offset_s, -4 * 3600);
			assert_true(posix_tz__at(&tz, at_s).until_s > at_s);
		}
	}
}

/* ---- texts */

static void texts_that_are_refused(void **state)
{
	static const char *const texts[] = {"",
					    "\n",
					    "UTC",
					    "AB3",
					    "<AB>3",
					    "<+03-3",
					    "+03>-3",
					    "<+0_3>-3",
					    "<>3",
					    ":Europe/Berlin",
					    "CET-",
					    "CET--1",
					    "CET 1",
					    "CET-1 ",
					    "CET-25",
					    "CET-1:60",
					    "CET-1:0:60",
					    "CET-1:",
					    "CET-1:0:",
					    "CET-99999999999999999999",
					    "CET-1CEST",
					    "CET-1CEST-2",
					    "CET-1CE,J1,J2",
					    "CET-1CEST25,J1,J2",
					    "CET-1CEST,M3.5.0",
					    "CET-1CEST,M3.5.0,",
					    "CET-1CEST,M3.5.0,M10.5.0/",
					    "CET-1CEST,M3.5.0,M10.5.0,",
					    "CET-1CEST,M3.5.0,M10.5.0/3x",
					    "CET-1CEST,M0.5.0,M10.5.0",
					    "CET-1CEST,M13.5.0,M10.5.0",
					    "CET-1CEST,M3.0.0,M10.5.0",
					    "CET-1CEST,M3.6.0,M10.5.0",
					    "CET-1CEST,M3.5.7,M10.5.0",
					    "CET-1CEST,M3.5,M10.5.0",
					    "CET-1CEST,M3-5-0,M10.5.0",
					    "CET-1CEST,J0,J2",
					    "CET-1CEST,J366,J2",
					    "CET-1CEST,366,2",
					    "CET-1CEST,-1,2",
					    "CET-1CEST,J1/168,J2",
					    "CET-1CEST,J1/-168,J2",
					    "CET-1CEST,J1/1:60,J2",
					    "CET-1CEST;J1;J2"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = {{0}};
		struct posix_tz tz;

		print_message("'%s'\n", texts[i]);
		assert_int_equal(posix_tz__parse(&tz, texts[i], strlen(texts[i]), &err), -EINVAL);
		assert_non_null(strstr(err.text, "is no rule of a time zone"));
		assert_int_equal(posix_tz__parse(&tz, texts[i], strlen(texts[i]), NULL), -EINVAL);
	}
}

/* The length counts, not what follows. */
static void lengths(void **state)
{
	static const char text[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	static const size_t lengths[] = {5, 24, 26};

	(void)state;
	for (size_t length = 0; length <= strlen(text); length++) {
		bool is_rule = false;
		struct posix_tz tz;

		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			is_rule = is_rule || length == lengths[i];
		assert_int_equal(posix_tz__parse(&tz, text, length, NULL), is_rule ? 0 : -EINVAL);
	}
	assert_int_equal(posix_tz__parse(&(struct posix_tz){0}, "UTC0\0", 5, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_the_c_library),
		cmocka_unit_test(spans),
		cmocka_unit_test(year_ends),
		cmocka_unit_test(daylight_all_year),
		cmocka_unit_test(texts_that_are_refused),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
