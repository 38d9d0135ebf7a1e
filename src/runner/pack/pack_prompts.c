// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_prompts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/pack_file.h"

static int is_prompt(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + length - 3, ".md") == 0;
}

static int add_prompt(struct pack_prompts *prompts, const char *directory, const char *file_name,
		      struct error *err)
{
	char name[NAME_MAX + sizeof("prompts/")], stem[NAME_MAX + 1], *text;
	size_t bytes;
	cJSON *node;
	int code;

	snprintf(name, sizeof(name), "prompts/%s", file_name);
	code = pack_file__read(directory, name, PACK_PROMPT_BYTES_MAX, &text, &bytes, err);
	if (code)
		return code;
	snprintf(stem, sizeof(stem), "%.*s", (int)strlen(file_name) - 3, file_name);
	node = cJSON_AddStringToObject(prompts->texts, stem, text);
	free(text);
	if (!node || param__set(&prompts->params, node))
		return error__set(err, -ENOMEM, "out of memory");
	return 0;
}

static int add_prompts(struct pack_prompts *prompts, const char *directory, struct dirent **entries,
		       int count, struct error *err)
{
	int code = 0;

	if (count > PACK_PROMPTS_MAX)
		code = error__set(err, -E2BIG, "%s/prompts: more than %d files", directory,
				  PACK_PROMPTS_MAX);
	for (int i = 0; !code && i < count; i++)
		code = add_prompt(prompts, directory, entries[i]->d_name, err);
	return code;
}

int pack_prompts__read(struct pack_prompts *prompts, const char *directory, struct error *err)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	int count, code;

	*prompts = (struct pack_prompts){.texts = cJSON_CreateObject()};
	if (!prompts->texts)
		return error__set(err, -ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/prompts", directory);
	count = scandir(path, &entries, is_prompt, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0
				       : error__set(err, -errno, "cannot read '%s': %s", path,
						    strerror(errno));
	code = add_prompts(prompts, directory, entries, count, err);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return code;
}

void pack_prompts__free(struct pack_prompts *prompts)
{
	param__free(&prompts->params);
	cJSON_Delete(prompts->texts);
	*prompts = (struct pack_prompts){.texts = NULL};
}

const struct param *pack_prompts__find(const struct pack_prompts *prompts, const char *name)
{
	char stem[NAME_MAX + 1];
	size_t length;

	if (strncmp(name, "prompts/", 8) == 0)
		name += 8;
	length = strlen(name);
	if (length > 3 && strcmp(name + length - 3, ".md") == 0)
		length -= 3;
	if (length >= sizeof(stem))
		return NULL;
	memcpy(stem, name, length);
	stem[length] = 0;
	return param__child(&prompts->params, stem);
}
