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

/* Takes ownership of `text`. */
static bool add_text(struct pack_prompts *prompts, const char *file_name, char *text)
{
	char stem[NAME_MAX + 1];
	cJSON *node;

	snprintf(stem, sizeof(stem), "%.*s", (int)strlen(file_name) - 3, file_name);
	node = cJSON_AddStringToObject(prompts->texts, stem, text);
	free(text);
	return node && !param__set(&prompts->params, node, PARAM_TEXT);
}

static void add_prompt(struct pack_prompts *prompts, const char *directory, const char *file_name,
		       struct pack_problems *problems)
{
	char name[NAME_MAX + sizeof("prompts/")], path[PATH_MAX], *text;
	struct file_problem problem;
	size_t bytes;
	int code;

	snprintf(name, sizeof(name), "prompts/%s", file_name);
	code = pack_file__read(directory, name, PACK_PROMPT_BYTES_MAX, &text, &bytes, &problem);
	if (code) {
		snprintf(path, sizeof(path), "%s/%s", directory, name);
		pack_problems__add_file(problems, RULE_UNREADABLE_FILE, code, path, &problem);
	} else if (!add_text(prompts, file_name, text)) {
		problems->lacks_memory = true;
	}
}

static void complain(struct pack_problems *problems, int code, const char *path, const char *what)
{
	struct file_problem problem;

	file_problem__set(&problem, code, 0, 0, "%s", what);
	pack_problems__add_file(problems, RULE_UNREADABLE_FILE, code, path, &problem);
}

static void add_prompts(struct pack_prompts *prompts, const char *directory, const char *path,
			struct pack_problems *problems)
{
	struct dirent **entries = NULL;
	char what[64];
	int count = scandir(path, &entries, is_prompt, alphasort);

	if (count < 0 && errno != ENOENT) {
		snprintf(what, sizeof(what), "cannot be read: %s", strerror(errno));
		complain(problems, -errno, path, what);
	}
	if (count > PACK_PROMPTS_MAX) {
		snprintf(what, sizeof(what), "more than %d files", PACK_PROMPTS_MAX);
		complain(problems, -E2BIG, path, what);
	}
	for (int i = 0; i < count; i++) {
		if (count <= PACK_PROMPTS_MAX)
			add_prompt(prompts, directory, entries[i]->d_name, problems);
		free(entries[i]);
	}
	free(entries);
}

void pack_prompts__read(struct pack_prompts *prompts, const char *directory,
			struct pack_problems *problems)
{
	char path[PATH_MAX];

	*prompts = (struct pack_prompts){.texts = cJSON_CreateObject()};
	if (!prompts->texts) {
		problems->lacks_memory = true;
		return;
	}
	snprintf(path, sizeof(path), "%s/prompts", directory);
	add_prompts(prompts, directory, path, problems);
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
