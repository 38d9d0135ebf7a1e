// SPDX-License-Identifier: BSD-2-Clause
/* Files with the rules of a time zone: what they say, and which of them are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "instants.h"
#include "runner/recur/tzif.h"
#include "tzif_file.h"

#define RULE "\nCET-1CEST,M3.5.0,M10.5.0/3\n"

/* Where they are in the sample. */
enum {
	AT_VERSION = 4,
	AT_SECOND_HEADER = 54,
	AT_LEAP_SECONDS = 82,
	AT_TIME_COUNT = 86,
	AT_TYPE_COUNT = 90,
	AT_TIMES = 98,
	AT_CHANGE_TYPES = 122,
	AT_OFFSETS = 125,
	AT_FOOTER = 149
};

static const int64_t sample_times[] = {-1693706400, 0, INT64_C(1) << 33};

/* Half an hour ahead of UTC, then an hour, two hours, an hour, and from 2242 on the rule. */
static void make_sample(struct tzif_file *file, char version, const char *footer)
{
	file->size = 0;
	tzif_file__stub(file, version);
	tzif_file__header(file, version,
			  (struct tzif_counts){.ut_flags = 3,
					       .standard_flags = 3,
					       .times = 3,
					       .types = 3,
					       .name_bytes = 0});
	for (int i = 0; i < 3; i++)
		tzif_file__number(file, sample_times[i], 8);
	tzif_file__add(file, "\1\2\1", 3);
	tzif_file__type(file, 1800);
	tzif_file__type(file, 3600);
	tzif_file__type(file, 7200);
	tzif_file__zeros(file, 6);
	assert_int_equal(file->size, AT_FOOTER);
	tzif_file__add(file, footer, strlen(footer));
}

/* Parses a copy behind which nothing can be read unnoticed. */
static int parse(struct tzif *tzif, const struct tzif_file *file, struct error *err)
{
	uint8_t *copy = malloc(file->size + 1);
	int code;

	assert_non_null(copy);
	memcpy(copy + 1, file->bytes, file->size);
	code = tzif__parse(tzif, copy + 1, file->size, err);
	free(copy);
	return code;
}

static void expect_parsed(struct tzif *tzif, const struct tzif_file *file)
{
	struct error err = {{0}};

	if (parse(tzif, file, &err))
		fail_msg("%s", err.text);
}

static void expect_at(const struct tzif *tzif, int64_t at_s, int32_t offset_s, int64_t until_s)
{
	struct tz_span span = tzif__at(tzif, at_s);

	print_message("%lld\n", (long long)at_s);
	assert_int_equal(span.offset_s, offset_s);
	assert_true(span.until_s == until_s);
}

static int64_t seconds(const char *instant)
{
	return instants__read(instant) / 1000000;
}

/* ---- what a file says */

static void changes(void **state)
{
	static const char versions[] = "234";
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	for (int i = 0; versions[i]; i++) {
		make_sample(&file, versions[i], RULE);
		expect_parsed(&tzif, &file);
		expect_at(&tzif, seconds("0001-01-01T00:00Z"), 1800, sample_times[0]);
		expect_at(&tzif, sample_times[0] - 1, 1800, sample_times[0]);
		expect_at(&tzif, sample_times[0], 3600, sample_times[1]);
		expect_at(&tzif, -1, 3600, sample_times[1]);
		expect_at(&tzif, 0, 7200, sample_times[2]);
		expect_at(&tzif, sample_times[2] - 1, 7200, sample_times[2]);
		expect_at(&tzif, sample_times[2], 3600, seconds("2242-03-27T01:00Z"));
	}
}

/* The rule goes on where the changes end. */
static void rule(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_sample(&file, '2', RULE);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, seconds("2500-07-01T00:00Z"), 7200, seconds("2500-10-31T01:00Z"));
	/* on 26 March 10000 */
	expect_at(&tzif, seconds("9999-12-31T00:00Z"), 3600,
		  seconds("9999-12-31T01:00Z") + INT64_C(86) * 86400);
}

static void no_rule(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_sample(&file, '2', "\n\n");
	expect_parsed(&tzif, &file);
	expect_at(&tzif, sample_times[2] - 1, 7200, sample_times[2]);
	expect_at(&tzif, sample_times[2], 3600, INT64_MAX);
	expect_at(&tzif, seconds("9999-07-01T00:00Z"), 3600, INT64_MAX);
}

/* Then the rule holds for all times, and without one the first type. */
static void no_changes(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	file.size = 0;
	tzif_file__stub(&file, '2');
	tzif_file__header(&file, '2', (struct tzif_counts){.types = 1});
	tzif_file__type(&file, -3600);
	tzif_file__add(&file, "\n\n", 2);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, 0, -3600, INT64_MAX);
	file.size--;
	tzif_file__add(&file, "<+14>-14\n", 9);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, seconds("0001-01-01T00:00Z"), 14 * 3600, INT64_MAX);
	expect_at(&tzif, 0, 14 * 3600, INT64_MAX);
}

/* No rule follows, and times have 32 bits. */
static void version_1(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	file.size = 0;
	tzif_file__header(&file, 0, (struct tzif_counts){.times = 2, .types = 2, .name_bytes = 4});
	tzif_file__number(&file, INT32_MIN, 4);
	tzif_file__number(&file, INT32_MAX, 4);
	tzif_file__add(&file, "\1\0", 2);
	tzif_file__type(&file, -18000);
	tzif_file__type(&file, -14400);
	tzif_file__add(&file, "EST", 4);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, INT32_MIN - INT64_C(1), -18000, INT32_MIN);
	expect_at(&tzif, INT32_MIN, -14400, INT32_MAX);
	expect_at(&tzif, INT32_MAX, -18000, INT64_MAX);
	tzif_file__add(&file, "behind it", 9);
	expect_parsed(&tzif, &file);
}

/* As old files of tzdata have it: the time of the Big Bang, and the last one that there is. */
static void far_times(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_sample(&file, '2', "\n\n");
	memset(file.bytes + AT_TIMES, 0xff, 8);
	file.bytes[AT_TIMES] = 0x80;
	memset(file.bytes + AT_TIMES + 16, 0xff, 8);
	file.bytes[AT_TIMES + 16] = 0x7f;
	expect_parsed(&tzif, &file);
	expect_at(&tzif, -1, 3600, 0);
	expect_at(&tzif, 0, 7200, INT64_MAX);
}

static void make_long(struct tzif_file *file, uint32_t times)
{
	file->size = 0;
	tzif_file__stub(file, '2');
	tzif_file__header(file, '2', (struct tzif_counts){.times = times, .types = 256});
	for (uint32_t i = 0; i < times; i++)
		tzif_file__number(file, 10 * (int64_t)i, 8);
	for (uint32_t i = 0; i < times; i++)
		tzif_file__number(file, i % 256, 1);
	for (int32_t i = 0; i < 256; i++)
		tzif_file__type(file, i);
	tzif_file__add(file, "\n\n", 2);
}

static void many_changes(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_long(&file, TZIF_CHANGES_MAX);
	expect_parsed(&tzif, &file);
	for (int i = 0; i < TZIF_CHANGES_MAX; i++) {
		struct tz_span span = tzif__at(&tzif, 10 * i + 9);

		assert_int_equal(span.offset_s, i % 256);
		assert_true(span.until_s == (i + 1 < TZIF_CHANGES_MAX ? 10 * (i + 1) : INT64_MAX));
	}
}

/* ---- what is refused */

static void expect_refused(const struct tzif_file *file, int expected, const char *sentence)
{
	static struct tzif tzif;
	struct error err = {{0}};
	int code = parse(&tzif, file, &err);

	print_message("%s\n", sentence);
	assert_int_equal(code, expected);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(parse(&tzif, file, NULL), expected);
}

static void truncated_files(void **state)
{
	static struct tzif_file file;
	size_t size;

	(void)state;
	make_sample(&file, '2', RULE);
	size = file.size;
	for (file.size = 0; file.size < size; file.size++)
		expect_refused(&file, -EBADMSG,
			       file.size < AT_FOOTER ? "truncated" : "no rule between newlines");
}

static void damaged_files(void **state)
{
	static const struct {
		const char *sentence;
		size_t at, size;
		const char *bytes;
		int code;
	} damages[] = {
		{"does not begin with TZif", 0, 1, "t", -EBADMSG},
		{"does not begin with TZif", AT_SECOND_HEADER, 1, "t", -EBADMSG},
		{"version of the file is unknown", AT_VERSION, 1, "1", -ENOTSUP},
		{"version of the file is unknown", AT_VERSION, 1, "5", -ENOTSUP},
		{"version of the file is unknown", AT_VERSION, 1, "\xff", -ENOTSUP},
		{"version of the file is unknown", AT_SECOND_HEADER + 4, 1, "9", -ENOTSUP},
		{"truncated", AT_TIME_COUNT, 4, "\xff\xff\xff\xff", -EBADMSG},
		{"truncated", AT_TYPE_COUNT, 4, "\xff\xff\xff\xff", -EBADMSG},
		{"truncated", AT_TYPE_COUNT, 4, "\x2a\xaa\xaa\xab", -EBADMSG},
		{"truncated", AT_LEAP_SECONDS, 4, "\xff\xff\xff\xff", -EBADMSG},
		{"truncated", AT_SECOND_HEADER - 22, 4, "\xff\xff\xff\xff", -EBADMSG},
		{"counts leap seconds", AT_LEAP_SECONDS, 4, "\0\0\0\1", -ENOTSUP},
		{"0 types of local time", AT_TYPE_COUNT, 4, "\0\0\0\0", -EBADMSG},
		{"not in order", AT_TIMES, 1, "\1", -EBADMSG},
		{"not in order", AT_TIMES + 16, 8, "\0\0\0\0\0\0\0\0", -EBADMSG},
		{"the type 3 of 3", AT_CHANGE_TYPES, 1, "\3", -EBADMSG},
		{"the type 255 of 3", AT_CHANGE_TYPES + 2, 1, "\xff", -EBADMSG},
		{"93600 seconds away", AT_OFFSETS, 4, "\0\1\x6d\xa0", -EBADMSG},
		{"-90000 seconds away", AT_OFFSETS, 4, "\xff\xfe\xa0\x70", -EBADMSG},
		{"-2147483648 seconds away", AT_OFFSETS, 4, "\x80\0\0\0", -EBADMSG},
		{"no rule between newlines", AT_FOOTER, 1, "x", -EBADMSG},
		{"is no rule of a time zone", AT_FOOTER + 1, 1, "1", -EBADMSG},
		{"is no rule of a time zone", AT_FOOTER + 4, 1, "\0", -EBADMSG},
		{"is no rule of a time zone", AT_FOOTER + 4, 1, "\n", -EBADMSG},
	};
	static struct tzif_file file;

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		make_sample(&file, '2', RULE);
		tzif_file__zeros(&file, 12); /* enough for a leap second */
		if (damages[i].at != AT_LEAP_SECONDS)
			file.size -= 12;
		memcpy(file.bytes + damages[i].at, damages[i].bytes, damages[i].size);
		expect_refused(&file, damages[i].code, damages[i].sentence);
	}
}

/* The farthest offsets that RFC 9636 names are taken. */
static void far_offsets(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_sample(&file, '2', RULE);
	memcpy(file.bytes + AT_OFFSETS, "\0\1\x6d\x9f", 4);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, sample_times[0] - 1, 93599, sample_times[0]);
	memcpy(file.bytes + AT_OFFSETS, "\xff\xfe\xa0\x71", 4);
	expect_parsed(&tzif, &file);
	expect_at(&tzif, sample_times[0] - 1, -89999, sample_times[0]);
}

static void too_many_changes(void **state)
{
	static struct tzif_file file;

	(void)state;
	make_long(&file, TZIF_CHANGES_MAX + 1);
	expect_refused(&file, -ENOTSUP, "2001 changes of the clock; at most 2000");
	file.size = 0;
	tzif_file__stub(&file, '2');
	tzif_file__header(&file, '2', (struct tzif_counts){.types = 257});
	tzif_file__zeros(&file, (size_t)257 * 6);
	tzif_file__add(&file, "\n\n", 2);
	expect_refused(&file, -EBADMSG, "257 types of local time");
}

/* The farthest that a rule can be away from UTC is within the same limits. */
static void far_rules(void **state)
{
	static struct tzif_file file;
	static struct tzif tzif;

	(void)state;
	make_sample(&file, '3', "\nAAA-24:59:59BBB,0/0,J365/24\n");
	expect_parsed(&tzif, &file);
	assert_int_equal(tzif__at(&tzif, sample_times[2]).offset_s, TZIF_OFFSET_MAX_S - 1);
	make_sample(&file, '3', "\nAAA24:59:59\n");
	expect_parsed(&tzif, &file);
	assert_int_equal(tzif__at(&tzif, sample_times[2]).offset_s, -25 * 3600 + 1);
}

static void first_bytes(void **state)
{
	(void)state;
	assert_true(tzif__is_one((const uint8_t *)"TZif", 4));
	assert_true(tzif__is_one((const uint8_t *)"TZifx", 5));
	assert_false(tzif__is_one((const uint8_t *)"TZi", 3));
	assert_false(tzif__is_one((const uint8_t *)"# tz", 4));
	assert_false(tzif__is_one(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),          cmocka_unit_test(rule),
		cmocka_unit_test(no_rule),          cmocka_unit_test(no_changes),
		cmocka_unit_test(version_1),        cmocka_unit_test(far_times),
		cmocka_unit_test(many_changes),     cmocka_unit_test(truncated_files),
		cmocka_unit_test(damaged_files),    cmocka_unit_test(far_offsets),
		cmocka_unit_test(too_many_changes), cmocka_unit_test(far_rules),
		cmocka_unit_test(first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
