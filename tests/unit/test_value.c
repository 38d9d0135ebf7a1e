// SPDX-License-Identifier: BSD-2-Clause
/* The meaning of values: truth, text, numbers, comparisons, parts, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/value.h"

static cJSON *json(const char *text)
{
	cJSON *value = cJSON_Parse(text);

	if (!value)
		fail_msg("no JSON: %s", text);
	return value;
}

static void test_truth(void **state)
{
	static const char *const falsy[] = {"null",  "false", "0",  "-0", "0.0",
					    "\"0\"", "\"\"",  "[]", "{}"};
	static const char *const truthy[] = {"true",      "1",   "-1",    "0.1",   "\"00\"",
					     "\"false\"", "[0]", "\" \"", "\"a\"", "{\"a\": null}"};

	(void)state;
	assert_false(value__is_true(NULL));
	for (size_t i = 0; i < sizeof(falsy) / sizeof(*falsy); i++) {
		cJSON *value = json(falsy[i]);

		assert_false(value__is_true(value));
		cJSON_Delete(value);
	}
	for (size_t i = 0; i < sizeof(truthy) / sizeof(*truthy); i++) {
		cJSON *value = json(truthy[i]);

		assert_true(value__is_true(value));
		cJSON_Delete(value);
	}
}

struct text_case {
	const char *value, *text;
};

static const struct text_case texts[] = {
	{"true", "1"},
	{"false", ""},
	{"null", ""},
	{"\"a\\nb\"", "a\nb"},
	{"7", "7"},
	{"-7", "-7"},
	{"-0", "0"},
	{"0.5", "0.5"},
	{"0.1", "0.1"},
	{"1e15", "1000000000000000"},
	{"9007199254740992", "9007199254740992"},
	{"-9007199254740991", "-9007199254740991"},
	{"1e300", "1e+300"},
	{"0.30000000000000004", "0.30000000000000004"},
	{"1736499999999.25", "1736499999999.25"},
	{"[1, \"a\", null, true]", "[1,\"a\",null,true]"},
	{"{\"a\": {\"b\": []}, \"c\": {}}", "{\"a\":{\"b\":[]},\"c\":{}}"},
	{"[\"a/b\\\"\\\\\\u0001\\t\"]", "[\"a/b\\\"\\\\\\u0001\\t\"]"},
	{"[\"\\u00e9\"]", "[\"\xc3\xa9\"]"},
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		cJSON *value = json(texts[i].value);
		char *text = value__text(value);

		assert_string_equal(text, texts[i].text);
		free(text);
		cJSON_Delete(value);
	}
}

static void test_broken_utf8_in_json(void **state)
{
	cJSON *list = cJSON_CreateArray();
	char *text;

	(void)state;
	cJSON_AddItemToArray(list, cJSON_CreateString("a\xff\xc3"));
	text = value__text(list);
	assert_string_equal(text, "[\"a\xef\xbf\xbd\xef\xbf\xbd\"]");
	free(text);
	cJSON_Delete(list);
}

struct number_case {
	const char *value;
	int is_number;
	double number, leading;
};

static const struct number_case numbers[] = {
	{"5", 1, 5, 5},
	{"\"5\"", 1, 5, 5},
	{"\" 1.5e3 \"", 1, 1500, 1500},
	{"true", 1, 1, 1},
	{"false", 1, 0, 0},
	{"\"12 days\"", 0, 0, 12},
	{"\"-3.5x\"", 0, 0, -3.5},
	{"\"abc\"", 0, 0, 0},
	{"\"\"", 0, 0, 0},
	{"\"0x10\"", 0, 0, 0},
	{"\"inf\"", 0, 0, 0},
	{"\"nan\"", 0, 0, 0},
	{"\"1e999\"", 0, 0, 0},
	{"null", 0, 0, 0},
	{"[]", 0, 0, 0},
	{"[5]", 0, 0, 1},
	{"\".5\"", 1, 0.5, 0.5},
	{"\"+4\"", 1, 4, 4},
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		cJSON *value = json(numbers[i].value);
		double number;

		assert_int_equal(value__number(value, &number), numbers[i].is_number);
		if (numbers[i].is_number)
			assert_true(number == numbers[i].number);
		assert_true(value__leading_number(value) == numbers[i].leading);
		cJSON_Delete(value);
	}
}

struct pair_case {
	const char *a, *b;
	int equal, order;
};

static const struct pair_case pairs[] = {
	{"1", "1", 1, 0},
	{"1", "\"1\"", 1, 0},
	{"1", "\"1.0\"", 1, 0},
	{"\"1\"", "\"1.0\"", 0, 0},
	{"\"007\"", "\"7\"", 0, 0},
	{"\"10\"", "\"9\"", 0, 1},
	{"2", "10", 0, -1},
	{"\"b\"", "\"a\"", 0, 1},
	{"true", "1", 1, 0},
	{"false", "0", 1, 0},
	{"true", "true", 1, 0},
	{"null", "\"\"", 1, 0},
	{"null", "false", 1, 0},
	{"null", "0", 0, -1},
	{"\"a\"", "5", 0, 1},
	{"[1, 2]", "[1, 2]", 1, 0},
	{"[1, 2]", "[1]", 0, -1},
	{"{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}", 1, -1},
	{"{\"a\": 1}", "{\"A\": 1}", 0, 1},
	{"{\"a\": 1}", "{\"a\": 1, \"b\": 1}", 0, 1},
	{"\"2025-01-02\"", "\"2025-01-10\"", 0, -1},
};

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

static void test_comparing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		cJSON *a = json(pairs[i].a), *b = json(pairs[i].b);

		if (value__equal(a, b) != pairs[i].equal || value__equal(b, a) != pairs[i].equal)
			fail_msg("%s == %s", pairs[i].a, pairs[i].b);
		if (sign(value__compare(a, b)) != pairs[i].order)
			fail_msg("%s <=> %s", pairs[i].a, pairs[i].b);
		cJSON_Delete(a);
		cJSON_Delete(b);
	}
}

static size_t walked;

static void expect_step(const cJSON *value, const char *name, const char *expected)
{
	char *text = value__text(value__step(value, name, &walked));

	assert_string_equal(text, expected);
	free(text);
}

static void test_steps(void **state)
{
	cJSON *map = json("{\"a\": 1, \"0\": \"key\", \"B\": 2}"), *list = json("[5, 6]");

	(void)state;
	expect_step(map, "a", "1");
	expect_step(map, "0", "key");
	expect_step(map, "b", "");
	expect_step(list, "1", "6");
	expect_step(list, "2", "");
	expect_step(list, "-1", "");
	expect_step(list, "99999999999999999999", "");
	expect_step(list, "a", "");
	assert_null(value__step(NULL, "a", &walked));
	walked = 7;
	value__step(map, "B", &walked);
	value__step(map, "missing", &walked);
	value__step(list, "1", &walked);
	value__step(list, "9", &walked);
	assert_int_equal(walked, 7 + 2 + 3 + 1 + 2);
	cJSON_Delete(map);
	cJSON_Delete(list);
}

static void test_query_results(void **state)
{
	cJSON *answer = json("{\"results\": [{\"id\": 4}, {\"id\": 5}], \"count\": 9}");
	cJSON *map = json("{\"results\": 3, \"a\": 1}");

	(void)state;
	expect_step(answer, "count", "9");
	expect_step(answer, "1", "{\"id\":5}");
	expect_step(answer, "2", "");
	assert_int_equal(value__length(answer), 2);
	assert_ptr_equal(value__list(answer), answer->child);
	assert_null(value__list(map));
	assert_int_equal(value__length(map), 2);
	cJSON_Delete(answer);
	cJSON_Delete(map);
}

static void test_contains(void **state)
{
	cJSON *list = json("[1, \"b\"]"), *text = json("\"abc\""), *map = json("{\"k\": null}");
	cJSON *one = json("\"1\""), *b = json("\"b\""), *k = json("\"k\""), *null = json("null");

	(void)state;
	assert_true(value__contains(list, one));
	assert_true(value__contains(list, b));
	assert_false(value__contains(list, k));
	assert_true(value__contains(text, b));
	assert_false(value__contains(text, null));
	assert_true(value__contains(map, k));
	assert_false(value__contains(null, b));
	assert_false(value__contains(NULL, NULL));
	cJSON_Delete(list);
	cJSON_Delete(text);
	cJSON_Delete(map);
	cJSON_Delete(one);
	cJSON_Delete(b);
	cJSON_Delete(k);
	cJSON_Delete(null);
}

struct utf8_case {
	const char *text;
	size_t count, second; /* code points, and the offset of the second */
};

static const struct utf8_case utf8_cases[] = {
	{"", 0, 0},
	{"ab", 2, 1},
	{"\xc3\xa9t", 2, 2},
	{"\xe2\x82\xac!", 2, 3},
	{"\xf0\x9f\x98\x80!", 2, 4},
	{"\xff\xfe", 2, 1},         /* never a first byte */
	{"\xc3", 1, 1},             /* truncated */
	{"\xe2\x82", 2, 1},         /* truncated */
	{"\xc0\x80", 2, 1},         /* overlong */
	{"\xe0\x80\x80", 3, 1},     /* overlong */
	{"\xed\xa0\x80", 3, 1},     /* surrogate */
	{"\xf4\x90\x80\x80", 4, 1}, /* above U+10FFFF */
	{"\xf5\x80\x80\x80", 4, 1}, /* above U+10FFFF */
	{"\x80z", 2, 1},
};

static void test_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(utf8_cases) / sizeof(*utf8_cases); i++) {
		const struct utf8_case *c = &utf8_cases[i];
		size_t length = strlen(c->text);

		assert_int_equal(utf8__count(c->text, length), c->count);
		assert_int_equal(utf8__offset(c->text, length, 1), c->second);
		assert_int_equal(utf8__offset(c->text, length, 100), length);
	}
}

static cJSON *nested(int depth)
{
	cJSON *value = cJSON_CreateArray();

	for (int i = 0; i < depth; i++) {
		cJSON *outer = cJSON_CreateArray();

		cJSON_AddItemToArray(outer, value);
		value = outer;
	}
	return value;
}

static void test_copies(void **state)
{
	cJSON *deep = nested(VALUE_DEPTH_LIMIT), *deeper = nested(VALUE_DEPTH_LIMIT + 1), *copy;

	(void)state;
	copy = value__copy(deep);
	assert_non_null(copy);
	assert_true(value__equal(copy, deep));
	assert_int_equal(value__weight(deep), VALUE_DEPTH_LIMIT + 1);
	cJSON_Delete(copy);
	assert_null(value__copy(deeper));
	assert_int_equal(value__weight(deeper), 0);
	copy = value__copy(NULL);
	assert_true(cJSON_IsNull(copy));
	cJSON_Delete(copy);
	cJSON_Delete(deep);
	cJSON_Delete(deeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_broken_utf8_in_json),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_comparing),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_query_results),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
