// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/capture/glob_compile.h"

static int matches(const char *pattern, const char *text)
{
	struct glob glob;
	struct error err;

	if (glob__compile(pattern, &glob, &err))
		fail_msg("'%s': %s", pattern, err.text);
	return glob__matches(&glob, text, 64);
}

static void patterns_and_texts(void **state)
{
	static const struct {
		const char *pattern, *text;
		int expected;
	} rows[] = {
		{"fragment.update", "fragment.update", 1},
		{"fragment.update", "fragment.updates", 0},
		{"fragment.update", "fragment.updat", 0},
		{"fragment.*", "fragment.update", 1},
		{"fragment.*", "fragment.", 1},
		{"fragment.*", "fragments", 0},
		{"*", "", 1},
		{"*", "anything", 1},
		{"*.delete", "fragment.delete", 1},
		{"*.delete", "fragment.deleted", 0},
		{"*a*b*", "xxaxxbxx", 1},
		{"*a*b*", "xxbxxaxx", 0},
		{"a**b", "ab", 1},
		{"?", "", 0},
		{"?", "x", 1},
		{"d?.*", "db.insert", 1},
		{"[ab]c", "bc", 1},
		{"[ab]c", "cc", 0},
		{"[a-f0-9]", "7", 1},
		{"[!a-f]x", "gx", 1},
		{"[!a-f]x", "ax", 0},
		{"[]]", "]", 1},
		{"[a-]", "-", 1},
		{"a\\*b", "a*b", 1},
		{"a\\*b", "axb", 0},
		{"todo,note", "note", 1},
		{"todo,note", "todo", 1},
		{"todo,note", "todonote", 0},
		{"todo,note", "todo,note", 0},
		{"db.*,ai.*", "ai.generate", 1},
		{"db.*,ai.*", "map", 0},
		{"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (matches(rows[i].pattern, rows[i].text) != rows[i].expected)
			fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].text);
}

/* A text field without a NUL ends at the end of the field. */
static void text_without_a_nul(void **state)
{
	char text[64];
	struct glob glob;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(glob__compile("a*a", &glob, NULL), 0);
	assert_true(glob__matches(&glob, text, sizeof(text)));
	assert_int_equal(glob__compile("aaaa", &glob, NULL), 0);
	assert_true(glob__matches(&glob, text, 4));
	assert_false(glob__matches(&glob, text, sizeof(text)));
}

static void invalid_patterns_are_refused(void **state)
{
	static const char *const rows[] = {"",  ",",  "a,", ",a",  "a,,b",
					   "[", "[a", "[]", "a\\", "x[!"};
	char text[128];
	struct glob glob;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (glob__compile(rows[i], &glob, &err) != -EINVAL)
			fail_msg("'%s' was taken", rows[i]);
		assert_non_null(strstr(err.text, "is not a pattern"));
	}
	memset(text, 'a', sizeof(text));
	text[63] = 0;
	assert_int_equal(glob__compile(text, &glob, &err), 0);
	text[63] = 'a';
	text[64] = 0;
	assert_int_equal(glob__compile(text, &glob, &err), -EINVAL);
	assert_non_null(strstr(err.text, "longer than 63"));
	assert_int_equal(
		glob__compile("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
			      &glob, &err),
		0);
	assert_int_equal(
		glob__compile("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
			      &glob, &err),
		-EINVAL);
}

/* Compares random patterns and texts with the result of fnmatch(3). */
static void same_results_as_fnmatch(void **state)
{
	static const char pieces[] = "aab?*b";
	unsigned int seed = 1;
	int matched = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char pattern[12], text[12];
		int length = 1 + rand_r(&seed) % 8, expected;

		for (int i = 0; i < length; i++)
			pattern[i] = pieces[rand_r(&seed) % 6];
		pattern[length] = 0;
		length = rand_r(&seed) % 9;
		for (int i = 0; i < length; i++)
			text[i] = "ab"[rand_r(&seed) % 2];
		text[length] = 0;
		expected = fnmatch(pattern, text, 0) == 0;
		matched += expected;
		if (matches(pattern, text) != expected)
			fail_msg("'%s' and '%s': %d expected", pattern, text, expected);
	}
	assert_in_range(matched, 10000, 190000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_and_texts),
		cmocka_unit_test(text_without_a_nul),
		cmocka_unit_test(invalid_patterns_are_refused),
		cmocka_unit_test(same_results_as_fnmatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
