// SPDX-License-Identifier: BSD-2-Clause
/* Whole numbers of 64 bits, wherever they come from and go to. */
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

#include "../support/runner_fixture.h"
#include "runner/value/foreign_text.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

static void expect_same(const char *json)
{
	struct error err = {""};
	cJSON *value, *copy;
	char *text;

	if (foreign_json__parse(json, strlen(json), "the text", &value, &err))
		fail_msg("%s: %s", json, err.text);
	copy = value__copy(value);
	text = value__json(copy);
	assert_string_equal(text, json);
	assert_true(value__equal(value, copy));
	free(text);
	cJSON_Delete(copy);
	cJSON_Delete(value);
}

static void json_is_exact(void **state)
{
	(void)state;
	expect_same("8999999999999999");
	expect_same("9007199254740993");
	expect_same("-9007199254740993");
	expect_same("9223372036854775807");
	expect_same("-9223372036854775808");
	expect_same("[0.1,1.5e+300,9007199254740993,\"9007199254740995\",[-1152921504606846977]]");
	expect_same("{\"1152921504606846979\":1152921504606846977,\"a\\\"\\\\\":[],\"b\":7,"
		    "\"c\":{\"d\":1152921504606846978,\"e-1\":\"\\\"5\",\"f\":-3}}");
}

static void expect_refused(const char *json)
{
	struct error err = {""};
	cJSON *value;

	assert_int_equal(foreign_json__parse(json, strlen(json), "the text", &value, &err),
			 -EINVAL);
	assert_string_equal(err.text, "the text contains a number that is too large: a whole "
				      "number has at most 64 bits");
	assert_null(value);
	assert_null(foreign_json__whole(json));
}

static void too_large_is_an_error(void **state)
{
	(void)state;
	expect_refused("9223372036854775808");
	expect_refused("{\"a\":[1,-9223372036854775809]}");
	expect_refused("123456789012345678901234567890");
	expect_refused("[1e999]");
}

static void reading_text(void **state)
{
	int64_t integer;

	(void)state;
	assert_int_equal(integer__read("9223372036854775807", 19, &integer), INTEGER_READ);
	assert_true(integer == INT64_MAX);
	assert_int_equal(integer__read("-9223372036854775808", 20, &integer), INTEGER_READ);
	assert_true(integer == INT64_MIN);
	assert_int_equal(integer__read("9223372036854775808", 19, &integer), INTEGER_TOO_LARGE);
	assert_int_equal(integer__read("99999999999999999999x", 21, &integer), INTEGER_NONE);
	assert_int_equal(integer__read("", 0, &integer), INTEGER_NONE);
	assert_int_equal(integer__read("-", 1, &integer), INTEGER_NONE);
	assert_int_equal(integer__read("1.0", 3, &integer), INTEGER_NONE);
	assert_int_equal(integer__read("+0012", 5, &integer), INTEGER_READ);
	assert_true(integer == 12);
}

/* ---- in packs */

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

struct template_case {
	const char *template, *json;
};

/* ctx.big is 9007199254740993, ctx.text the same as text, ctx.most 9223372036854775807. */
static const struct template_case cases[] = {
	{"{{ ctx.big }}", "9007199254740993"},
	{"<{{ ctx.big }}>", "\"<9007199254740993>\""},
	{"{{ 9007199254740993 }}", "9007199254740993"},
	{"{{ -9007199254740993 }}", "-9007199254740993"},
	{"{{ ctx.big + 2 }}", "9007199254740995"},
	{"{{ ctx.big - 1 - 1 }}", "9007199254740991"},
	{"{{ ctx.text - 0 }}", "9007199254740993"},
	{"{{ 3 * 3002399751580331 }}", "9007199254740993"},
	{"{{ ctx.big / 3 }}", "3002399751580331"},
	{"{{ 7 / 2 }}", "3.5"},
	{"{{ ctx.big / -1 }}", "-9007199254740993"},
	{"{{ 009007199254740993 }}", "9007199254740993"},
	{"{{ ctx.big == 9007199254740992 }}", "false"},
	{"{{ ctx.big == ctx.text }}", "true"},
	{"{{ ctx.big > 9007199254740992 }}", "true"},
	{"{{ ctx.text > '9007199254740992' }}", "true"},
	{"{{ ctx.big in [9007199254740992] }}", "false"},
	{"{{ ctx.text | int }}", "9007199254740993"},
	{"{{ '9007199254740993.9 days' | int }}", "9007199254740993"},
	{"{{ '1.5e3' | int }}", "1500"},
	{"{{ '%d' | sprintf: ctx.big }}", "\"9007199254740993\""},
	{"{{ '%x' | sprintf: ctx.most }}", "\"7fffffffffffffff\""},
	{"{{ '%d' | sprintf: -9007199254740993 }}", "\"-9007199254740993\""},
	{"{{ ctx | json | from_json }}", "{\"big\":9007199254740993,\"text\":\"9007199254740993\","
					 "\"most\":9223372036854775807}"},
	{"{{ [ctx.most, ctx.big] | join: ' ' }}", "\"9223372036854775807 9007199254740993\""},
	{"{{ ctx | jsonpath: '$.most' }}", "9223372036854775807"},
};

static void templates_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char steps[512];
		char *text;

		snprintf(steps, sizeof(steps), "- id: t\n  type: transform\n  template: \"%s\"\n",
			 cases[i].template);
		if (fixture__run(&fixture, steps,
				 "{\"big\":9007199254740993,\"text\":\"9007199254740993\","
				 "\"most\":9223372036854775807}"))
			fail_msg("%s: %s", cases[i].template, fixture.err.text);
		text = value__json(fixture__step(&fixture, "t.output"));
		if (strcmp(text, cases[i].json) != 0)
			fail_msg("%s is %s, not %s", cases[i].template, text, cases[i].json);
		free(text);
	}
}

static void expect_failure(const char *template, const char *part)
{
	char steps[256];

	snprintf(steps, sizeof(steps), "- id: t\n  type: transform\n  template: \"%s\"\n",
		 template);
	assert_int_not_equal(fixture__run(&fixture, steps, "{\"most\":9223372036854775807}"), 0);
	if (!strstr(fixture.err.text, part))
		fail_msg("%s: %s", template, fixture.err.text);
}

static void results_beyond_64_bits_fail(void **state)
{
	(void)state;
	expect_failure("{{ ctx.most + 1 }}", "more than 64 bits");
	expect_failure("{{ 0 - ctx.most - 2 }}", "more than 64 bits");
	expect_failure("{{ ctx.most * 2 }}", "more than 64 bits");
	expect_failure("{{ '99999999999999999999' | int }}", "more than 64 bits");
	expect_failure("{{ -(0 - ctx.most - 1) }}", "more than 64 bits");
	expect_failure("{{ 9223372036854775808 }}", "more than 64 bits");
}

/* From YAML through a template into the database, and back. */
static void rows_are_exact(void **state)
{
	const char *json;
	char *text;

	(void)state;
	if (fixture__run(&fixture,
			 "- id: new\n  type: fragment.create\n  with:\n"
			 "    type: note\n    message: m\n"
			 "    metadata: {n: 9007199254740993, m: '{{ ctx.most }}'}\n"
			 "- id: find\n  type: fragment.query\n  with:\n"
			 "    filters: {metadata.n: 9007199254740993}\n"
			 "- id: none\n  type: fragment.query\n  with:\n"
			 "    filters: {metadata.n: 9007199254740992}\n",
			 "{\"most\":9223372036854775807}"))
		fail_msg("%s", fixture.err.text);
	text = value__json(fixture__step(&fixture, "find.output.results.0.metadata"));
	json = "{\"n\":9007199254740993,\"m\":9223372036854775807}";
	assert_string_equal(text, json);
	free(text);
	assert_true(fixture__step_number(&fixture, "none.output.count") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_exact),
		cmocka_unit_test(too_large_is_an_error),
		cmocka_unit_test(reading_text),
		cmocka_unit_test_setup_teardown(templates_are_exact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(results_beyond_64_bits_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_are_exact, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
