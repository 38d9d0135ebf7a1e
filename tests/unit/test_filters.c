// SPDX-License-Identifier: BSD-2-Clause
/* Every filter but those for regular expressions: its results, its errors, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>

#include "filter_cases.h"

static void test_values(void **state)
{
	static const struct filter_case cases[] = {
		{"x | default: 1", "1"},
		{"0 | default: 1", "1"},
		{"'0' | default: 1", "1"},
		{"'' | default: 1", "1"},
		{"[] | default: 1", "1"},
		{"{} | default: 1", "1"},
		{"false | default: 1", "1"},
		{"l | default: 1", "[3,\"b\",null]"},
		{"a | ternary: 'y', 'n'", "\"y\""},
		{"x | ternary: 'y', 'n'", "\"n\""},
		{"json | from_json", "[{\"p\":1}]"},
		{"bad | from_json", "null"},
		{"x | from_json", "null"},
		{"l | from_json", "[3,\"b\",null]"},
		{"'5 6' | from_json", "null"},
		{"o | json_encode", "\"{\\\"k\\\":1,\\\"j\\\":[2]}\""},
		{"a | json", "\"\\\"hello\\\"\""},
		{"x | json", "\"null\""},
		{"'12 days' | int", "12"},
		{"'-3.9' | int", "-3"},
		{"3.9 | int", "3"},
		{"'x' | int", "0"},
		{"x | int", "0"},
		{"true | int", "1"},
		{"'3.5h' | float", "3.5"},
		{"'2' | float", "2"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_texts(void **state)
{
	static const struct filter_case cases[] = {
		{"' \t\r\n a b \n' | trim", "\"a b\""},
		{"x | trim", "\"\""},
		{"5 | trim", "\"5\""},
		{"a | append: '!'", "\"hello!\""},
		{"l | append: [1]", "[3,\"b\",null,[1]]"},
		{"[] | append: o", "[{\"k\":1,\"j\":[2]}]"},
		{"x | append: 5", "\"5\""},
		{"a | upper", "\"HELLO\""},
		{"u | upper", "\"H\xc3\x89\xe2\x82\xacLLO\""},
		{"'\xc3\x84\xce\xa9\xd0\x96\xc5\xbd' | lower",
		 "\"\xc3\xa4\xcf\x89\xd0\xb6\xc5\xbe\""},
		{"'\xc3\xa4\xcf\x89\xd0\xb6\xc5\xbe\xc3\x9f' | upper",
		 "\"\xc3\x84\xce\xa9\xd0\x96\xc5\xbd\xc3\x9f\""},
		{"'\xce\xad\xcf\x8c\xcf\x8e\xcf\x8a\xcf\x82"
		 " \xd2\x91\xd1\xa3\xd3\x8f\xd4\xaf \xc3\xbf' | upper",
		 "\"\xce\x88\xce\x8c\xce\x8f\xce\xaa\xce\xa3"
		 " \xd2\x90\xd1\xa2\xd3\x80\xd4\xae \xc5\xb8\""},
		{"'\xce\x88\xce\x8c\xce\x8f\xce\xaa\xce\xa3"
		 " \xd2\x90\xd1\xa2\xd3\x80\xd4\xae \xc5\xb8' | lower",
		 "\"\xce\xad\xcf\x8c\xcf\x8e\xcf\x8a\xcf\x83"
		 " \xd2\x91\xd1\xa3\xd3\x8f\xd4\xaf \xc3\xbf\""},
		{"'mcDonald' | capitalize", "\"McDonald\""},
		{"'\xc3\xa9t\xc3\xa9' | capitalize", "\"\xc3\x89t\xc3\xa9\""},
		{"'' | capitalize", "\"\""},
		{"7 | str_pad_left: 3, '0'", "\"007\""},
		{"'\xc3\xa9' | str_pad_left: 3, 'ab'", "\"ab\xc3\xa9\""},
		{"a | str_pad_left: 8, 'xy'", "\"xyxhello\""},
		{"a | str_pad_left: 3, '0'", "\"hello\""},
		{"a | str_pad_left: 7", "\"  hello\""},
		{"a | str_pad_left: 7, ''", "\"hello\""},
		{"a | truncate: 3", "\"hel...\""},
		{"a | truncate: 5", "\"hello\""},
		{"u | truncate: 2", "\"h\xc3\xa9...\""},
		{"a | truncate: -1", "\"...\""},
		{"u | take: 3", "\"h\xc3\xa9\xe2\x82\xac\""},
		{"u | length", "6"},
		{"'  Hello,  W\xc3\xb6rld_9! ' | slug", "\"hello-w-rld-9\""},
		{"'--' | slug", "\"\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_lists(void **state)
{
	static const struct filter_case cases[] = {
		{"l | length", "3"},
		{"o | length", "2"},
		{"q | length", "2"},
		{"x | length", "0"},
		{"123 | length", "3"},
		{"l | take: 2", "[3,\"b\"]"},
		{"l | take: -2", "[\"b\",null]"},
		{"l | take: 9", "[3,\"b\",null]"},
		{"l | take: 0", "[]"},
		{"q | take: 1", "[{\"id\":1}]"},
		{"a | take: -2", "\"lo\""},
		{"l | slice: 1, 1", "[\"b\"]"},
		{"l | slice: -2", "[\"b\",null]"},
		{"a | slice: 1, -1", "\"ell\""},
		{"a | slice: 9", "\"\""},
		{"a | slice: -9, 2", "\"he\""},
		{"o | take: 2", "\"{\\\"\""},
		{"o | take: -3", "\"2]}\""},
		{"{'\xc3\xa9': 1} | take: -4", "\"\\\":1}\""},
		{"o | slice: -3, 1", "\"2\""},
		{"o | slice: 1, -8", "\"\\\"k\\\":1,\""},
		{"123 | slice: -2", "\"23\""},
		{"l | first", "3"},
		{"l | last", "null"},
		{"[] | first", "null"},
		{"o | first", "1"},
		{"q | last", "{\"id\":2}"},
		{"u | last", "\"o\""},
		{"x | first", "\"\""},
		{"o | merge: {'k': 2, 'z': 3}", "{\"k\":2,\"j\":[2],\"z\":3}"},
		{"x | merge: {'k': 2}", "{\"k\":2}"},
		{"o | merge: x", "{\"k\":1,\"j\":[2]}"},
		{"[1] | merge: [2]", "[1,2]"},
		{"'a,b,c' | split: ','", "[\"a\",\"b\",\"c\"]"},
		{"'a,b,c' | split: ',', 2", "[\"a\",\"b,c\"]"},
		{"'a,b' | split: ',', 1", "[\"a,b\"]"},
		{"',a,' | split: ','", "[\"\",\"a\",\"\"]"},
		{"'' | split: ','", "[\"\"]"},
		{"'h\xc3\xa9y' | split: ''", "[\"h\",\"\xc3\xa9\",\"y\"]"},
		{"l | join: '-'", "\"3-b-\""},
		{"l | join", "\"3, b, \""},
		{"a | join: '-'", "\"hello\""},
		{"o | jsonpath: '$.j[0]'", "2"},
		{"o | jsonpath: 'j.0'", "2"},
		{"o | jsonpath: \"$['k']\"", "1"},
		{"o | jsonpath: '$.nope.x'", "null"},
		{"q | jsonpath: '$.results[*].id'", "[1,2]"},
		{"q | jsonpath: '$.results[-1].id'", "2"},
		{"q | jsonpath: '$.*'", "[{\"id\":1},{\"id\":2}]"},
		{"json | jsonpath: '$[0].p'", "1"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_times(void **state)
{
	static const struct filter_case cases[] = {
		{"now | date: 'Y-m-d H:i:s'", "\"2025-03-01 08:30:00\""},
		{"now | date: 'M j, Y g:i A D N'", "\"Mar 1, 2025 8:30 AM Sat 6\""},
		{"now | date: '\\Y\\a\\t Y'", "\"Yat 2025\""},
		{"'2025-12-31 00:05' | date: 'g:i A'", "\"12:05 AM\""},
		{"'2025-12-31 12:05:09' | date: 'g:i A'", "\"12:05 PM\""},
		{"'2025-12-31T23:05:09+02:00' | date: 'H d'", "\"23 31\""},
		{"'2024-02-29' | date: 'D j'", "\"Thu 29\""},
		{"0 | date: 'Y-m-d'", "\"1970-01-01\""},
		{"x | date: 'Y'", "null"},
		{"'soon' | date: 'Y'", "null"},
		{"'2025-13-01' | date: 'Y'", "null"},
		{"'2025-01-01T' | date: 'Y'", "null"},
		{"'2025-01-01T25:00' | date: 'Y'", "null"},
		{"'2025-01-01x' | date: 'Y'", "null"},
		{"'1e300' | date: 'Y' | default: 'd'", "\"d\""},
		{"'2025-03-01T08:29:59Z' | timeago", "\"1 second ago\""},
		{"'2025-03-01T05:30:00Z' | timeago", "\"3 hours ago\""},
		{"'2025-03-01T09:30:00+02:00' | timeago", "\"1 hour ago\""},
		{"'2025-03-01T03:30:00-05:00' | timeago", "\"just now\""},
		{"'2025-03-01 00:00:00 -0430' | timeago", "\"4 hours ago\""},
		{"'2025-03-01T06:30:00-04:00' | timeago", "\"2 hours from now\""},
		{"'2025-03-02T08:30:00Z' | timeago", "\"1 day from now\""},
		{"'2023-01-01' | timeago", "\"2 years ago\""},
		{"now | timeago", "\"just now\""},
		{"x | timeago | default: 'no activity'", "\"no activity\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_sprintf(void **state)
{
	static const struct filter_case cases[] = {
		{"'%03d' | sprintf: 7", "\"007\""},
		{"'%03d' | sprintf: '7 x'", "\"007\""},
		{"'%+d % d %d' | sprintf: [1, 2, -3]", "\"+1  2 -3\""},
		{"'%5.1f|' | sprintf: 2.25", "\"  2.2|\""},
		{"'%-6s|%6s|%.2s' | sprintf: ['ab', '\xc3\xa9', '\xc3\xa9\xc3\xa9\xc3\xa9']",
		 "\"ab    |     \xc3\xa9|\xc3\xa9\xc3\xa9\""},
		{"'%x %X %o %u' | sprintf: [255, 255, 8, 5]", "\"ff FF 10 5\""},
		{"'%e %g' | sprintf: [1500, 0.5]", "\"1.500000e+03 0.5\""},
		{"'%05d' | sprintf: -42", "\"-0042\""},
		{"'100%%' | sprintf: 1", "\"100%\""},
		{"'plain' | sprintf: 1", "\"plain\""},
		{"'%f' | sprintf: '1e300' | length", "308"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

/* ------------------------------------------------------------------ failures and limits */

static void test_failures(void **state)
{
	static const struct failure_case cases[] = {
		{"'%n' | sprintf: 1", -EINVAL, "unknown conversion '%n'"},
		{"'%' | sprintf: 1", -EINVAL, "unknown conversion"},
		{"'%s%s' | sprintf: 1", -EINVAL, "more conversions than values were given"},
		{"'%999999999d' | sprintf: 1", -E2BIG, "a width is at most 1000"},
		{"'%.99f' | sprintf: 1", -E2BIG, "a precision at most 40"},
		{"a | str_pad_left: 999999999, 'x'", -E2BIG, "is longer than 1048576 bytes"},
		{"a | take: 'x'", -EINVAL, "argument 1 must be a number"},
		{"a | merge: o", -EINVAL, "only maps and lists can be merged"},
		{"o | merge: [1]", -EINVAL, "merge needs two maps or two lists"},
		{"o | jsonpath: '$['", -EINVAL, "is not valid at '['"},
		{"o | jsonpath: '$.a..b'", 0, ""},
	};

	(void)state;
	EXPECT_FAILURES(cases);
}

static void test_broken_utf8(void **state)
{
	static const char *const filters[] = {"upper",
					      "lower",
					      "capitalize",
					      "slug",
					      "length",
					      "truncate: 1",
					      "take: 1",
					      "slice: 1, 1",
					      "first",
					      "last",
					      "trim",
					      "json_encode",
					      "split: ''",
					      "append: 'x'",
					      "str_pad_left: 9, '\xff'",
					      "regex_test: '.'",
					      "regex_find_all: '.?'",
					      "regex_replace: '.', '\xfe'",
					      "date: '\xff'",
					      "sprintf: 1"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		struct error err = {{0}};
		cJSON *value;
		int code;

		snprintf(text, sizeof(text), "'\xff\xc3\xe2\x82z\xf0\x9f' | %s", filters[i]);
		code = evaluate(text, &value, &err);
		if (code)
			fail_msg("%s: %s", filters[i], err.text);
		cJSON_Delete(value);
	}
}

static void test_table(void **state)
{
	const struct filter *filter, *before = NULL;
	size_t count = 0;

	(void)state;
	for (; (filter = filter__at(count)); count++) {
		assert_ptr_equal(filter__find(filter->name, strlen(filter->name)), filter);
		assert_in_range(filter->max_arguments, filter->min_arguments, FILTER_ARGUMENTS);
		if (before && strcmp(before->name, filter->name) >= 0)
			fail_msg("'%s' is out of order", filter->name);
		before = filter;
	}
	assert_int_equal(count, 31);
	assert_null(filter__find("length", 3));
	assert_null(filter__find("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),      cmocka_unit_test(test_texts),
		cmocka_unit_test(test_lists),       cmocka_unit_test(test_times),
		cmocka_unit_test(test_sprintf),     cmocka_unit_test(test_failures),
		cmocka_unit_test(test_broken_utf8), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
