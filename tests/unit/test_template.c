// SPDX-License-Identifier: BSD-2-Clause
/* The template language, rule by rule: a template, its context, and the result as JSON. */
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

#include "common/strbuf.h"
#include "runner/template.h"

static const char sight[] =
	"{\"a\": \"hello\", \"n\": 5, \"s\": \"7\", \"l\": [1, 2, 3], \"e\": [],"
	" \"z\": 0, \"t\": true,"
	" \"f\": false, \"nil\": null, \"n-1\": \"hyphen\", \"deep\": [[[\"x\"], 2]],"
	" \"o\": {\"k\": \"v\", \"with-hyphen\": 1, \"2\": \"two\", \"in\": \"word\"},"
	" \"u\": \"h\\u00e9llo\","
	" \"q\": {\"results\": [{\"id\": 1, \"t\": \"one\"}, {\"id\": 2}], \"fragments\": [1],"
	" \"count\": 7}, \"json\": \"{\\\"p\\\": \\\"low\\\"}\"}";

typedef int parse_function(const char *text, struct template **template, struct error *err);

static int render(parse_function *parse, const char *text, cJSON **value, struct error *err)
{
	cJSON *root = cJSON_Parse(sight);
	const cJSON item = {.type = cJSON_Number, .valuedouble = 42};
	const struct scope_name names[] = {{"item", &item}, {"nothing", NULL}};
	const struct scope scope = {.root = root, .names = names, .name_count = 2};
	struct template *template;
	int code = parse(text, &template, err);

	assert_non_null(root);
	*value = NULL;
	if (!code)
		code = template__render(template, &scope, value, err);
	template__free(template);
	cJSON_Delete(root);
	return code;
}

struct good_case {
	const char *text, *json;
};

static void expect(parse_function *parse, const char *text, const char *json)
{
	struct error err = {{0}};
	cJSON *value;
	char *shown;

	if (render(parse, text, &value, &err))
		fail_msg("%s\n%s", text, err.text);
	shown = cJSON_PrintUnformatted(value);
	if (strcmp(shown, json) != 0)
		fail_msg("%s\n  gives  %s\n  not    %s", text, shown, json);
	free(shown);
	cJSON_Delete(value);
}

static void expect_all(const struct good_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(template__parse, cases[i].text, cases[i].json);
}

#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof(*(cases)))

static void test_native_types(void **state)
{
	static const struct good_case cases[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"{{ l }}", "[1,2,3]"},
		{"{{l}}", "[1,2,3]"},
		{"{{ n }}", "5"},
		{"{{ nil }}", "null"},
		{"{{ t }}", "true"},
		{"{{ f }}", "false"},
		{"{{ a }}", "\"hello\""},
		{"{{ missing.path.0 }}", "null"},
		{" {{ n }}", "\" 5\""},
		{"{{ n }}{{ n }}", "\"55\""},
		{"x{{ t }}{{ f }}{{ nil }}{{ missing }}", "\"x1\""},
		{"x{{ l }}", "\"x[1,2,3]\""},
		{"x{{ {'a': [true, null]} }}", "\"x{\\\"a\\\":[true,null]}\""},
		{"{{ 0.1 + 0.2 }}!", "\"0.30000000000000004!\""},
		{"{{ 3.0 }}!{{ 1000000 * 1000000 }}", "\"3!1000000000000\""},
		{"{# c #}{{ n }}", "5"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_paths(void **state)
{
	static const struct good_case cases[] = {
		{"{{ o.k }}", "\"v\""},
		{"{{ o.with-hyphen }}", "1"},
		{"{{ n-1 }}", "\"hyphen\""},
		{"{{ n - 1 }}", "4"},
		{"{{ n -1 }}", "4"},
		{"{{ l.0 }}", "1"},
		{"{{ l.3 }}", "null"},
		{"{{ l.99999999999999999999 }}", "null"},
		{"{{ deep.0.0.0 }}", "\"x\""},
		{"{{ deep.0.1 }}", "2"},
		{"{{ o.2 }}", "\"two\""},
		{"{{ o.in }}", "\"word\""},
		{"{{ a.k }}", "null"},
		{"{{ n.0.0 }}", "null"},
		{"{{ q.count }}", "7"},
		{"{{ q.results.1.id }}", "2"},
		{"{{ q.fragments }}", "[1]"},
		{"{{ q.0.t }}", "\"one\""},
		{"{{ q | length }}", "2"},
		{"{% for r in q %}{{ r.id }},{% endfor %}", "\"1,2,\""},
		{"{{ (json | from_json).p }}", "\"low\""},
		{"{{ [1, [2, 3]].1.0 }}", "2"},
		{"{{ {'a': {'b': 4}}.a.b }}", "4"},
		{"{{ 'x'.y }}", "null"},
		{"{{ item }}", "42"},
		{"{{ nothing }}", "null"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_literals(void **state)
{
	static const struct good_case cases[] = {
		{"{{ 'a' }}", "\"a\""},
		{"{{ \"a\" }}", "\"a\""},
		{"{{ 'it\\'s' }}", "\"it's\""},
		{"{{ \"\\\"\\'\\\\\" }}", "\"\\\"'\\\\\""},
		{"{{ '\\d+\\s\\n' }}", "\"\\\\d+\\\\s\\\\n\""},
		{"{{ '\\\\d' }}", "\"\\\\d\""},
		{"{{ 'a | b' }}", "\"a | b\""},
		{"{{ '}}' }}", "\"}}\""},
		{"{{ '%}' }}{% if '%}' %}!{% endif %}", "\"%}!\""},
		{"{{ {'a': {'b': {}}} }}", "{\"a\":{\"b\":{}}}"},
		{"{{{'a': {}}}}", "{\"a\":{}}"},
		{"{{ {a: 1, 'b': 2, (a): 3, c-d: 4, \"e\": 5} }}",
		 "{\"a\":1,\"b\":2,\"hello\":3,\"c-d\":4,\"e\":5}"},
		{"{{ {'a': 1, 'a': 2} }}", "{\"a\":2}"},
		{"{{ {(n): 1} }}", "{\"5\":1}"},
		{"{{ [] }}", "[]"},
		{"{{ [1, 'a', null, true, [2],] }}", "[1,\"a\",null,true,[2]]"},
		{"{{ 1.50 }}", "1.5"},
		{"{{ -3 }}", "-3"},
		{"{{ - n }}", "-5"},
		{"{{ {\n  'a': 1,\n  'b': l\n} }}", "{\"a\":1,\"b\":[1,2,3]}"},
		{"a { b } c }} %} #}", "\"a { b } c }} %} #}\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_operators(void **state)
{
	static const struct good_case cases[] = {
		{"{{ 1 + 2 * 3 - 4 / 2 }}", "5"},
		{"{{ (1 + 2) * 3 }}", "9"},
		{"{{ 10 - 3 - 2 }}", "5"},
		{"{{ 7 / 2 }}", "3.5"},
		{"{{ n + 1 }}", "6"},
		{"{{ s + 1 }}", "8"},
		{"{{ s * 2 }}", "14"},
		{"{{ a + ' w' + n }}", "\"hello w5\""},
		{"{{ '1' + '2' }}", "\"12\""},
		{"{{ nil + 'x' }}", "\"x\""},
		{"{{ missing + 1 }}", "\"1\""},
		{"{{ missing * 2 }}", "0"},
		{"{{ l + [4] }}", "[1,2,3,4]"},
		{"{{ n == 5 }}", "true"},
		{"{{ n == '5' }}", "true"},
		{"{{ s > n }}", "true"},
		{"{{ n != 5 }}", "false"},
		{"{{ n >= 5 and n <= 5 and not (n > 5) and not (n < 5) }}", "true"},
		{"{{ 1 + 1 == 2 }}", "true"},
		{"{{ l | length == 3 }}", "true"},
		{"{{ 3 * l | length }}", "9"},
		{"{{ t or missing.x }}", "true"},
		{"{{ f or z or e }}", "false"},
		{"{{ t and a }}", "true"},
		{"{{ f and (1 / 0) }}", "false"},
		{"{{ t or (1 / 0) }}", "true"},
		{"{{ f and f or t }}", "true"},
		{"{{ t or f and f }}", "true"},
		{"{{ not f }}", "true"},
		{"{{ not not t }}", "true"},
		{"{{ not n == 4 }}", "true"},
		{"{{ 'ell' in a }}", "true"},
		{"{{ 'x' not in a }}", "true"},
		{"{{ 2 in l }}", "true"},
		{"{{ '2' in l }}", "true"},
		{"{{ 9 not in l }}", "true"},
		{"{{ a in ['hello', 'bye'] }}", "true"},
		{"{{ 'x' in missing }}", "false"},
		{"{{ 'HEL' in a | upper }}", "true"},
		{"{{ a is defined }}", "true"},
		{"{{ nil is defined }}", "true"},
		{"{{ missing is defined }}", "false"},
		{"{{ o.nope is defined }}", "false"},
		{"{{ (json | from_json).p is defined }}", "true"},
		{"{{ (json | from_json).q is defined }}", "false"},
		{"{{ not missing is defined }}", "true"},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_ternary(void **state)
{
	static const struct good_case cases[] = {
		{"{{ n != 1 ? 's' : '' }}", "\"s\""},
		{"{{ e ? 1 : 2 }}", "2"},
		{"{{ t ? f ? 1 : 2 : 3 }}", "2"},
		{"{{ f ? 1 : f ? 2 : 3 }}", "3"},
		{"{{ t ? a | upper : 'x' }}", "\"HELLO\""},
		{"{{ t ? l | join : 'x' }}", "\"1, 2, 3\""},
		{"{{ t ? missing | default: 'd' : 'x' }}", "\"d\""},
		{"{{ t ? (l | join: '-') : 'x' }}", "\"1-2-3\""},
		{"{{ {'a': t ? 1 : 2, 'b': f ? 1 : 2} }}", "{\"a\":1,\"b\":2}"},
		{"{{ t ? 1 : (1 / 0) }}", "1"},
		{"{{ missing | default: '' == '' ? 'y' : 'n' }}", "\"y\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_filter_grammar(void **state)
{
	static const struct good_case cases[] = {
		{"{{ {\"a\": missing | default: [], \"b\": n} }}", "{\"a\":[],\"b\":5}"},
		{"{{ [missing | default: 1, 2] }}", "[1,2]"},
		{"{{ missing | default: n + 1 }}", "6"},
		{"{{ missing | default: nil | default: 'x' }}", "\"x\""},
		{"{{ missing | default: (nil | default: 'y') | upper }}", "\"Y\""},
		{"{{ missing | default: o.k }}", "\"v\""},
		{"{{ missing | default: {} }}", "{}"},
		{"{{ missing | default(7) }}", "7"},
		{"{{ a | upper() }}", "\"HELLO\""},
		{"{{ s | str_pad_left: 3, '0' }}", "\"007\""},
		{"{{ a | split('l', 2) }}", "[\"he\",\"lo\"]"},
		{"{{ t | ternary: 'y', 'n' }}", "\"y\""},
		{"{{ {} | merge({(a): n > 4}) }}", "{\"hello\":true}"},
		{"{{ a|upper|lower | length }}", "5"},
		{"{{ -n | json }}", "\"-5\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_tags(void **state)
{
	static const struct good_case cases[] = {
		{"{% if n > 9 %}a{% elif n > 4 %}b{% else %}c{% endif %}", "\"b\""},
		{"{% if n > 9 %}a{% elsif n > 8 %}b{% else %}c{% endif %}", "\"c\""},
		{"{% if f %}a{% endif %}", "\"\""},
		{"{% set x = n %}{{ x + 1 }}", "\"6\""},
		{"{%set x=n%}{{x}}", "\"5\""},
		{"{% for x in l %}{{ x }};{% endfor %}", "\"1;2;3;\""},
		{"{% for x in e %}{{ x }}{% endfor %}", "\"\""},
		{"{% for x in missing %}{{ x }}{% endfor %}", "\"\""},
		{"{% for x in o %}{{ x }},{% endfor %}", "\"v,1,two,word,\""},
		{"{% for x in l %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
		 "\"1\""},
		{"{% for x in l %}{% for y in l %}{% break %}{% endfor %}{{ x }}{% endfor %}",
		 "\"123\""},
		{"{% set s = 0 %}{% for x in l %}{% set s = s + x %}{% endfor %}{{ s }}", "\"6\""},
		{"{% if t %}{% set v = 1 %}{% endif %}{{ v }}", "\"1\""},
		{"{% set l = [] %}{% for x in [1, 2] %}{% set l = l | append: x %}{% endfor %}"
		 "{{ l }}",
		 "\"[1,2]\""},
		{"{% set w = [1, 2] %}{% for x in w %}{% set w = [] %}{{ x }}{% endfor %}{{ w }}",
		 "\"12[]\""},
		{"{% set x = [1, 2] %}{% for x in x %}{{ x }}{% endfor %}{{ x }}", "\"12[1,2]\""},
		{"{% for a in l %}{% endfor %}{{ a }}", "\"hello\""},
		{"{% for x in l %}{% set x = x + 1 %}{{ x }}{% endfor %}", "\"234\""},
		{"{% set x = [[1]] %}{% set y = x.0 %}{% set x = 0 %}{{ y }}", "\"[1]\""},
		{"{% set m = {'a': 1,\n 'b': '%}'} %}{{ m.b }}", "\"%}\""},
		{"{% set x = nil %}{{ x is defined }}", "\"1\""},
		{"a{# {{ not }} {% even %} #}b", "\"ab\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_lines_of_tags(void **state)
{
	static const struct good_case cases[] = {
		{"a\n{% set x = 1 %}\nb", "\"a\\nb\""},
		{"a\n  {% set x = 1 %}  \n  b", "\"a\\n  b\""},
		{"{% set x = 1 %}\nb", "\"b\""},
		{"a\n{# why #}\n{% set x = 1 %} {# c #}\nb\n", "\"a\\nb\\n\""},
		{"{% for x in l %}\n- {{ x }}\n{% endfor %}\nend", "\"- 1\\n- 2\\n- 3\\nend\""},
		{"{% if t %}\n\nx\n\n{% endif %}\n", "\"\\nx\\n\\n\""},
		{"{% if t %} x {% endif %}\n", "\" x \\n\""},
		{"{{ n }}{% set x = 1 %}\nb", "\"5\\nb\""},
		{"{% set x = 1 %}{{ n }}\nb", "\"5\\nb\""},
		{"{% set x = {\n 'a': 1\n} %}\nb", "\"b\""},
		{"a {# c #}\nb", "\"a \\nb\""},
		{"a\r\n{% set x = 1 %}\r\nb", "\"a\\r\\nb\""},
		{"a\n\nb", "\"a\\n\\nb\""},
		{"{% set x = 1 %}\n{{ n }}", "\"5\""},
		{"a\n{% if t %}\nb\n{% endif %}", "\"a\\nb\\n\""},
		{"{% if t %}\n  {% if t %}\n    x\n  {% endif %}\n{% endif %}\n", "\"    x\\n\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void test_expressions(void **state)
{
	(void)state;
	expect(template__parse_expression, "a == 'hello' and n > 4", "true");
	expect(template__parse_expression, "  l  ", "[1,2,3]");
	expect(template__parse_expression, "{'a': 1}.a", "1");
	expect(template__parse_expression, "t ? 'x' : 'y'", "\"x\"");
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_types), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_literals),     cmocka_unit_test(test_operators),
		cmocka_unit_test(test_ternary),      cmocka_unit_test(test_filter_grammar),
		cmocka_unit_test(test_tags),         cmocka_unit_test(test_lines_of_tags),
		cmocka_unit_test(test_expressions),  cmocka_unit_test(test_failures),
		cmocka_unit_test(test_size_limits),  cmocka_unit_test(test_nesting_limits),
		cmocka_unit_test(test_step_limit),   cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
