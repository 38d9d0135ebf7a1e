// SPDX-License-Identifier: BSD-2-Clause
/*
 * All time zones that the system has, compared with the C library at random instants. The
 * environment variable PROPERTY_SEED chooses the random numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "foreign_text.h"
#include "runner/recur/zone.h"
#include "skipping.h"

#define FOLDER "/usr/share/zoneinfo/"

enum { INSTANTS = 200, ZONES_MIN = 300, DESCRIPTORS = 16 };

#define SECOND_US INT64_C(1000000)

/* Instants are from 1970 to the end of 2099. */
#define END_S UINT64_C(4102444800)

static uint64_t seed = 20260131, state;
static int zones;

static int64_t offset_of_libc(int64_t us)
{
	time_t seconds = (time_t)(us / SECOND_US);
	struct tm local;

	localtime_r(&seconds, &local);
	return local.tm_gmtoff * SECOND_US;
}

static void expect_offset(const char *name, int64_t at_us, int64_t offset_us)
{
	int64_t expected_us = offset_of_libc(at_us);

	if (offset_us != expected_us)
		fail_msg("seed %llu: %s at %lld us: offset %lld us, but %lld us in the C library",
			 (unsigned long long)seed, name, (long long)at_us, (long long)offset_us,
			 (long long)expected_us);
}

/* The offset at an instant, at the end of its span, and behind it. */
static void compare_at(const char *name, struct zone *zone, int64_t at_us)
{
	struct zone_span span, next;

	assert_int_equal(zone__span(zone, at_us, &span, NULL), 0);
	assert_true(span.until_us > at_us);
	expect_offset(name, at_us, span.offset_us);
	if (span.until_us == INT64_MAX)
		return;
	expect_offset(name, span.until_us - SECOND_US, span.offset_us);
	assert_int_equal(zone__span(zone, span.until_us, &next, NULL), 0);
	expect_offset(name, span.until_us, next.offset_us);
}

static void compare(const char *name)
{
	struct error err = {{0}};
	struct zone *zone;

	if (zone__open(name, &zone, &err))
		fail_msg("%s", err.text);
	setenv("TZ", name, 1);
	tzset();
	for (int i = 0; i < INSTANTS; i++)
		compare_at(name, zone, (int64_t)(random__next(&state) % END_S) * SECOND_US);
	zone__close(zone);
	zones++;
}

static bool is_zone(const char *path)
{
	char bytes[4] = "";
	FILE *file = fopen(path, "r");
	size_t count = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file)
		fclose(file);
	return count == sizeof(bytes) && memcmp(bytes, "TZif", sizeof(bytes)) == 0;
}

/* zone.h says which files are no zones, though they look like them. */
static int look_at(const char *path, const struct stat *status, int type, struct FTW *place)
{
	static const char *const skipped[] = {"localtime", "posixrules", "Factory", "posix/",
					      "right/"};
	const char *name = path + strlen(FOLDER);

	(void)status;
	(void)place;
	if ((type != FTW_F && type != FTW_SL) || !is_zone(path))
		return 0;
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (strncmp(name, skipped[i], strlen(skipped[i])) == 0)
			return 0;
	compare(name);
	return 0;
}

static void all_zones(void **unused)
{
	const char *text = getenv("PROPERTY_SEED");

	(void)unused;
	if (access(FOLDER "Europe/Berlin", R_OK))
		skip_because("the system has no time zones: /usr/share/zoneinfo (tzdata)");
	if (text)
		seed = strtoull(text, NULL, 10);
	state = seed | 1;
	/* Links that are followed may lead to a folder by way of posix/ only. */
	assert_int_equal(nftw(FOLDER, look_at, DESCRIPTORS, FTW_PHYS), 0);
	print_message("%d time zones\n", zones);
	assert_true(zones >= ZONES_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
