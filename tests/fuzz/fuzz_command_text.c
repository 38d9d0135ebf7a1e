// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses any text as a command that a user has typed. The arguments are typed again, in quotes, and
 * must be the same.
 *
 * links: src/runner/request/command_text.c src/runner/value/[a-z]*.c -lcjson -lm
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "runner/request/command_text.h"
#include "runner/value/foreign_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static cJSON *parse(const char *text)
{
	struct error err = {{0}};
	cJSON *arguments;
	int code = command_text__arguments(text, &arguments, &err);

	must((code != 0) == (err.text[0] != 0) && !code == !!arguments);
	return arguments;
}

static void check(const cJSON *arguments, bool is_valid_text)
{
	const cJSON *argument;

	must(cJSON_GetArraySize(arguments) <= COMMAND_KEYS_MAX + 1);
	cJSON_ArrayForEach (argument, arguments) {
		const char *text = cJSON_GetStringValue(argument);

		must(text && argument->string[0] && strlen(argument->string) < COMMAND_KEY_BYTES);
		must(!is_valid_text || !foreign_text__check(text, strlen(text), "", NULL));
		must(cJSON_GetObjectItemCaseSensitive(arguments, argument->string) == argument);
	}
}

static void type(struct strbuf *out, const cJSON *argument)
{
	strbuf__text(out, argument->string);
	strbuf__text(out, ":\"");
	for (const char *at = argument->valuestring; *at; at++) {
		if (*at == '"' || *at == '\\')
			strbuf__char(out, '\\');
		strbuf__char(out, *at);
	}
	strbuf__text(out, "\"\n");
}

static void type_again(const cJSON *arguments)
{
	const cJSON *argument;
	struct strbuf text;
	cJSON *again;

	strbuf__init(&text, SIZE_MAX);
	strbuf__text(&text, "");
	cJSON_ArrayForEach (argument, arguments)
		type(&text, argument);
	again = parse(text.text ? text.text : "");
	must(cJSON_Compare(again, arguments, true));
	cJSON_Delete(again);
	strbuf__free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), name[COMMAND_NAME_BYTES];
	const char *rest;
	cJSON *arguments;

	memcpy(text, data, size);
	text[size] = 0;
	rest = command_text__name(text, name);
	must(strlen(name) < sizeof(name) && !strpbrk(name, " \t\r\n") && (rest || !name[0]));
	arguments = parse(rest ? rest : text);
	check(arguments, !foreign_text__check(text, strlen(text), "", NULL));
	if (arguments)
		type_again(arguments);
	cJSON_Delete(arguments);
	free(text);
	return 0;
}
