// SPDX-License-Identifier: BSD-2-Clause
/* The template language, rule by rule: a template, its context, and the result as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "template_cases.h"

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

/* Whole numbers of 64 bits are exact, also beside a value that counts as 0 or 1. */
static void test_large_numbers(void **state)
{
	static const struct good_case cases[] = {
		{"{{ 9007199254740993 + 1 }}!", "\"9007199254740994!\""},
		{"{{ missing - 9007199254740993 }}!", "\"-9007199254740993!\""},
		{"{{ nil - 9007199254740993 }}!", "\"-9007199254740993!\""},
		{"{{ '' - 9007199254740993 }}!", "\"-9007199254740993!\""},
		{"{{ f - 9007199254740993 }}!", "\"-9007199254740993!\""},
		{"{{ t * 9007199254740993 }}!", "\"9007199254740993!\""},
		{"{{ 9007199254740993 / t }}!", "\"9007199254740993!\""},
		{"{{ nil + 9007199254740993 }}", "\"9007199254740993\""},
		{"{{ t + 1 }}", "\"11\""},
		{"{{ -nil }}", "0"},
		{"{{ 0 * -1.5 }}", "0"},
		{"{{ -t }}", "-1"},
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
		{"{% set a = [1] %}{% set b = a %}{% set a = a | append: 2 %}{{ a }}{{ b }}",
		 "\"[1,2][1]\""},
		{"{% set a = [1] %}{% set a = a | append: a %}{{ a }}", "\"[1,[1]]\""},
		{"{% set a = [1] %}{% set a = a + a %}{{ a }}", "\"[1,1]\""},
		{"{% set a = [1] %}{% set a = a + [2] + [3] %}{{ a }}", "\"[1,2,3]\""},
		{"{% set a = l %}{% set a = a | append: 4 %}{{ a }}{{ l }}",
		 "\"[1,2,3,4][1,2,3]\""},
		{"{% set a = [[1]] %}{% set b = a.0 %}{% set a = a | append: b %}{{ a }}",
		 "\"[[1],[1]]\""},
		{"{% set a = [1, 2] %}{% for x in a %}{% set a = a | append: x %}{% endfor %}"
		 "{{ a }}",
		 "\"[1,2,1,2]\""},
		{"{% set a = [1] %}{% set b = a | append: 2 %}{{ a }}{{ b }}", "\"[1][1,2]\""},
		{"{% set a = 'x' %}{% set a = a | append: 'y' %}{{ a }}", "\"xy\""},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_types),   cmocka_unit_test(test_paths),
		cmocka_unit_test(test_literals),       cmocka_unit_test(test_operators),
		cmocka_unit_test(test_large_numbers),  cmocka_unit_test(test_ternary),
		cmocka_unit_test(test_filter_grammar), cmocka_unit_test(test_tags),
		cmocka_unit_test(test_lines_of_tags),  cmocka_unit_test(test_expressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
