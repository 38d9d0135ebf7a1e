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
	struct glob glob = {.start = 0};
	struct error err;

	if (glob__add(pattern, &glob, &err))
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
		{"!health.*", "health.check", 0},
		{"!health.*", "fragment.update", 1},
		{"!health.*", "", 1},
		{"!health.*,!ping", "ping", 0},
		{"!health.*,!ping", "health.check", 0},
		{"!health.*,!ping", "pings", 1},
		{"*,!health.*", "health.check", 0},
		{"*,!health.*", "fragment.update", 1},
		{"db.*,!db.vacuum", "db.insert", 1},
		{"db.*,!db.vacuum", "db.vacuum", 0},
		{"db.*,!db.vacuum", "ai.generate", 0},
		{"!health.*,health.deep", "health.deep", 1},
		{"!health.*,health.deep", "health.check", 0},
		{"!health.*,health.deep", "todo", 1},
		{"!db.*,db.x*,!db.xy", "db.x", 1},
		{"!db.*,db.x*,!db.xy", "db.xy", 0},
		{"!db.*,db.x*,!db.xy", "db.a", 0},
		{"!*", "anything", 0},
		{"!*", "", 0},
		{"\\!a", "!a", 1},
		{"\\!a", "b", 0},
		{"a!b", "a!b", 1},
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
	struct glob glob = {.start = 0};

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(glob__add("a*a", &glob, NULL), 0);
	assert_true(glob__matches(&glob, text, sizeof(text)));
	memset(&glob, 0, sizeof(glob));
	assert_int_equal(glob__add("aaaa", &glob, NULL), 0);
	assert_true(glob__matches(&glob, text, 4));
	assert_false(glob__matches(&glob, text, sizeof(text)));
}

static void invalid_patterns_are_refused(void **state)
{
	static const char *const rows[] = {"",   ",",  "a,",  ",a",  "a,,b", "[",
					   "[a", "[]", "a\\", "x[!", "!",    "a,!"};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct glob glob = {.start = 0};

		if (glob__add(rows[i], &glob, &err) != -EINVAL)
			fail_msg("'%s' was taken", rows[i]);
		assert_non_null(strstr(err.text, "is not a pattern"));
	}
}

/* One pattern, two patterns, and patterns of which one excludes. */
static void too_long_patterns_are_refused(void **state)
{
	static const struct {
		const char *format;
		int characters; /* the most of %s */
	} rows[] = {{"%s", 63}, {"a,%s", 61}, {"%s,abc", 59}, {"!%s", 62}, {"a,!%s", 61}};
	char text[128], pattern[128];
	struct error err;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int more = 0; more < 3; more++) {
			struct glob glob = {.start = 0};
			int length = rows[i].characters + more;

			text[length] = 0;
			snprintf(pattern, sizeof(pattern), rows[i].format, text);
			text[length] = 'a';
			err.text[0] = 0;
			assert_int_equal(glob__add(pattern, &glob, &err), more ? -EINVAL : 0);
			assert_int_equal(strstr(err.text, "at most 63") != NULL, more > 0);
		}
}

/* An option that is repeated adds its patterns. */
static void patterns_are_added(void **state)
{
	struct glob glob = {.start = 0};
	struct error err;

	(void)state;
	assert_int_equal(glob__add("a*,b", &glob, &err), 0);
	assert_int_equal(glob__add("!ab", &glob, &err), 0);
	assert_int_equal(glob__add("c", &glob, &err), 0);
	assert_true(glob__matches(&glob, "ac", 64));
	assert_true(glob__matches(&glob, "b", 64));
	assert_true(glob__matches(&glob, "c", 64));
	assert_false(glob__matches(&glob, "ab", 64));
	assert_false(glob__matches(&glob, "d", 64));
	for (int i = 0; i < 27; i++)
		assert_int_equal(glob__add("x", &glob, &err), 0);
	assert_int_equal(glob__add("y", &glob, &err), -EINVAL);
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

/* Compares random lists of patterns with the rule itself. */
static void the_last_pattern_that_matches_decides(void **state)
{
	static const char *const pieces[] = {"a",   "b",     "*",  "a*",  "*b",  "?",  "??",
					     "ab*", "[ab]b", "!a", "!*a", "!b*", "!?", "!ab"};
	unsigned int seed = 7;
	int matched = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char list[64] = "", text[8];
		int count = 1 + rand_r(&seed) % 5, length = rand_r(&seed) % 5, expected = 0;

		for (int i = 0; i < length; i++)
			text[i] = "ab"[rand_r(&seed) % 2];
		text[length] = 0;
		for (int i = 0; i < count; i++) {
			const char *piece = pieces[rand_r(&seed) % 14];

			expected |= i == 0 && piece[0] == '!';
			if (fnmatch(piece + (piece[0] == '!'), text, 0) == 0)
				expected = piece[0] != '!';
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 i ? "," : "", piece);
		}
		matched += expected;
		if (matches(list, text) != expected)
			fail_msg("'%s' and '%s': %d expected", list, text, expected);
	}
	assert_in_range(matched, 10000, 90000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_and_texts),
		cmocka_unit_test(text_without_a_nul),
		cmocka_unit_test(invalid_patterns_are_refused),
		cmocka_unit_test(too_long_patterns_are_refused),
		cmocka_unit_test(patterns_are_added),
		cmocka_unit_test(same_results_as_fnmatch),
		cmocka_unit_test(the_last_pattern_that_matches_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
