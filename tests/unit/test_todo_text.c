// SPDX-License-Identifier: BSD-2-Clause
/* What the parser `todo` reads in a text. Today is Wednesday, 2025-03-05. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/steps/todo_text.h"
#include "runner/value/value.h"

#define NOW_S 1741168800 /* 10:00 UTC */

static const struct todo_rules all = {true, true, true};

struct todo_case {
	const char *text, *title, *due, *priority, *tags;
};

static const struct todo_case cases[] = {
	{"buy milk", "buy milk", "null", "medium", "[\"todo\"]"},
	{"", "", "null", "medium", "[\"todo\"]"},
	{"call Ana tomorrow !! #home", "call Ana", "\"2025-03-06\"", "medium",
	 "[\"todo\",\"home\"]"},
	{"pay 2025-04-01 not 2025-05-01", "pay not 2025-05-01", "\"2025-04-01\"", "medium",
	 "[\"todo\"]"},
	{"pay tomorrow or 2025-04-01", "pay tomorrow or", "\"2025-04-01\"", "medium", "[\"todo\"]"},
	{"no 2025-02-30 date", "no 2025-02-30 date", "null", "medium", "[\"todo\"]"},
	{"Today: write", "write", "\"2025-03-05\"", "medium", "[\"todo\"]"},
	{"tmr write", "write", "\"2025-03-06\"", "medium", "[\"todo\"]"},
	{"write next week", "write", "\"2025-03-12\"", "medium", "[\"todo\"]"},
	{"write Next Month.", "write", "\"2025-04-04\"", "medium", "[\"todo\"]"},
	{"meet on friday", "meet on", "\"2025-03-07\"", "medium", "[\"todo\"]"},
	{"meet wednesday", "meet", "\"2025-03-12\"", "medium", "[\"todo\"]"},
	{"meet Tuesday, urgent", "meet", "\"2025-03-11\"", "high", "[\"todo\"]"},
	{"eat in 3 hours", "eat", "\"2025-03-05\"", "medium", "[\"todo\"]"},
	{"eat in 15 hours", "eat", "\"2025-03-06\"", "medium", "[\"todo\"]"},
	{"eat in 2 weeks", "eat", "\"2025-03-19\"", "medium", "[\"todo\"]"},
	{"eat in x days", "eat in x days", "null", "medium", "[\"todo\"]"},
	{"eat in 99999999999999999999 days", "eat in 99999999999999999999 days", "null", "medium",
	 "[\"todo\"]"},
	{"the todayish and highly", "the todayish and highly", "null", "medium", "[\"todo\"]"},
	{"fix ASAP", "fix", "null", "high", "[\"todo\"]"},
	{"fix !!!", "fix", "null", "high", "[\"todo\"]"},
	{"fix !", "fix", "null", "low", "[\"todo\"]"},
	{"fix !!!!", "fix !!!!", "null", "medium", "[\"todo\"]"},
	{"fix P1 p3", "fix", "null", "high", "[\"todo\"]"},
	{"fix p2", "fix", "null", "medium", "[\"todo\"]"},
	{"fix minor", "fix", "null", "low", "[\"todo\"]"},
	{"#a @office #a #b-c go", "go", "null", "medium",
	 "[\"todo\",\"a\",\"ctx-office\",\"b-c\"]"},
	{"mail a@b.example # now", "mail a@b.example # now", "null", "medium", "[\"todo\"]"},
	{"First part. Second part.", "First part", "null", "medium", "[\"todo\"]"},
	{"Ring 3.5 times", "Ring 3.5 times", "null", "medium", "[\"todo\"]"},
};

static void expect(const cJSON *result, const char *name, const char *json)
{
	char *text = value__json(cJSON_GetObjectItemCaseSensitive(result, name));

	assert_string_equal(text, json);
	free(text);
}

static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cJSON *result = todo_text__parse(cases[i].text, &all, NOW_S);

		print_message("%s\n", cases[i].text);
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(result, "title")),
				    cases[i].title);
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(result, "priority")),
				    cases[i].priority);
		expect(result, "due_date", cases[i].due);
		expect(result, "tags", cases[i].tags);
		expect(result, "status", "\"open\"");
		cJSON_Delete(result);
	}
}

/* Eighty characters, not bytes. */
static void long_titles(void **state)
{
	char text[400] = "";
	cJSON *result;

	(void)state;
	for (int i = 0; i < 120; i++)
		strcat(text, "\xc3\xa9");
	result = todo_text__parse(text, &all, NOW_S);
	assert_int_equal(value__length(cJSON_GetObjectItem(result, "title")), 80);
	cJSON_Delete(result);
}

static void rules_that_are_off(void **state)
{
	const struct todo_rules none = {false, false, false};
	cJSON *result = todo_text__parse("call tomorrow #x urgent", &none, NOW_S);

	(void)state;
	expect(result, "title", "\"call tomorrow #x urgent\"");
	expect(result, "due_date", "null");
	expect(result, "priority", "\"medium\"");
	expect(result, "tags", "[\"todo\"]");
	cJSON_Delete(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(long_titles),
		cmocka_unit_test(rules_that_are_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
