// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

#include "foreign_text.h"

static const struct {
	const char *text, *shown;
	size_t columns;
} rows[] = {
	{"", "", 0},
	{"plain text, with a \\ and \xc3\xa9", "plain text, with a \\ and \xc3\xa9", 26},
	{"a\nb\tc\rd", "a\\nb\\tc\\rd", 10},
	{"\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f", 15},
	{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u009b\\u009f\xc2\xa0", 19},
	{"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029", 12},
	{"\xe2\x80\xae"
	 "gpj.exe\xe2\x81\xa6\xd8\x9c",
	 "\\u202egpj.exe\\u2066\\u061c", 25},
	{"\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82", 17},
	{"\xed\xa0\x80\xc0\xaf", "\\xed\\xa0\\x80\\xc0\\xaf", 20},
	{"\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80", "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80",
	 7},
	{"e\xcc\x81", "e\xcc\x81", 1},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void every_kind_of_character(void **state)
{
	char shown[256];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		assert_string_equal(printable__to(shown, rows[i].text), rows[i].shown);
		assert_int_equal(printable__columns(rows[i].text, SIZE_MAX), rows[i].columns);
	}
}

static void a_second_time_changes_nothing(void **state)
{
	char once[256], twice[256];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		printable__to(once, rows[i].text);
		assert_string_equal(printable__to(twice, once), once);
	}
}

static void a_copy_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		char *copy = printable__duplicate(rows[i].text);

		assert_string_equal(copy, rows[i].shown);
		free(copy);
	}
}

/* The longest that one byte can become. */
static void a_copy_of_the_worst_text(void **state)
{
	char text[1001], *copy;

	(void)state;
	memset(text, 0xff, 1000);
	text[1000] = 0;
	copy = printable__duplicate(text);
	assert_int_equal(strlen(copy), 4000);
	free(copy);
}

static void whole_characters_up_to_the_room(void **state)
{
	static const struct {
		size_t room;
		const char *shown;
	} cases[] = {{1, ""},
		     {2, "a"},
		     {3, "a"},
		     {4, "a\\n"},
		     {5, "a\\n"},
		     {6, "a\\n\xc3\xa9"},
		     {9, "a\\n\xc3\xa9"},
		     {10, "a\\n\xc3\xa9\\xff"}};
	char shown[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(shown, '#', sizeof(shown));
		printable__copy(shown, cases[i].room, "a\n\xc3\xa9\xff", SIZE_MAX);
		assert_string_equal(shown, cases[i].shown);
		assert_int_equal(shown[cases[i].room], '#');
	}
}

static void fields_without_a_nul(void **state)
{
	static const char field[4] = {'a', '\n', 'c', 'd'};
	char shown[32];

	(void)state;
	assert_string_equal(printable__copy(shown, sizeof(shown), field, 3), "a\\nc");
	assert_int_equal(printable__columns(field, 3), 4);
}

/* Random bytes: the result is valid UTF-8 without control characters. */
static void nothing_else_comes_out(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char field[40], shown[4 * sizeof(field) + 1];
		const uint8_t *at = (const uint8_t *)shown;

		random__text(&seed, field, sizeof(field));
		printable__copy(shown, sizeof(shown), field, sizeof(field));
		while (*at) {
			size_t count = foreign_text__character(at, strlen((const char *)at));

			assert_true(count > 0 && *at >= 0x20 && *at != 0x7f);
			assert_false(at[0] == 0xc2 && at[1] < 0xa0);
			at += count;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_character),
		cmocka_unit_test(a_second_time_changes_nothing),
		cmocka_unit_test(a_copy_of_its_own),
		cmocka_unit_test(a_copy_of_the_worst_text),
		cmocka_unit_test(whole_characters_up_to_the_room),
		cmocka_unit_test(fields_without_a_nul),
		cmocka_unit_test(nothing_else_comes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
