// SPDX-License-Identifier: BSD-2-Clause
/* What a user types: the name of a command, and the arguments in the text behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/request/command_text.h"

struct text_case {
	const char *text, *expected;
};

static void expect_tree(const cJSON *arguments, const char *expected)
{
	char *json = cJSON_PrintUnformatted(arguments);

	if (strcmp(json, expected))
		fail_msg("%s instead of %s", json, expected);
	free(json);
}

static void expect(const char *text, const char *expected)
{
	struct error err = {{0}};
	cJSON *arguments;

	if (command_text__arguments(text, &arguments, &err))
		fail_msg("'%s': %s", text, err.text);
	expect_tree(arguments, expected);
	cJSON_Delete(arguments);
}

static void expect_all(const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(cases[i].text, cases[i].expected);
}

#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof((cases)[0]))

/* ------------------------------------------------------------------ names */

static void expect_name(const char *text, const char *expected, const char *expected_rest)
{
	char name[COMMAND_NAME_BYTES];
	const char *rest = command_text__name(text, name);

	assert_non_null(rest);
	assert_string_equal(name, expected);
	assert_string_equal(rest, expected_rest);
}

static void the_name_ends_at_the_first_blank(void **state)
{
	(void)state;
	expect_name("todo buy milk", "todo", "buy milk");
	expect_name("/todo buy milk", "todo", "buy milk");
	expect_name("  \t/todo\n\n buy  milk ", "todo", "buy  milk ");
	expect_name("todo", "todo", "");
	expect_name("todo ", "todo", "");
	expect_name("//todo x", "/todo", "x");
	expect_name("/ todo", "", "todo");
	expect_name("/", "", "");
	expect_name("", "", "");
	expect_name(" \r\n", "", "");
	expect_name("due:tomorrow x", "due:tomorrow", "x");
}

static void a_name_that_is_too_long(void **state)
{
	char name[COMMAND_NAME_BYTES] = "before", text[COMMAND_NAME_BYTES + 3];

	(void)state;
	memset(text, 'n', sizeof(text));
	memcpy(text + COMMAND_NAME_BYTES - 1, " x", 3);
	assert_string_equal(command_text__name(text, name), "x");
	assert_int_equal(strlen(name), COMMAND_NAME_BYTES - 1);
	memcpy(text + COMMAND_NAME_BYTES - 1, "n x", 4);
	assert_null(command_text__name(text, name));
	assert_string_equal(name, "");
}

/* ------------------------------------------------------------------ arguments */

static void pairs_and_text(void **state)
{
	static const struct text_case cases[] = {
		{"", "{}"},
		{" \t\r\n ", "{}"},
		{"buy milk", "{\"body\":\"buy milk\"}"},
		{"due:tomorrow", "{\"due\":\"tomorrow\"}"},
		{"buy milk due:tomorrow with:\"oat flakes\"",
		 "{\"due\":\"tomorrow\",\"with\":\"oat flakes\",\"body\":\"buy milk\"}"},
		{"a:1 a:2", "{\"a\":\"2\"}"},
		{"a:1 b:2 a:", "{\"a\":\"1\",\"b\":\"2\",\"body\":\"a:\"}"},
		{"A:1 a:2", "{\"A\":\"1\",\"a\":\"2\"}"},
		{"n:12 yes:true none:null", "{\"n\":\"12\",\"yes\":\"true\",\"none\":\"null\"}"},
		{"a:b:c", "{\"a\":\"b:c\"}"},
		{"a::b", "{\"a\":\":b\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void what_is_a_key(void **state)
{
	static const struct text_case cases[] = {
		{"_a-B_9:x", "{\"_a-B_9\":\"x\"}"},
		{"_:x", "{\"_\":\"x\"}"},
		{"-a:x", "{\"body\":\"-a:x\"}"},
		{"9a:x", "{\"body\":\"9a:x\"}"},
		{":x", "{\"body\":\":x\"}"},
		{"a.b:x", "{\"body\":\"a.b:x\"}"},
		{"\xc3\xa4:x", "{\"body\":\"\xc3\xa4:x\"}"},
		{"a\xc3\xa4:x", "{\"body\":\"a\xc3\xa4:x\"}"},
		{"a :x", "{\"body\":\"a :x\"}"},
		{"a: x", "{\"body\":\"a: x\"}"},
		{"note:", "{\"body\":\"note:\"}"},
		{"(a:x)", "{\"body\":\"(a:x)\"}"},
	};
	char text[COMMAND_KEY_BYTES + 8], expected[COMMAND_KEY_BYTES + 32];

	(void)state;
	EXPECT_ALL(cases);
	snprintf(text, sizeof(text), "%0*d:x", COMMAND_KEY_BYTES - 1, 0);
	memset(text, 'k', COMMAND_KEY_BYTES - 1);
	snprintf(expected, sizeof(expected), "{\"%.*s\":\"x\"}", COMMAND_KEY_BYTES - 1, text);
	expect(text, expected);
	snprintf(text, sizeof(text), "%0*d:x", COMMAND_KEY_BYTES, 0);
	memset(text, 'k', COMMAND_KEY_BYTES);
	snprintf(expected, sizeof(expected), "{\"body\":\"%s\"}", text);
	expect(text, expected);
}

static void addresses_and_times_are_text(void **state)
{
	static const struct text_case cases[] = {
		{"https://example.org/a?b=c:d", "{\"body\":\"https://example.org/a?b=c:d\"}"},
		{"see https://example.org now", "{\"body\":\"see https://example.org now\"}"},
		{"x://", "{\"body\":\"x://\"}"},
		{"at 12:30", "{\"body\":\"at 12:30\"}"},
		{"at:12:30", "{\"at\":\"12:30\"}"},
		{"url:https://example.org", "{\"url\":\"https://example.org\"}"},
		{"path:/etc", "{\"path\":\"/etc\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void quotes(void **state)
{
	static const struct text_case cases[] = {
		{"a:\"x y\" z", "{\"a\":\"x y\",\"body\":\"z\"}"},
		{"a:\"\"", "{\"a\":\"\"}"},
		{"a:\"x\\\"y\\\\z\\n\"", "{\"a\":\"x\\\"y\\\\z\\\\n\"}"},
		{"a:\"x\ty\"", "{\"a\":\"x\\ty\"}"},
		/* Text stays as it was typed, and what is in quotes holds no pairs. */
		{"say \"a:b  c\" x", "{\"body\":\"say \\\"a:b  c\\\" x\"}"},
		{"\"a\":b", "{\"body\":\"\\\"a\\\":b\"}"},
		{"x\"y z\"", "{\"body\":\"x\\\"y z\\\"\"}"},
		/* A quote that ends within a word, or not at all, is a plain character. */
		{"a:\"x\"y z", "{\"a\":\"\\\"x\\\"y\",\"body\":\"z\"}"},
		{"a:\"x y", "{\"a\":\"\\\"x\",\"body\":\"y\"}"},
		{"a:\"", "{\"a\":\"\\\"\"}"},
		{"\"", "{\"body\":\"\\\"\"}"},
		{"\"a:b c", "{\"body\":\"\\\"a:b c\"}"},
		{"a:x\"y z\"", "{\"a\":\"x\\\"y\",\"body\":\"z\\\"\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

/* The last quote is escaped, or there is one more in the middle: nothing is closed. */
static void a_quote_that_is_not_closed_stays(void **state)
{
	static const struct text_case cases[] = {
		{"a:\"x\\\"", "{\"a\":\"\\\"x\\\\\\\"\"}"},
		{"a:\"x\"y\"", "{\"a\":\"\\\"x\\\"y\\\"\"}"},
		{"a:\"\"\"", "{\"a\":\"\\\"\\\"\\\"\"}"},
		{"a:\"\\\"", "{\"a\":\"\\\"\\\\\\\"\"}"},
		{"a:\"x\\", "{\"a\":\"\\\"x\\\\\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void the_key_body_is_text(void **state)
{
	static const struct text_case cases[] = {
		{"body:x", "{\"body\":\"x\"}"},
		{"body:\"a  b\" c", "{\"body\":\"a  b c\"}"},
		{"a body:b  c", "{\"body\":\"a b  c\"}"},
		{"body:a body:b", "{\"body\":\"a b\"}"},
		{"body:\"\"", "{}"},
		{"k:1 body:\"\" k:2", "{\"k\":\"2\"}"},
		{"Body:x", "{\"Body\":\"x\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void blanks_stay_as_they_were_typed(void **state)
{
	static const struct text_case cases[] = {
		{"a  b\n\tc", "{\"body\":\"a  b\\n\\tc\"}"},
		{"  a ", "{\"body\":\"a\"}"},
		/* A pair leaves one blank behind. */
		{"a  k:1  b", "{\"k\":\"1\",\"body\":\"a b\"}"},
		{"k:1\n\na", "{\"k\":\"1\",\"body\":\"a\"}"},
		{"a\n k:1\tl:2\n  b\n\nc", "{\"k\":\"1\",\"l\":\"2\",\"body\":\"a b\\n\\nc\"}"},
		{"a\xc2\xa0"
		 "b",
		 "{\"body\":\"a\xc2\xa0"
		 "b\"}"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

/* ------------------------------------------------------------------ limits */

static void too_many_keys(void **state)
{
	struct error err = {{0}};
	cJSON *arguments;
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	for (int i = 0; i < COMMAND_KEYS_MAX; i++)
		fprintf(out, "k%d:x ", i);
	fprintf(out, "k7:again text body:more");
	fflush(out);
	assert_int_equal(command_text__arguments(text, &arguments, &err), 0);
	assert_int_equal(cJSON_GetArraySize(arguments), COMMAND_KEYS_MAX + 1);
	cJSON_Delete(arguments);
	fprintf(out, " one:more");
	fclose(out);
	assert_int_equal(command_text__arguments(text, &arguments, &err), -E2BIG);
	assert_null(arguments);
	assert_non_null(strstr(err.text, "more than 100 arguments"));
	free(text);
}

/* A mebibyte of quotes and pairs: the time grows with the length, not with its square. */
static void a_long_text(void **state)
{
	static const char *const pieces[] = {"\"",       "\" ", "\"\\", "\"\\\" ", "a:\" ",
					     "a:\"\\\"", ":",   "a:b ", "\\\" "};
	const size_t bytes = 1 << 20;
	char *text = malloc(bytes + 1);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t length = strlen(pieces[i]);
		cJSON *arguments;

		for (size_t at = 0; at < bytes; at++)
			text[at] = pieces[i][at % length];
		text[bytes] = 0;
		assert_int_equal(command_text__arguments(text, &arguments, NULL), 0);
		cJSON_Delete(arguments);
	}
	free(text);
}

/* ------------------------------------------------------------------ memory */

static int until_failure; /* allocations */

static void *scarce(size_t bytes)
{
	return --until_failure ? malloc(bytes) : NULL;
}

/* Each allocation of cJSON fails once. No argument is lost without an error. */
static void memory_runs_out(void **state)
{
	static const char expected[] = "{\"b\":\"2\",\"a\":\"3\",\"body\":\"text\"}";
	cJSON_Hooks hooks = {.malloc_fn = scarce, .free_fn = free};

	(void)state;
	for (int count = 1; until_failure <= 0; count++) {
		struct error err = {{0}};
		cJSON *arguments;
		int code;

		until_failure = count;
		cJSON_InitHooks(&hooks);
		code = command_text__arguments("a:1 b:2 a:3 text", &arguments, &err);
		cJSON_InitHooks(NULL);
		assert_true(code == 0 || code == -ENOMEM);
		assert_int_equal(code == 0, arguments != NULL);
		if (arguments)
			expect_tree(arguments, expected);
		cJSON_Delete(arguments);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_ends_at_the_first_blank),
		cmocka_unit_test(a_name_that_is_too_long),
		cmocka_unit_test(pairs_and_text),
		cmocka_unit_test(what_is_a_key),
		cmocka_unit_test(addresses_and_times_are_text),
		cmocka_unit_test(quotes),
		cmocka_unit_test(a_quote_that_is_not_closed_stays),
		cmocka_unit_test(the_key_body_is_text),
		cmocka_unit_test(blanks_stay_as_they_were_typed),
		cmocka_unit_test(too_many_keys),
		cmocka_unit_test(a_long_text),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
