// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses any text as a template and as an expression without braces, and renders both with a small
 * context. A diagnosis of the text finds a mistake if, and only if, it cannot be parsed.
 *
 * links: TEMPLATE -lcjson -lpcre2-8 -lm
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template.h"
#include "runner/template/template_look.h"
#include "runner/value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char context[] =
	"{\"ctx\": {\"body\": \"buy milk #home, 3 eggs\", \"n\": 5, \"none\": null, \"yes\": true,"
	" \"tags\": [\"a\", \"b\", \"\\u00e9t\\u00e9\"]},"
	" \"steps\": {\"find\": {\"output\": {\"count\": 2,"
	" \"results\": [{\"id\": 1, \"t\": \"x\"}, {\"id\": 2}]}}},"
	" \"now\": \"2025-03-01T08:30:00.000000Z\"}";

static void count_problem(void *data, const struct template_problem *problem)
{
	if (!problem->sentence[0] || problem->line < 0)
		abort();
	++*(size_t *)data;
}

static void count_reference(void *data, const struct template_reference *reference)
{
	if (reference->line < 1 || reference->column < 1)
		abort();
	++*(size_t *)data;
}

static void look(const struct template *template, const char *text, bool is_expression)
{
	size_t problems = 0, references = 0;

	if (template__diagnose(text, is_expression, count_problem, &problems))
		abort();
	if (!template != !!problems)
		abort();
	if (!template)
		return;
	template__each_reference(template, count_reference, &references);
	if (references && template__is_constant(template))
		abort();
}

static void render(int (*parse)(const char *, struct template **, struct error *), const char *text,
		   const struct scope *scope)
{
	struct error err = {{0}};
	struct template *template;
	cJSON *value = NULL;
	int code = parse(text, &template, &err);

	look(template, text, parse == template__parse_expression);
	if (!code) {
		code = template__render(template, scope, &value, &err);
		if (!code != !!value)
			abort();
	}
	if (code && !err.text[0])
		abort();
	free(value__text(value));
	cJSON_Delete(value);
	template__free(template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static cJSON *root;
	struct scope scope;
	char *text = malloc(size + 1);

	if (!root)
		root = cJSON_Parse(context);
	scope = (struct scope){.root = root};
	memcpy(text, data, size);
	text[size] = 0;
	render(template__parse, text, &scope);
	render(template__parse_expression, text, &scope);
	free(text);
	return 0;
}
