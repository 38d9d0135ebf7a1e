// SPDX-License-Identifier: BSD-2-Clause
/* Time zones: which names are known, and what their clocks show around a change. */
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
#include <unistd.h>

#include "instants.h"
#include "runner/recur/zone.h"
#include "tzif_file.h"

#define HOUR_US   INT64_C(3600000000)
#define MINUTE_US INT64_C(60000000)

static struct zone *open_zone(const char *name)
{
	struct error err = {{0}};
	struct zone *zone;

	if (zone__open(name, &zone, &err))
		fail_msg("%s: %s", name, err.text);
	return zone;
}

/* ---- names */

static void known_names(void **state)
{
	static const char *const names[] = {"UTC",
					    "Etc/UTC",
					    "Europe/Berlin",
					    "Etc/GMT+5",
					    "Etc/GMT-14",
					    "Asia/Kolkata",
					    "America/Argentina/Ushuaia",
					    "America/Port-au-Prince"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		zone__close(open_zone(names[i]));
}

/* Debian 13 has the older ones in a package of its own, and the newer ones came with an update. */
static void names_of_some_systems(void **state)
{
	static const char *const names[] = {"GMT",
					    "EST5EDT",
					    "EST",
					    "CET",
					    "GMT-0",
					    "GMT+0",
					    "GMT0",
					    "Greenwich",
					    "Asia/Calcutta",
					    "US/Eastern",
					    "America/Ciudad_Juarez",
					    "America/Coyhaique"};
	char path[100];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", names[i]);
		if (access(path, R_OK))
			print_message("this system does not have %s\n", names[i]);
		else
			zone__close(open_zone(names[i]));
	}
}

static void expect_error(const char *name, int expected, const char *sentence)
{
	struct zone *zone = (struct zone *)&zone;
	struct error err = {{0}};

	print_message("'%s'\n", name);
	assert_int_equal(zone__open(name, &zone, &err), expected);
	assert_null(zone);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(zone__open(name, &zone, NULL), expected);
}

static void expect_unknown(const char *name)
{
	expect_error(name, -EINVAL, "the time zone '");
	expect_error(name, -EINVAL, "is unknown");
}

static void unknown_names(void **state)
{
	static const char *const names[] = {
		"",
		"Europe/Berlim",
		"europe/berlin",
		"Etc/Unknown",
		"GMT+5",
		"GMT+05:30",
		"UTC+1",
		"BST",
		"IST",
		"PST",
		"SystemV/EST5",
		"Europe/Berlin ",
		"Europe/Berlin\n",
		"Z\xc3\xbcrich",
		"../../etc/passwd",
		"/usr/share/zoneinfo/Europe/Berlin",
		"/etc/passwd",
		"Europe/../UTC",
		"./UTC",
		"Europe",
		"Europe/",
		"Europe//Berlin",
		"Europe/Berlin/",
		"Europe/Berlin/Mitte",
		":Europe/Berlin",
		"CET-1",
		"tzdata.zi",
		"zone1970.tab",
		"leapseconds",
		"localtime",
		"posixrules",
		"Factory",
		"posix/Europe/Berlin",
		"right/Europe/Berlin",
		"a-name-that-is-longer-than-any-name-of-a-zone-in-the-whole-wide-world-of-zones"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_unknown(names[i]);
	zone__close(NULL);
}

/* ---- the folder of the zones */

static char folder[] = "/tmp/test_zone.XXXXXX";

static void in_folder(char path[200], const char *name)
{
	snprintf(path, 200, "%s/%s", folder, name);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	char path[200];
	FILE *file;

	in_folder(path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void make_zone(struct tzif_file *file, const char *rule)
{
	file->size = 0;
	tzif_file__stub(file, '2');
	tzif_file__stub(file, '2');
	tzif_file__add(file, rule, strlen(rule));
}

static int use_own_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	return setenv("TZDIR", folder, 1);
}

static int use_folder_of_the_system(void **state)
{
	static const char *const names[] = {"Area/Own", "Area",  "Damaged", "Text",
					    "Empty",    "Large", "Fifo",    "Loop"};
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in_folder(path, names[i]);
		remove(path);
	}
	rmdir(folder);
	return unsetenv("TZDIR");
}

static void own_folder(void **state)
{
	static struct tzif_file file;
	struct zone_span span;
	struct zone *zone;
	char path[200];

	(void)state;
	in_folder(path, "Area");
	assert_int_equal(mkdir(path, 0700), 0);
	make_zone(&file, "\n<+0545>-5:45\n");
	write_file("Area/Own", file.bytes, file.size);
	zone = open_zone("Area/Own");
	assert_int_equal(zone__span(zone, 0, &span, NULL), 0);
	assert_true(span.offset_us == 345 * MINUTE_US && span.until_us == INT64_MAX);
	zone__close(zone);
	expect_unknown("Europe/Berlin");
	expect_unknown("Area");
	zone__close(open_zone("UTC"));
}

static void damaged_zones(void **state)
{
	static struct tzif_file file;

	(void)state;
	make_zone(&file, "\nCET-1CEST\n");
	write_file("Damaged", file.bytes, file.size);
	expect_error("Damaged", -EIO, "cannot read the time zone 'Damaged' in /tmp/test_zone.");
	expect_error("Damaged", -EIO, ": 'CET-1CEST' is no rule of a time zone");
	write_file("Damaged", file.bytes, file.size - 1);
	expect_error("Damaged", -EIO, ": the file has no rule between newlines at its end");
	tzif_file__zeros(&file, TZIF_FILE_BYTES - file.size);
	write_file("Large", file.bytes, file.size);
	expect_error("Large", -EIO, "no rule between newlines");
}

static void files_that_are_no_zones(void **state)
{
	static char text[TZIF_FILE_BYTES + 1];
	char path[200];

	(void)state;
	write_file("Text", "# tzdb links\n", 13);
	expect_unknown("Text");
	write_file("Empty", "", 0);
	expect_unknown("Empty");
	write_file("Large", text, sizeof(text));
	expect_unknown("Large");
	memcpy(text, "TZif", 4);
	write_file("Large", text, sizeof(text));
	expect_error("Large", -EIO, "'Large' in /tmp/test_zone.");
	expect_error("Large", -EIO, "File too large");
	in_folder(path, "Fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_unknown("Fifo");
	in_folder(path, "Loop");
	assert_int_equal(symlink("Loop", path), 0);
	expect_error("Loop", -EIO, "cannot read the time zone 'Loop'");
}

static void no_folder(void **state)
{
	(void)state;
	setenv("TZDIR", "/nowhere", 1);
	expect_error("Europe/Berlin", -EIO, "'/nowhere': No such file or directory");
	expect_error("Europe/Berlin", -EIO, "install the package tzdata");
	expect_unknown("posix/Europe/Berlin");
	zone__close(open_zone("UTC"));
	zone__close(open_zone("Etc/UTC"));
	setenv("TZDIR", "", 1);
	zone__close(open_zone("Europe/Berlin"));
	unsetenv("TZDIR");
}

/* ---- spans */

static void expect_span(const char *name, const char *at, int offset_minutes, const char *until)
{
	struct zone *zone = open_zone(name);
	struct zone_span span;

	assert_int_equal(zone__span(zone, instants__read(at), &span, NULL), 0);
	print_message("%s at %s\n", name, at);
	assert_int_equal(span.offset_us, offset_minutes * MINUTE_US);
	if (until)
		assert_string_equal(instants__text(span.until_us), until);
	else
		assert_true(span.until_us == INT64_MAX);
	zone__close(zone);
}

static void spans(void **state)
{
	(void)state;
	expect_span("UTC", "2025-01-01T00:00Z", 0, NULL);
	expect_span("Etc/GMT+5", "2025-01-01T00:00Z", -300, NULL);
	expect_span("Europe/Berlin", "2025-01-01T00:00Z", 60, "2025-03-30T01:00Z");
	expect_span("Europe/Berlin", "2025-03-30T00:59Z", 60, "2025-03-30T01:00Z");
	expect_span("Europe/Berlin", "2025-03-30T01:00Z", 120, "2025-10-26T01:00Z");
	expect_span("America/New_York", "2025-03-09T07:00Z", -240, "2025-11-02T06:00Z");
	expect_span("Australia/Lord_Howe", "2025-04-05T14:59Z", 660, "2025-04-05T15:00Z");
	expect_span("Australia/Lord_Howe", "2025-04-05T15:00Z", 630, "2025-10-04T15:30Z");
	expect_span("Pacific/Apia", "2011-12-30T09:59Z", -600, "2011-12-30T10:00Z");
	expect_span("Pacific/Apia", "2011-12-30T10:00Z", 840, "2012-03-31T14:00Z");
	/* changed since 2022 */
	expect_span("America/Mexico_City", "2025-07-01T00:00Z", -360, NULL);
	expect_span("Africa/Cairo", "2025-07-01T00:00Z", 180, "2025-10-30T21:00Z");
	expect_span("America/Nuuk", "2025-07-01T00:00Z", -60, "2025-10-26T01:00Z");
	expect_span("Asia/Almaty", "2024-02-29T17:59Z", 360, "2024-02-29T18:00Z");
	/* winter time is "daylight time" */
	expect_span("Europe/Dublin", "2050-07-01T00:00Z", 60, "2050-10-30T01:00Z");
	expect_span("Europe/Dublin", "2050-12-01T00:00Z", 0, "2051-03-26T01:00Z");
	/* behind the years that are written down one by one */
	expect_span("Europe/Berlin", "2150-07-01T00:00Z", 120, "2150-10-25T01:00Z");
	expect_span("Europe/Berlin", "9999-07-01T00:00Z", 120, "9999-10-31T01:00Z");
}

/* The last microsecond before a change is before it, also in front of 1970. */
static void microseconds(void **state)
{
	struct zone *berlin = open_zone("Europe/Berlin"), *london = open_zone("Europe/London");
	int64_t change_us = instants__read("2025-03-30T01:00Z");
	struct zone_span span;

	(void)state;
	assert_int_equal(zone__span(berlin, change_us - 1, &span, NULL), 0);
	assert_int_equal(span.offset_us, HOUR_US);
	assert_true(span.until_us == change_us);
	assert_int_equal(zone__span(berlin, change_us, &span, NULL), 0);
	assert_int_equal(span.offset_us, 2 * HOUR_US);
	change_us = instants__read("1968-02-18T02:00Z");
	assert_int_equal(zone__span(london, change_us - 1, &span, NULL), 0);
	assert_int_equal(span.offset_us, 0);
	assert_int_equal(zone__span(london, change_us, &span, NULL), 0);
	assert_int_equal(span.offset_us, HOUR_US);
	zone__close(berlin);
	zone__close(london);
}

static void times_without_calendar(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_C(-62135596800000001),
					INT64_C(253433923200000000), INT64_MAX};
	struct zone *berlin = open_zone("Europe/Berlin");
	struct zone_span span;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct error err = {{0}};

		assert_int_equal(zone__span(berlin, times[i], &span, &err), -ERANGE);
		assert_string_equal(err.text, "a time is not in the years 1 to 10000");
	}
	assert_int_equal(zone__span(berlin, times[1] + 1, &span, NULL), 0);
	assert_int_equal(zone__span(berlin, times[2] - 1, &span, NULL), 0);
	zone__close(berlin);
}

/* ---- the first instant of a local time */

/* `local` is written like an instant. */
static void expect_first(const char *name, const char *local, const char *expected)
{
	struct zone *zone = open_zone(name);
	int64_t at_us;

	assert_int_equal(zone__first(zone, instants__read(local), &at_us, NULL), 0);
	print_message("%s %s\n", name, local);
	assert_string_equal(instants__text(at_us), expected);
	zone__close(zone);
}

static void times_that_do_not_exist(void **state)
{
	(void)state;
	expect_first("Europe/Berlin", "2025-03-30T01:59Z", "2025-03-30T00:59Z");
	expect_first("Europe/Berlin", "2025-03-30T02:00Z", "2025-03-30T01:00Z");
	expect_first("Europe/Berlin", "2025-03-30T02:30Z", "2025-03-30T01:00Z");
	expect_first("Europe/Berlin", "2025-03-30T03:00Z", "2025-03-30T01:00Z");
	expect_first("Europe/Berlin", "2025-03-30T03:01Z", "2025-03-30T01:01Z");
	expect_first("Australia/Lord_Howe", "2025-10-05T02:10Z", "2025-10-04T15:30Z");
	expect_first("Pacific/Apia", "2011-12-30T00:00Z", "2011-12-30T10:00Z");
	expect_first("Pacific/Apia", "2011-12-30T23:59Z", "2011-12-30T10:00Z");
	expect_first("Pacific/Apia", "2011-12-31T00:01Z", "2011-12-30T10:01Z");
	expect_first("America/Sao_Paulo", "2018-11-04T00:00Z", "2018-11-04T03:00Z");
	expect_first("Asia/Beirut", "2022-03-27T00:30Z", "2022-03-26T22:00Z");
	expect_first("Antarctica/Troll", "2025-03-30T02:59Z", "2025-03-30T01:00Z");
}

static void times_that_come_twice(void **state)
{
	(void)state;
	expect_first("Europe/Berlin", "2025-10-26T01:59Z", "2025-10-25T23:59Z");
	expect_first("Europe/Berlin", "2025-10-26T02:00Z", "2025-10-26T00:00Z");
	expect_first("Europe/Berlin", "2025-10-26T02:59Z", "2025-10-26T00:59Z");
	expect_first("Europe/Berlin", "2025-10-26T03:00Z", "2025-10-26T02:00Z");
	expect_first("America/New_York", "2025-11-02T01:30Z", "2025-11-02T05:30Z");
	expect_first("Australia/Lord_Howe", "2025-04-06T01:30Z", "2025-04-05T14:30Z");
	expect_first("Australia/Lord_Howe", "2025-04-06T02:00Z", "2025-04-05T15:30Z");
	/* on the evening before */
	expect_first("America/Sao_Paulo", "2018-02-17T23:30Z", "2018-02-18T01:30Z");
	expect_first("America/Sao_Paulo", "2018-02-18T00:00Z", "2018-02-18T03:00Z");
	/* A whole day, more or less: Kwajalein crossed the date line in 1969. */
	expect_first("Pacific/Kwajalein", "1969-09-30T12:00Z", "1969-09-30T01:00Z");
	expect_first("Etc/GMT-14", "2025-01-01T00:00Z", "2024-12-31T10:00Z");
	expect_first("Etc/GMT+12", "2025-01-01T00:00Z", "2025-01-01T12:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names),
		cmocka_unit_test(names_of_some_systems),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test_setup(own_folder, use_own_folder),
		cmocka_unit_test(damaged_zones),
		cmocka_unit_test_teardown(files_that_are_no_zones, use_folder_of_the_system),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(spans),
		cmocka_unit_test(microseconds),
		cmocka_unit_test(times_without_calendar),
		cmocka_unit_test(times_that_do_not_exist),
		cmocka_unit_test(times_that_come_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
