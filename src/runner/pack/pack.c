// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/pack/pack_file.h"
#include "runner/pack/step_type.h"

/* The pack that is being loaded, and where its error message goes. */
struct loader {
	struct pack *pack;
	struct error *err;
};

/* The step ids read so far, to find duplicates. The `else` branch of a condition may use the ids of
 * the `then` branch again. So the ids of `then` are hidden while `else` is read. */
struct ids {
	const char *ids[PACK_STEPS_MAX];
	bool hidden[PACK_STEPS_MAX];
	size_t count;
};

static const cJSON *get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *get_text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(get(object, key));

	return text && *text ? text : NULL;
}

bool pack__is_slug(const char *text)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
	size_t length = strlen(text);

	return text[0] >= 'a' && text[0] <= 'z' && strspn(text, rest) == length &&
	       length < PACK_SLUG_BYTES;
}

/* ------------------------------------------------------------------ the manifest's head */

static int complain(const struct loader *loader, const cJSON *node, const char *what,
		    const char *name)
{
	return yaml__complain(&loader->pack->manifest, node, loader->err, -EINVAL, what, name);
}

static bool is_semver(const char *text)
{
	int major, minor, patch, used = 0;

	return sscanf(text, "%6d.%6d.%6d%n", &major, &minor, &patch, &used) == 3 &&
	       text[0] != '-' && (text[used] == 0 || text[used] == '-' || text[used] == '+');
}

static int check_version(const struct loader *loader)
{
	const cJSON *root = loader->pack->manifest.root;

	loader->pack->version = get_text(root, "version");
	if (!get(root, "version"))
		return complain(loader, root, "'%s' is missing", "version");
	if (!loader->pack->version)
		return complain(loader, get(root, "version"), "'%s' must be text like 1.0.0",
				"version");
	if (!is_semver(loader->pack->version))
		return complain(loader, get(root, "version"),
				"the version '%s' is not of the form 1.0.0", loader->pack->version);
	return 0;
}

static int check_head(const struct loader *loader)
{
	struct pack *pack = loader->pack;
	const cJSON *root = pack->manifest.root;

	if (!cJSON_IsObject(root))
		return complain(loader, root, "a manifest must be a mapping with name, slug, %s",
				"version and steps");
	pack->name = get_text(root, "name");
	pack->own_slug = get_text(root, "slug");
	if (!pack->name)
		return complain(loader, root, "'%s' is missing", "name");
	if (!pack->own_slug)
		return complain(loader, root, "'%s' is missing", "slug");
	if (!pack__is_slug(pack->own_slug))
		return complain(loader, get(root, "slug"),
				"'%s' is not a slug (a lower-case letter, then lower-case letters, "
				"digits, '_', '-' and '.')",
				pack->own_slug);
	return check_version(loader);
}

/* Seconds. */
static int check_timeout(const struct loader *loader)
{
	const cJSON *timeout = get(loader->pack->manifest.root, "timeout");
	double seconds = cJSON_IsNumber(timeout) ? timeout->valuedouble : 0;

	if (!timeout || cJSON_IsNull(timeout))
		return 0;
	if (!(seconds > 0 && seconds <= PACK_TIMEOUT_S_MAX))
		return complain(loader, timeout, "'%s' must be a number of seconds, at most a day",
				"timeout");
	loader->pack->timeout_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

static int check_texts(const struct loader *loader, const cJSON *list, const char *name)
{
	const cJSON *item;

	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return complain(loader, list, "'%s' must be a list", name);
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return complain(loader, item, "'%s' must be a list of texts", name);
	}
	return 0;
}

static int check_requires(const struct loader *loader)
{
	const cJSON *requires = get(loader->pack->manifest.root, "requires");
	int err;

	if (requires && !cJSON_IsNull(requires) && !cJSON_IsObject(requires))
		return complain(loader, requires, "'%s' must be a mapping", "requires");
	loader->pack->secrets = get(requires, "secrets");
	loader->pack->capabilities = get(requires, "capabilities");
	err = check_texts(loader, loader->pack->secrets, "secrets");
	return err ? err : check_texts(loader, loader->pack->capabilities, "capabilities");
}

static int check_triggers(const struct loader *loader)
{
	const cJSON *triggers = get(loader->pack->manifest.root, "triggers");
	const char *mode = get_text(triggers, "input_mode");

	if (triggers && !cJSON_IsNull(triggers) && !cJSON_IsObject(triggers))
		return complain(loader, triggers, "'%s' must be a mapping", "triggers");
	if (get(triggers, "slash") && !get_text(triggers, "slash"))
		return complain(loader, get(triggers, "slash"), "'%s' must be text", "slash");
	if (mode && strcmp(mode, "inline") && strcmp(mode, "none") && strcmp(mode, "modal"))
		return complain(loader, get(triggers, "input_mode"),
				"the input_mode must be inline, none or modal, not '%s'", mode);
	return check_texts(loader, get(triggers, "aliases"), "aliases");
}

/* ------------------------------------------------------------------ steps */

/* An id must be a name that templates can use: letters, digits, '_', and hyphens that are not at
 * the start or end. */
static bool is_id(const char *text)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-";
	size_t length = strlen(text);

	return length > 0 && strspn(text, inner) == length && text[0] != '-' &&
	       text[length - 1] != '-';
}

static int add_id(const struct loader *loader, struct ids *ids, const struct pack_step *step)
{
	if (ids->count == PACK_STEPS_MAX)
		return yaml__complain(&loader->pack->manifest, step->node, loader->err, -E2BIG,
				      "more than %d steps", PACK_STEPS_MAX);
	for (size_t i = 0; i < ids->count; i++)
		if (!ids->hidden[i] && strcmp(ids->ids[i], step->id) == 0)
			return complain(loader, step->node, "the step id '%s' is used twice",
					step->id);
	ids->ids[ids->count++] = step->id;
	return 0;
}

static int read_keys(const struct loader *loader, struct pack_step *step)
{
	const cJSON *with = get(step->node, "with"), *key;
	int err = 0;

	if (with && !cJSON_IsNull(with) && !cJSON_IsObject(with))
		return complain(loader, with, "'with' of step '%s' must be a mapping", step->id);
	cJSON_ArrayForEach (key, step->node) {
		bool own = !strcmp(key->string, "id") || !strcmp(key->string, "type") ||
			   !strcmp(key->string, "with");
		bool branch = !strcmp(key->string, "then") || !strcmp(key->string, "else");

		if (!err && !own && !(branch && step->type->has_branches))
			err = param__set(&step->params, key);
	}
	cJSON_ArrayForEach (key, with) {
		if (!err)
			err = param__set(&step->params, key);
	}
	return err ? error__set(loader->err, err, "out of memory") : 0;
}

static int read_steps(const struct loader *loader, struct ids *ids, const cJSON *list,
		      const char *what, struct pack_steps *steps);

static const cJSON *branch_of(const struct pack_step *step, const char *key)
{
	const cJSON *branch = get(step->node, key);

	return branch ? branch : get(get(step->node, "with"), key);
}

static int read_branches(const struct loader *loader, struct ids *ids, struct pack_step *step)
{
	size_t begin = ids->count, end;
	int err;

	err = read_steps(loader, ids, branch_of(step, "then"), "then", &step->then_steps);
	if (err)
		return err;
	end = ids->count;
	for (size_t i = begin; i < end; i++)
		ids->hidden[i] = true;
	err = read_steps(loader, ids, branch_of(step, "else"), "else", &step->else_steps);
	for (size_t i = begin; i < end; i++)
		ids->hidden[i] = false;
	return err;
}

static int read_step(const struct loader *loader, struct ids *ids, struct pack_step *step)
{
	const char *type = get_text(step->node, "type");
	int err;

	if (!cJSON_IsObject(step->node))
		return complain(loader, step->node, "a step must be a mapping with %s",
				"id and type");
	step->id = get_text(step->node, "id");
	if (!step->id || !is_id(step->id))
		return complain(loader, step->node,
				"a step needs an id of letters, digits, '_' and '-' (%s)",
				"no '-' at the start or end");
	if (!type)
		return complain(loader, step->node, "the step '%s' has no type", step->id);
	step->type = step_type__find(type);
	if (!step->type)
		return yaml__complain(&loader->pack->manifest, step->node, loader->err, -EINVAL,
				      "unknown step type '%s' in step '%s'", type, step->id);
	err = add_id(loader, ids, step);
	if (!err)
		err = read_keys(loader, step);
	if (!err && step->type->has_branches)
		err = read_branches(loader, ids, step);
	return err;
}

static int read_steps(const struct loader *loader, struct ids *ids, const cJSON *list,
		      const char *what, struct pack_steps *steps)
{
	const cJSON *item;
	int err = 0;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return complain(loader, list, "'%s' must be a list of steps", what);
	steps->steps = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*steps->steps));
	if (!steps->steps)
		return error__set(loader->err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach (item, list) {
		struct pack_step *step = &steps->steps[steps->count];

		step->node = item;
		step->index = (uint16_t)steps->count++;
		err = read_step(loader, ids, step);
		if (err)
			break;
	}
	return err;
}

static int read_all_steps(const struct loader *loader)
{
	struct pack *pack = loader->pack;
	const cJSON *list = get(pack->manifest.root, "steps");
	struct ids *ids;
	int err;

	if (!cJSON_IsArray(list) || !list->child)
		return complain(loader, list ? list : pack->manifest.root,
				"'%s' must be a list with at least one step", "steps");
	ids = calloc(1, sizeof(*ids));
	if (!ids)
		return error__set(loader->err, -ENOMEM, "out of memory");
	err = read_steps(loader, ids, list, "steps", &pack->steps);
	pack->step_count = ids->count;
	free(ids);
	return err;
}

static void free_steps(struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		param__free(&steps->steps[i].params);
		free_steps(&steps->steps[i].then_steps);
		free_steps(&steps->steps[i].else_steps);
	}
	free(steps->steps);
}

/* ------------------------------------------------------------------ loading */

static int read_manifest(const struct loader *loader)
{
	const char *directory = loader->pack->directory;
	char path[PATH_MAX], *text;
	size_t bytes;
	int err = pack_file__read(directory, "command.yaml", YAML_BYTES_MAX, &text, &bytes,
				  loader->err);

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/command.yaml", directory);
	err = yaml__parse(&loader->pack->manifest, path, text, bytes, loader->err);
	free(text);
	if (!err)
		err = check_head(loader);
	if (!err)
		err = check_timeout(loader);
	if (!err)
		err = check_triggers(loader);
	if (!err)
		err = check_requires(loader);
	return err ? err : read_all_steps(loader);
}

/* A copy of `directory` without slashes at its end. */
static char *tidy(const char *directory)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	return strndup(directory, length);
}

int pack__load(const char *directory, const char *slug, struct pack **result, struct error *err)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	const struct loader loader = {.pack = pack, .err = err};
	int code;

	if (!pack)
		return error__set(err, -ENOMEM, "out of memory");
	pack->directory = tidy(directory);
	code = pack->directory ? read_manifest(&loader) : error__set(err, -ENOMEM, "out of memory");
	if (!code)
		code = pack_prompts__read(&pack->prompts, pack->directory, err);
	if (!code)
		pack->slug = strdup(slug ? slug : pack->own_slug);
	if (!code && !pack->slug)
		code = error__set(err, -ENOMEM, "out of memory");
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
	free_steps(&pack->steps);
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
