// SPDX-License-Identifier: BSD-2-Clause
/* A clock in a file: it shows what is written there, and runs at the rate beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/run/clock_file.h"
#include "runner/run/context.h"

#define START_US 1743296340000000 /* 2025-03-30T00:59:00Z */
#define HOUR_US  3600000000

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return chdir(fixture.directory);
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return chdir("/");
}

static int64_t system_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The file was last written so long ago. Returns that instant. */
static int64_t write_clock(const char *text, int64_t age_us)
{
	int64_t written_us = system_us() - age_us;
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = (time_t)(written_us / 1000000), .tv_nsec = written_us % 1000000 * 1000}};

	fixture__write(&fixture, "clock", text);
	assert_int_equal(utimensat(AT_FDCWD, "clock", times, 0), 0);
	return written_us;
}

static int64_t now_of(const char *path)
{
	struct error err = {{0}};
	int64_t now_us;

	if (clock_file__now(path, &now_us, &err))
		fail_msg("%s", err.text);
	return now_us;
}

/* The clock is read between two looks at the system's clock. */
static void expect_rate(const char *text, int64_t rate, int64_t age_us)
{
	int64_t written_us = write_clock(text, age_us), before_us = system_us();
	int64_t now_us = now_of("clock"), after_us = system_us();

	assert_in_range(now_us - START_US - (before_us - written_us) * rate, 0,
			(after_us - before_us) * rate);
}

static void the_clock_stands_or_runs(void **state)
{
	(void)state;
	write_clock("2025-03-30T00:59:00Z 0\n", HOUR_US);
	assert_true(now_of("clock") == START_US);
	write_clock("2025-03-30T00:59:00.25Z 0", HOUR_US);
	assert_true(now_of("clock") == START_US + 250000);
	expect_rate("2025-03-30T00:59:00Z 1\n", 1, HOUR_US);
	expect_rate("2025-03-30T00:59:00Z 60\n", 60, HOUR_US);
	expect_rate("2025-03-30T00:59:00Z 86400\n", 86400, 10 * HOUR_US);
	expect_rate("2025-03-30T00:59:00Z 60\n", 60, 0);
}

/* A file from the future: the clock does not yet show what is written there. */
static void a_file_of_tomorrow(void **state)
{
	(void)state;
	write_clock("2025-03-30T00:59:00Z 60\n", -HOUR_US);
	assert_in_range(now_of("clock"), START_US - 60 * HOUR_US, START_US - 59 * HOUR_US);
}

static void it_can_be_set(void **state)
{
	(void)state;
	write_clock("2025-03-30T00:59:00Z 0\n", 0);
	fixture__write(&fixture, "new", "2025-03-30T01:00:00Z 0\n");
	assert_true(now_of("clock") == START_US);
	assert_int_equal(rename("new", "clock"), 0);
	assert_true(now_of("clock") == START_US + 60000000);
}

static void expect_refusal(const char *text)
{
	struct error err = {{0}};
	int64_t now_us;

	fixture__write(&fixture, "clock", text);
	if (clock_file__now("clock", &now_us, &err) != -EINVAL)
		fail_msg("'%s' is taken", text);
	assert_non_null(strstr(err.text, "the clock 'clock' does not hold a time and a rate"));
}

static void what_is_no_clock(void **state)
{
	(void)state;
	expect_refusal("");
	expect_refusal("\n");
	expect_refusal("2025-03-30T00:59:00Z");
	expect_refusal("2025-03-30T00:59:00Z ");
	expect_refusal("60 2025-03-30T00:59:00Z");
	expect_refusal("2025-03-30T00:59:00 60");
	expect_refusal("2025-03-30 00:59:00Z 60");
	expect_refusal("2025-02-30T00:59:00Z 60");
	expect_refusal("2025-03-30T00:59:00Z 60 more");
	expect_refusal("2025-03-30T00:59:00Z -1");
	expect_refusal("2025-03-30T00:59:00Z 1.5");
	expect_refusal("2025-03-30T00:59:00Z 86401");
	expect_refusal("2025-03-30T00:59:00Z 99999999999999999999");
	expect_refusal("2025-03-30T00:59:00Z 60x");
}

/* Not read to its end, a rate of 600 would be one of 60, and a second line would not be seen. */
static void a_long_file(void **state)
{
	char text[256];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "2025-03-30T00:59:00Z 60", 23);
	strcpy(text + 200, "more");
	expect_refusal(text);
	memset(text, ' ', sizeof(text));
	memcpy(text, "2025-03-30T00:59:00Z", 20);
	strcpy(text + 125, "600\n");
	expect_refusal(text);
}

/* What it would show cannot be computed, or is no year of four digits. */
static void out_of_range(void **state)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
	struct error err = {{0}};
	int64_t now_us;

	(void)state;
	fixture__write(&fixture, "clock", "2025-03-30T00:59:00Z 86400\n");
	assert_int_equal(utimensat(AT_FDCWD, "clock", times, 0), 0);
	assert_int_equal(clock_file__now("clock", &now_us, &err), -ERANGE);
	assert_non_null(strstr(err.text, "the clock 'clock' "));
	write_clock("9999-12-31T23:00:00Z 2\n", HOUR_US);
	assert_int_equal(clock_file__now("clock", &now_us, &err), -ERANGE);
	write_clock("1970-01-01T00:00:00Z 1\n", -HOUR_US);
	assert_int_equal(clock_file__now("clock", &now_us, &err), -ERANGE);
	write_clock("1970-01-01T00:00:00Z 1\n", HOUR_US);
	assert_int_equal(clock_file__now("clock", &now_us, &err), 0);
}

static void what_cannot_be_read(void **state)
{
	struct error err = {{0}};
	int64_t now_us;

	(void)state;
	assert_int_equal(clock_file__now("nowhere", &now_us, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot read the clock 'nowhere'"));
	assert_int_equal(clock_file__now(".", &now_us, &err), -EISDIR);
	/* Not waited for. */
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(clock_file__now("pipe", &now_us, &err), -EINVAL);
}

static void of_an_id_source(void **state)
{
	struct id_source source = {.clock_path = "clock"};

	(void)state;
	write_clock("2025-03-30T00:59:00Z 0\n", 0);
	assert_true(id_source__now_us(&source) == START_US);
	/* A schedule of years would be due at the time of the system. */
	assert_int_equal(unlink("clock"), 0);
	assert_true(id_source__now_us(&source) == START_US);
	write_clock("", 0);
	assert_true(id_source__now_us(&source) == START_US);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_clock_stands_or_runs), TEST(a_file_of_tomorrow), TEST(it_can_be_set),
		TEST(what_is_no_clock),         TEST(a_long_file),        TEST(out_of_range),
		TEST(what_cannot_be_read),      TEST(of_an_id_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
