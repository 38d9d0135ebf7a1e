// SPDX-License-Identifier: BSD-2-Clause
#include "runner/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/foreign_text.h"

/* Of a path or key, in a sentence. */
enum { INPUT_PATH_SHOWN = 200 };

static int read_all(const char *path, char *text, size_t *bytes, struct error *err)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int code = 0;

	if (!file)
		return error__set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	*bytes = fread(text, 1, INPUT_BYTES_MAX + 1, file);
	if (ferror(file))
		code = error__set(err, -EIO, "cannot read '%s'", path);
	else if (*bytes > INPUT_BYTES_MAX)
		code = error__set(err, -E2BIG, "'%s' is larger than %d bytes", path,
				  INPUT_BYTES_MAX);
	if (file != stdin)
		fclose(file);
	return code;
}

static cJSON *unwrap(cJSON *input)
{
	cJSON *only = input->child;

	if (!only || only->next || strcmp(only->string, "ctx") || !cJSON_IsObject(only))
		return input;
	cJSON_DetachItemViaPointer(input, only);
	cJSON_Delete(input);
	return only;
}

int input__load(const char *path, cJSON **input, struct error *err)
{
	char *text = calloc(1, INPUT_BYTES_MAX + 2);
	char what[INPUT_PATH_SHOWN + 3];
	size_t bytes = 0;
	int code;

	*input = NULL;
	if (!text)
		return error__set(err, -ENOMEM, "out of memory");
	code = read_all(path, text, &bytes, err);
	snprintf(what, sizeof(what), "'%.*s'", INPUT_PATH_SHOWN, path);
	if (!code)
		code = foreign_json__parse(text, bytes, what, input, err);
	free(text);
	if (code)
		return code;
	if (cJSON_IsObject(*input)) {
		*input = unwrap(*input);
		return 0;
	}
	cJSON_Delete(*input);
	*input = NULL;
	return error__set(err, -EINVAL, "'%s' does not hold a JSON object", path);
}

int input__set_text(cJSON *input, const char *key, const char *text, struct error *err)
{
	char what[INPUT_PATH_SHOWN + 3];
	int code;

	if (foreign_text__check(key, strlen(key), "the name of a key", err))
		return -EINVAL;
	snprintf(what, sizeof(what), "'%.*s'", INPUT_PATH_SHOWN, key);
	code = foreign_text__check(text, strlen(text), what, err);
	if (code)
		return code;
	cJSON_DeleteItemFromObjectCaseSensitive(input, key);
	if (cJSON_AddStringToObject(input, key, text))
		return 0;
	return error__set(err, -ENOMEM, "out of memory");
}

int input__set_pair(cJSON *input, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	char *key;
	int code;

	if (!equals || equals == pair)
		return error__set(err, -EINVAL, "'%s' is not of the form KEY=VALUE", pair);
	key = strndup(pair, (size_t)(equals - pair));
	if (!key)
		return error__set(err, -ENOMEM, "out of memory");
	code = input__set_text(input, key, equals + 1, err);
	free(key);
	return code;
}
