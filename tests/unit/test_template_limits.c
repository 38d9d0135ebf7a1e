// SPDX-License-Identifier: BSD-2-Clause
/* Templates that are refused: what the message says, and where the limits are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/strbuf.h"
#include "template_cases.h"

/* ------------------------------------------------------------------ failures */

struct bad_case {
	const char *text, *message;
};

static const struct bad_case bad_cases[] = {
	{"{{ a", "line 1, column 1: '{{' has no closing '}}'"},
	{"x\n {% if", "line 2, column 2: '{%' has no closing '%}'"},
	{"\xc3\xa9 {# x", "line 1, column 3: '{#' has no closing '#}'"},
	{"{{ 'a }}", "line 1, column 1: '{{' has no closing '}}'"},
	{"{{ }}", "a value is missing"},
	{"{{ a b }}", "line 1, column 6: expected the end, found 'b'"},
	{"{{ a | nope }}", "line 1, column 8: unknown filter 'nope'"},
	{"\n\n  {{ a |\n nope }}", "line 4, column 2: unknown filter 'nope'"},
	{"{{ a | }}", "a filter is missing"},
	{"{{ a | default }}", "filter 'default' takes exactly 1 argument, not 0"},
	{"{{ a | slice() }}", "filter 'slice' takes at least 1 argument, not 0"},
	{"{{ a | slice(1, 2, 3) }}", "filter 'slice' takes at most 2 arguments, not 3"},
	{"{{ a | upper: 1 }}", "line 1, column 8: filter 'upper' takes exactly 0 arguments"},
	{"{{ a | default: 1, 2 }}", "expected the end, found ','"},
	{"{{ a. }}", "a name or an index must follow the dot"},
	{"{{ a.'b' }}", "a name or an index must follow the dot"},
	{"{{ a == 1 == 2 }}", "expected the end, found '=='"},
	{"{{ a = 1 }}", "expected the end, found '='"},
	{"{{ a ! }}", "unexpected '!'"},
	{"{{ \xc3\xa9 }}", "unexpected '\xc3\xa9'"},
	{"{{ and }}", "expected a value, found 'and'"},
	{"{{ a not 1 }}", "expected 'in', found '1'"},
	{"{{ a is 1 }}", "expected 'defined', found '1'"},
	{"{{ a ? 1 }}", "':' is missing"},
	{"{{ (a }}", "')' is missing"},
	{"{{ [a }}", "',' is missing"},
	{"{{ {1: 2} }}", "expected a key, found '1'"},
	{"{{ {'a' 2} }}", "expected ':', found '2'"},
	{"{% frob %}", "line 1, column 4: expected a tag (set, if, for or break), found 'frob'"},
	{"{% %}", "a tag (set, if, for or break) is missing"},
	{"{% set 1 = 2 %}", "expected a name, found '1'"},
	{"{% set x 2 %}", "expected '=', found '2'"},
	{"{% for x of l %}{% endfor %}", "expected 'in', found 'of'"},
	{"{% if a %}", "line 1, column 4: 'if' has no closing 'endif'"},
	{"a\n{% for x in l %}{% if x %}{% endif %}", "line 2, column 4: 'for' has no closing"},
	{"{% endif %}", "line 1, column 4: 'endif' has no matching opening tag"},
	{"{% else %}", "'else' has no matching opening tag"},
	{"{% if a %}{% endfor %}", "'endfor' is not allowed inside 'if'"},
	{"{% for x in l %}{% endif %}", "'endif' is not allowed inside 'for'"},
	{"{% if a %}{% else %}{% elif b %}{% endif %}", "'elif' is not allowed inside 'else'"},
	{"{% if a %}{% else %}{% else %}{% endif %}", "'else' is not allowed inside 'else'"},
	{"{% break %}", "'break' is only allowed inside 'for'"},
	{"{% if a %}{% endif x %}", "expected the end, found 'x'"},
	{"{{ 7 / 0 }}", "line 1, column 8: division by zero"},
	{"{{ a * 2 }}", "line 1, column 8: cannot calculate with 'hello': it is not a number"},
	{"{{ l - 1 }}", "cannot calculate with a list or map"},
	{"{% for x in a %}{% endfor %}", "'for' needs a list, not a text"},
	{"{{ a | regex_test: '(' }}", "line 1, column 8: filter 'regex_test': pattern '('"},
};

static void expect_failure(const char *text, int code, const char *message)
{
	struct error err = {{0}};
	cJSON *value;
	int got = render(template__parse, text, &value, &err);

	if (got != code || !strstr(err.text, message))
		fail_msg("%.200s\n  gives  %d %s\n  not    %d %s", text, got, err.text, code,
			 message);
	assert_null(value);
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(*bad_cases); i++)
		expect_failure(bad_cases[i].text, -EINVAL, bad_cases[i].message);
}

/* ------------------------------------------------------------------ limits */

static char *repeated(const char *before, const char *text, size_t times, const char *after)
{
	struct strbuf buf;

	strbuf__init(&buf, SIZE_MAX);
	strbuf__text(&buf, before);
	strbuf__repeat(&buf, text, times);
	strbuf__text(&buf, after);
	return strbuf__take(&buf);
}

static void expect_repeated(const char *before, const char *text, size_t times, const char *after,
			    int code, const char *message)
{
	char *source = repeated(before, text, times, after);
	struct error err = {{0}};
	cJSON *value;
	int got = render(template__parse, source, &value, &err);

	if (got != code || !strstr(err.text, message))
		fail_msg("%zu x %s gives %d %s", times, text, got, err.text);
	cJSON_Delete(value);
	free(source);
}

static void test_size_limits(void **state)
{
	(void)state;
	expect_repeated("", "x", TEMPLATE_BYTES, "", 0, "");
	expect_repeated("", "x", TEMPLATE_BYTES + 1, "", -E2BIG, "the limit is 1048576");
	expect_repeated("{% set s = 'ab' %}", "{% set s = s + s %}", 19, "{{ s }}", 0, "");
	expect_repeated("{% set s = 'ab' %}", "{% set s = s + s %}", 20, "{{ s }}", -E2BIG,
			"the text is longer than 1048576 bytes");
	expect_repeated("{% set s = 'ab' %}", "{% set s = s + s %}", 19, "{{ s }}{{ s }}", -E2BIG,
			"the output is longer than 1048576 bytes");
}

static void test_nesting_limits(void **state)
{
	(void)state;
	expect_repeated("{{ ", "(", 15, "1)))))))))))))))}}", 0, "");
	expect_repeated("{{ ", "(", 100000, "1 }}", -EINVAL, "nested deeper than 32");
	expect_repeated("{{ ", "[", 100000, "1 }}", -EINVAL, "nested deeper than 32");
	expect_repeated("{{ ", "not ", 100000, "1 }}", -EINVAL, "nested deeper than 32");
	expect_repeated("{{ ", "-", 100000, "1 }}", -EINVAL, "nested deeper than 32");
	expect_repeated("{{ ", "1?", 100000, "1 }}", -EINVAL, "nested deeper than 32");
	expect_repeated("", "{% if a %}", 33, "", -EINVAL, "blocks are nested deeper than 32");
	expect_repeated("", "{% if a %}", 32, "", -EINVAL, "has no closing");
	expect_repeated("{% set x = [] %}", "{% set x = [x] %}", 1100, "", -E2BIG,
			"a value is nested deeper than 1024");
}

static void test_step_limit(void **state)
{
	static const char loops[] =
		"{% for a in l %}{% for b in l %}{% for c in l %}"
		"{% for d in l %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}";
	char *source = repeated("{% set l = [", "1,", 100, "2] %}");
	char *text = repeated(source, loops, 1, "");

	(void)state;
	expect_failure(text, -E2BIG, "the template takes more than 1000000 steps");
	expect_repeated("{% set x = [1, 2] %}", "{% set x = [x, x] %}", 40, "", -E2BIG, "steps");
	expect_repeated("{{ 0", " + 1", 100000, " }}", 0, "");
	expect_repeated("{% if f %}", "{% elif f %}", 10000, "{% endif %}", 0, "");
	free(source);
	free(text);
}

/* ctx.rows is a list of numbers, and ctx.big an object with so many members. */
static cJSON *large_context(int rows, int members)
{
	cJSON *root = cJSON_CreateObject(), *ctx = cJSON_AddObjectToObject(root, "ctx");
	cJSON *list = cJSON_AddArrayToObject(ctx, "rows");
	cJSON *big = cJSON_AddObjectToObject(ctx, "big");
	char name[16];

	for (int i = 0; i < rows; i++)
		cJSON_AddItemToArray(list, cJSON_CreateNumber(i));
	for (int i = 0; i < members; i++) {
		snprintf(name, sizeof(name), "key-%d", i);
		cJSON_AddNumberToObject(big, name, i);
	}
	return root;
}

static int render_large(cJSON *root, const char *text, cJSON **value, struct error *err)
{
	return render_in(root, (struct scope){0}, template__parse, text, value, err);
}

/* To append to a list in a loop is as much work as the list has items. */
static void test_long_lists(void **state)
{
	static const char *const texts[] = {
		"{% set out = [] %}{% for r in ctx.rows %}"
		"{% set out = out | append: r %}{% endfor %}{{ out | length }} {{ out.29999 }}",
		"{% set out = [] %}{% for r in ctx.rows %}{% set out = out + [r] %}{% endfor %}"
		"{{ out | length }} {{ out.29999 }}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = {""};
		cJSON *value;

		if (render_large(large_context(30000, 0), texts[i], &value, &err))
			fail_msg("%s: %s", texts[i], err.text);
		assert_string_equal(value->valuestring, "30000 29999");
		cJSON_Delete(value);
	}
}

/* To look up a member, an item or a variable is more work the more there are before it. */
static void test_look_ups_have_a_price(void **state)
{
	static const char *const texts[] = {
		"{% for r in ctx.rows %}{% if ctx.big.missing %}x{% endif %}{% endfor %}",
		"{% for r in ctx.rows %}{% if ctx.rows.19999 == 1 %}x{% endif %}{% endfor %}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = {""};
		cJSON *value;

		assert_int_equal(render_large(large_context(20000, 30000), texts[i], &value, &err),
				 -E2BIG);
		assert_non_null(strstr(err.text, "steps"));
	}
}

/* Parses every prefix of a template that uses all features. It must be accepted or refused, without
 * a crash. */
static void test_prefixes(void **state)
{
	static const char whole[] =
		"{% set x = {'a': [1, -2.5, \"q\\\"\"], (a): t ? 's' : l | join: ','} %}\n"
		"{% for y in q.results %}{% if y.id in l and not y.t is defined or n >= 2 %}"
		"{{ y.t | default: '-' | upper }}"
		"{% elif y %}{% break %}{% else %}{# c #}{% endif %}"
		"{% endfor %}{{ x.a.0 + 1 * 2 / 3 }}";

	(void)state;
	for (size_t i = 0; i <= strlen(whole); i++) {
		char *text = strndup(whole, i);
		struct error err = {{0}};
		cJSON *value;
		int code = render(template__parse, text, &value, &err);

		assert_int_equal(code != 0, err.text[0] != 0);
		cJSON_Delete(value);
		free(text);
	}
}

/* Renders with a list of 20,000 items in `rows`, and a text of 20,000 letters in `text`. */
static int render_late(const char *text, const struct deadline *deadline, struct error *err)
{
	struct template *template;
	cJSON *root = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(root, "rows"), *value;
	char letters[20001];
	struct scope scope = {.root = root, .deadline = deadline};
	int code;

	memset(letters, 'a', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = 0;
	cJSON_AddStringToObject(root, "text", letters);
	for (int i = 0; i < 20000; i++)
		cJSON_AddItemToArray(rows, cJSON_CreateNumber(i));
	assert_int_equal(template__parse(text, &template, err), 0);
	code = template__render(template, &scope, &value, err);
	cJSON_Delete(value);
	template__free(template);
	cJSON_Delete(root);
	return code;
}

/* A loop, and a pattern that is searched again and again, see the deadline; a short one ends. */
static void test_deadlines(void **state)
{
	static const char *const texts[] = {
		"{% for x in rows %}{{ x }}{% endfor %}",
		"{{ text | regex_find_all: 'a' | length }}",
		"{{ text | regex_replace('a', 'b') | length }}",
	};
	_Atomic uint64_t cancelled_ns = 1;
	const struct deadline over = {.at_ns = 1}, cancelled = {.cancelled_ns = &cancelled_ns};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(render_late(texts[i], &over, &err), -ETIMEDOUT);
		assert_non_null(strstr(err.text, "time limit"));
		assert_int_equal(render_late(texts[i], &cancelled, &err), -ECANCELED);
		assert_int_equal(render_late(texts[i], NULL, &err), 0);
	}
	assert_int_equal(render_late("{{ 1 + 1 }}", &over, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),       cmocka_unit_test(test_size_limits),
		cmocka_unit_test(test_nesting_limits), cmocka_unit_test(test_step_limit),
		cmocka_unit_test(test_long_lists),     cmocka_unit_test(test_look_ups_have_a_price),
		cmocka_unit_test(test_prefixes),       cmocka_unit_test(test_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
