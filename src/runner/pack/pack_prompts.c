// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_prompts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_prompt(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + length - 3, ".md") == 0;
}

static int read_text(const char *path, char *text, struct error *err)
{
	FILE *file = fopen(path, "re");
	size_t bytes;
	int code = 0;

	if (!file)
		return error__set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	bytes = fread(text, 1, PACK_PROMPT_BYTES_MAX + 1, file);
	if (ferror(file))
		code = error__set(err, -EIO, "cannot read '%s'", path);
	else if (bytes > PACK_PROMPT_BYTES_MAX)
		code = error__set(err, -E2BIG, "%s: larger than %d bytes", path,
				  PACK_PROMPT_BYTES_MAX);
	else if (memchr(text, 0, bytes))
		code = error__set(err, -EINVAL, "%s: contains a NUL character, so it is not text",
				  path);
	text[code ? 0 : bytes] = 0;
	fclose(file);
	return code;
}

static int add_prompt(struct pack_prompts *prompts, const char *directory, const char *file_name,
		      char *text, struct error *err)
{
	char path[PATH_MAX], stem[NAME_MAX + 1];
	cJSON *node;
	int code;

	snprintf(path, sizeof(path), "%s/prompts/%s", directory, file_name);
	code = read_text(path, text, err);
	if (code)
		return code;
	snprintf(stem, sizeof(stem), "%.*s", (int)strlen(file_name) - 3, file_name);
	node = cJSON_AddStringToObject(prompts->texts, stem, text);
	if (!node || param__set(&prompts->params, node))
		return error__set(err, -ENOMEM, "out of memory");
	return 0;
}

static int add_prompts(struct pack_prompts *prompts, const char *directory, struct dirent **entries,
		       int count, struct error *err)
{
	char *text = malloc(PACK_PROMPT_BYTES_MAX + 2);
	int code = text ? 0 : error__set(err, -ENOMEM, "out of memory");

	if (!code && count > PACK_PROMPTS_MAX)
		code = error__set(err, -E2BIG, "%s/prompts: more than %d files", directory,
				  PACK_PROMPTS_MAX);
	for (int i = 0; !code && i < count; i++)
		code = add_prompt(prompts, directory, entries[i]->d_name, text, err);
	free(text);
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
