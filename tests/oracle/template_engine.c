// SPDX-License-Identifier: BSD-2-Clause
/*
 * The template engine as a program: renders one template for each line of stdin.
 *
 *	$ template_engine
 *	{"template": "{{ n + 1 }}", "root": {"n": 5}}
 *	{"value":6}
 *	{"template": "{{ n | nope }}", "root": {}}
 *	{"error":"line 1, column 8: unknown filter 'nope'"}
 *
 * A line that is no such JSON ends the program with status 1. At the end of stdin the status is 0.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner/template/template.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

static int render(const char *text, const struct scope *scope, cJSON **value, struct error *err)
{
	struct template *template;
	int code = template__parse(text, &template, err);

	if (!code)
		code = template__render(template, scope, value, err);
	template__free(template);
	return code;
}

/* The object {"value": ...} or {"error": "..."}. */
static cJSON *answer_to(const cJSON *question)
{
	const struct scope scope = {.root = cJSON_GetObjectItemCaseSensitive(question, "root")};
	const char *text =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(question, "template"));
	cJSON *answer = cJSON_CreateObject(), *value = NULL;
	struct error err = {{0}};

	if (!text)
		error__set(&err, -1, "no template");
	else if (!render(text, &scope, &value, &err))
		cJSON_AddItemToObject(answer, "value", value);
	if (!value)
		cJSON_AddStringToObject(answer, "error", err.text);
	return answer;
}

/* Whether the line could be read and the answer was written. */
static bool answer_line(const char *line, ssize_t length)
{
	struct error err = {{0}};
	cJSON *question, *answer;
	char *shown;
	bool is_written;

	if (foreign_json__parse(line, (size_t)length, "the line", &question, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	answer = answer_to(question);
	shown = value__json(answer);
	is_written = shown && puts(shown) >= 0;
	free(shown);
	cJSON_Delete(answer);
	cJSON_Delete(question);
	return is_written;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	bool is_good = true;
	ssize_t length;

	while (is_good && (length = getline(&line, &room, stdin)) >= 0)
		is_good = answer_line(line, length);
	free(line);
	return is_good && fflush(stdout) == 0 ? 0 : 1;
}
