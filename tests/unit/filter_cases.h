/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of cases for filters: an expression, and the JSON text of its value or how it fails.
 * Include <cmocka.h> first.
 */
#ifndef TESTS_FILTER_CASES_H
#define TESTS_FILTER_CASES_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "template_render.h"

static const char sight[] =
	"{\"now\": \"2025-03-01T08:30:00.000000Z\", \"a\": \"hello\", \"l\": [3, \"b\", null],"
	" \"u\": \"h\\u00e9\\u20acllo\", \"o\": {\"k\": 1, \"j\": [2]}, \"bad\": \"{\","
	" \"q\": {\"results\": [{\"id\": 1}, {\"id\": 2}], \"count\": 2},"
	" \"json\": \"[{\\\"p\\\": 1}]\", \"as\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}";

struct filter_case {
	const char *expression;
	const char *json;
};

static inline int evaluate(const char *expression, cJSON **value, struct error *err)
{
	const struct scope scope = {.names = NULL};

	return render_in(cJSON_Parse(sight), scope, template__parse_expression, expression, value,
			 err);
}

static inline void expect_all(const struct filter_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error err = {{0}};
		cJSON *value;
		char *shown;

		if (evaluate(cases[i].expression, &value, &err))
			fail_msg("%s\n%s", cases[i].expression, err.text);
		shown = cJSON_PrintUnformatted(value);
		if (strcmp(shown, cases[i].json) != 0)
			fail_msg("%s\n  gives  %s\n  not    %s", cases[i].expression, shown,
				 cases[i].json);
		free(shown);
		cJSON_Delete(value);
	}
}

#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof(*(cases)))

struct failure_case {
	const char *expression;
	int code;
	const char *message;
};

/* Each expression has this code and this part of a message. A code of 0: it does not fail. */
static inline void expect_failures(const struct failure_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error err = {{0}};
		cJSON *value;
		int code = evaluate(cases[i].expression, &value, &err);

		if (code != cases[i].code || !strstr(err.text, cases[i].message))
			fail_msg("%s\n  gives  %d %s", cases[i].expression, code, err.text);
		cJSON_Delete(value);
	}
}

#define EXPECT_FAILURES(cases) expect_failures(cases, sizeof(cases) / sizeof(*(cases)))

#endif
