// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/pack/pack_file.h"
#include "runner/pack/pack_loader.h"

/* ------------------------------------------------------------------ loading */

/* Returns 0, or a negative errno that was added to the problems. */
static int read_yaml(const struct loader *loader)
{
	enum pack_rule rule = RULE_UNREADABLE_FILE;
	struct file_problem problem;
	char path[PATH_MAX], *text;
	size_t bytes;
	int err = pack_file__read(loader->pack->directory, "command.yaml", YAML_BYTES_MAX, &text,
				  &bytes, &problem);

	snprintf(path, sizeof(path), "%s/command.yaml", loader->pack->directory);
	if (!err) {
		rule = RULE_INVALID_YAML;
		err = yaml__read(&loader->pack->manifest, path, text, bytes, &problem);
		free(text);
	}
	if (err)
		pack_problems__add_file(loader->problems, rule, err, path, &problem);
	return err;
}

static void read_manifest(const struct loader *loader)
{
	if (read_yaml(loader))
		return;
	if (!cJSON_IsObject(loader->pack->manifest.root)) {
		loader__complain(loader, RULE_INVALID_VALUE, loader->pack->manifest.root,
				 "a manifest must be a mapping with name, slug, version and steps");
		return;
	}
	pack_head__read(loader);
	pack_steps__read(loader);
}

/* A copy of `directory` without slashes at its end. */
static char *tidy(const char *directory)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	return strndup(directory, length);
}

static int read_pack(const struct loader *loader, const char *directory, const char *slug)
{
	struct pack *pack = loader->pack;

	pack->directory = tidy(directory);
	if (!pack->directory)
		return -ENOMEM;
	read_manifest(loader);
	pack_prompts__read(&pack->prompts, pack->directory, loader->problems);
	if (!slug)
		slug = pack->own_slug ? pack->own_slug : basename(pack->directory);
	pack->slug = strdup(slug);
	return pack->slug && !loader->problems->lacks_memory ? 0 : -ENOMEM;
}

int pack__read(const char *directory, const char *slug, struct pack **result,
	       struct pack_problems *problems)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	const struct loader loader = {.pack = pack, .problems = problems};
	int err = pack ? read_pack(&loader, directory, slug) : -ENOMEM;

	if (err) {
		pack__free(pack);
		pack = NULL;
	}
	*result = pack;
	return err;
}

int pack__load(const char *directory, const char *slug, struct pack **result, struct error *err)
{
	struct pack_problems problems = {.count = 0};
	struct pack *pack;
	int code = pack__read(directory, slug, &pack, &problems);

	if (code)
		error__set(err, code, "out of memory");
	else if (problems.count)
		code = pack_problem__tell(&problems.items[0], err);
	pack_problems__free(&problems);
	if (code) {
		pack__free(pack);
		return code;
	}
	*result = pack;
	return 0;
}

void pack__free(struct pack *pack)
{
	if (!pack)
		return;
	pack_steps__free(&pack->steps);
	pack_prompts__free(&pack->prompts);
	yaml__free(&pack->manifest);
	free(pack->directory);
	free(pack->slug);
	free(pack);
}

static bool holds_pack(const char *directory)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/command.yaml", directory) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

int pack__find(const struct pack_path *path, const char *argument, struct pack **pack,
	       struct error *err)
{
	char directory[PATH_MAX];

	if (strchr(argument, '/')) {
		if (!holds_pack(argument))
			return error__set(err, -ENOENT, "there is no command.yaml in '%s'",
					  argument);
		return pack__load(argument, NULL, pack, err);
	}
	for (size_t i = 0; pack__is_slug(argument) && i < path->count; i++) {
		snprintf(directory, sizeof(directory), "%s/%s", path->directories[i], argument);
		if (holds_pack(directory))
			return pack__load(directory, argument, pack, err);
	}
	return error__set(err, -ENOENT,
			  "unknown command '%s' (see: steprun list; a folder needs a '/', as in "
			  "./%s)",
			  argument, argument);
}
