/* SPDX-License-Identifier: BSD-2-Clause */
/* The context of the tests of templates, and how they render one. Include <cmocka.h> first. */
#ifndef TESTS_TEMPLATE_CASES_H
#define TESTS_TEMPLATE_CASES_H

#include <stdlib.h>
#include <string.h>

#include "template_render.h"

static const char sight[] =
	"{\"a\": \"hello\", \"n\": 5, \"s\": \"7\", \"l\": [1, 2, 3], \"e\": [],"
	" \"z\": 0, \"t\": true,"
	" \"f\": false, \"nil\": null, \"n-1\": \"hyphen\", \"deep\": [[[\"x\"], 2]],"
	" \"o\": {\"k\": \"v\", \"with-hyphen\": 1, \"2\": \"two\", \"in\": \"word\"},"
	" \"u\": \"h\\u00e9llo\","
	" \"q\": {\"results\": [{\"id\": 1, \"t\": \"one\"}, {\"id\": 2}], \"fragments\": [1],"
	" \"count\": 7}, \"json\": \"{\\\"p\\\": \\\"low\\\"}\"}";

static inline int render(parse_function *parse, const char *text, cJSON **value, struct error *err)
{
	const cJSON item = {.type = cJSON_Number, .valuedouble = 42};
	const struct scope_name names[] = {{"item", &item}, {"nothing", NULL}};
	const struct scope scope = {.names = names, .name_count = 2};

	return render_in(cJSON_Parse(sight), scope, parse, text, value, err);
}

#endif
