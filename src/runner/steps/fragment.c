// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/run/step_run.h"

/* Turns "home, garden" into ["home", "garden"]. */
static cJSON *split_words(const char *text)
{
	cJSON *list = cJSON_CreateArray();
	char *copy = strdup(text), *rest = copy, *word;

	while (list && copy && (word = strsep(&rest, ","))) {
		char *end = word + strlen(word);

		word += strspn(word, " \t\n");
		while (end > word && strchr(" \t\n", end[-1]))
			*--end = 0;
		if (*word)
			cJSON_AddItemToArray(list, cJSON_CreateString(word));
	}
	free(copy);
	return list;
}

static cJSON *as_tags(cJSON *value)
{
	cJSON *list;

	if (cJSON_IsArray(value) || cJSON_IsNull(value))
		return value;
	if (!cJSON_IsString(value)) {
		cJSON_Delete(value);
		return NULL;
	}
	list = split_words(value->valuestring);
	cJSON_Delete(value);
	return list;
}

static cJSON *as_map(cJSON *value)
{
	if (cJSON_IsObject(value) || cJSON_IsNull(value))
		return value;
	cJSON_Delete(value);
	return NULL;
}

int fragment__set(cJSON *values, const char *column, cJSON *value, struct error *err)
{
	bool is_tags = strcmp(column, "tags") == 0;
	bool is_map = !strcmp(column, "state") || !strcmp(column, "metadata");

	if (is_tags || is_map)
		value = step_value__parsed(value);
	if (is_tags)
		value = as_tags(value);
	if (is_map)
		value = as_map(value);
	if (!value)
		return error__set(err, -EINVAL, "'%s' must be a %s", column,
				  is_tags ? "list" : "map");
	if (cJSON_AddItemToObject(values, column, value))
		return 0;
	cJSON_Delete(value);
	return error__set(err, -ENOMEM, "out of memory");
}
