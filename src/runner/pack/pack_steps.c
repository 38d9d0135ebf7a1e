// SPDX-License-Identifier: BSD-2-Clause
/* The steps of a manifest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/pack_loader.h"
#include "runner/pack/step_type.h"

/* The step ids read so far, to find duplicates. The `else` branch of a condition may use the ids of
 * the `then` branch again. So the ids of `then` are hidden while `else` is read. */
struct ids {
	const char *ids[PACK_STEPS_MAX]; /* NULL: a step without an id that can be used */
	bool hidden[PACK_STEPS_MAX];
	size_t count;
	bool is_full; /* and this was reported */
};

/* ------------------------------------------------------------------ id and type */

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

static bool is_used(const struct ids *ids, const char *id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->ids[i] && !ids->hidden[i] && strcmp(ids->ids[i], id) == 0)
			return true;
	return false;
}

static void read_id(const struct loader *loader, struct ids *ids, struct pack_step *step)
{
	const cJSON *node = loader__get(step->node, "id");
	const char *id = loader__text(step->node, "id");

	if (id && is_id(id))
		step->id = id;
	else
		loader__complain(loader, node ? RULE_INVALID_VALUE : RULE_MISSING_KEY,
				 node ? node : step->node,
				 "a step needs an id of letters, digits, '_' and '-' (no '-' at "
				 "the start or end)");
	if (step->id && is_used(ids, step->id))
		loader__complain(loader, RULE_DUPLICATE_ID, node, "the step id '%s' is used twice",
				 step->id);
	ids->ids[ids->count++] = step->id;
}

static void read_type(const struct loader *loader, struct pack_step *step)
{
	const cJSON *node = loader__get(step->node, "type");
	const char *type = loader__text(step->node, "type");

	step->type = type ? step_type__find(type) : NULL;
	if (!type)
		loader__complain(loader, node ? RULE_INVALID_VALUE : RULE_MISSING_KEY,
				 node ? node : step->node, "the step '%s' has no type",
				 pack_step__name(step));
	else if (!step->type)
		loader__complain(loader, RULE_UNKNOWN_TYPE, node,
				 "unknown step type '%s' in step '%s'", type,
				 pack_step__name(step));
}

/* ------------------------------------------------------------------ keys */

static bool is_list(const cJSON *node)
{
	return !node || cJSON_IsNull(node) || cJSON_IsArray(node);
}

static bool has_branch(const struct pack_step *step, const cJSON *key)
{
	if (strcmp(key->string, "then") != 0 && strcmp(key->string, "else") != 0)
		return false;
	return step->type ? step->type->has_branches : is_list(key);
}

static void set_key(const struct loader *loader, struct pack_step *step, const cJSON *key)
{
	enum param_syntax syntax =
		step->type ? step_type__syntax(step->type, key->string) : PARAM_TEXT;

	if (param__set(&step->params, key, syntax))
		loader->problems->lacks_memory = true;
}

static void read_keys(const struct loader *loader, struct pack_step *step)
{
	const cJSON *with = loader__get(step->node, "with"), *key;

	if (with && !cJSON_IsNull(with) && !cJSON_IsObject(with)) {
		loader__complain(loader, RULE_INVALID_VALUE, with,
				 "'with' of step '%s' must be a mapping", pack_step__name(step));
		with = NULL;
	}
	cJSON_ArrayForEach (key, step->node) {
		bool own = !strcmp(key->string, "id") || !strcmp(key->string, "type") ||
			   !strcmp(key->string, "with");

		if (!own && !has_branch(step, key))
			set_key(loader, step, key);
	}
	cJSON_ArrayForEach (key, with) {
		if (!has_branch(step, key))
			set_key(loader, step, key);
	}
}

/* ------------------------------------------------------------------ lists of steps */

static void read_steps(const struct loader *loader, struct ids *ids, const cJSON *list,
		       const char *what, struct pack_steps *steps);

static const cJSON *branch_of(const struct pack_step *step, const char *key)
{
	const cJSON *branch = loader__get(step->node, key);

	if (!branch)
		branch = loader__get(loader__get(step->node, "with"), key);
	return step->type || is_list(branch) ? branch : NULL;
}

static void read_branches(const struct loader *loader, struct ids *ids, struct pack_step *step)
{
	size_t begin = ids->count, end;

	read_steps(loader, ids, branch_of(step, "then"), "then", &step->then_steps);
	end = ids->count;
	for (size_t i = begin; i < end; i++)
		ids->hidden[i] = true;
	read_steps(loader, ids, branch_of(step, "else"), "else", &step->else_steps);
	for (size_t i = begin; i < end; i++)
		ids->hidden[i] = false;
}

static void read_step(const struct loader *loader, struct ids *ids, struct pack_step *step)
{
	if (!cJSON_IsObject(step->node)) {
		loader__complain(loader, RULE_INVALID_VALUE, step->node,
				 "a step must be a mapping with id and type");
		return;
	}
	read_id(loader, ids, step);
	read_type(loader, step);
	read_keys(loader, step);
	if (!step->type || step->type->has_branches)
		read_branches(loader, ids, step);
}

static bool is_full(const struct loader *loader, struct ids *ids, const cJSON *next)
{
	if (ids->count < PACK_STEPS_MAX)
		return false;
	if (!ids->is_full)
		loader__complain(loader, RULE_TOO_MANY_STEPS, next, "more than %d steps",
				 PACK_STEPS_MAX);
	ids->is_full = true;
	return true;
}

static void read_steps(const struct loader *loader, struct ids *ids, const cJSON *list,
		       const char *what, struct pack_steps *steps)
{
	const cJSON *item;

	if (!list || cJSON_IsNull(list))
		return;
	if (!cJSON_IsArray(list)) {
		loader__complain(loader, RULE_INVALID_VALUE, list, "'%s' must be a list of steps",
				 what);
		return;
	}
	steps->steps = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*steps->steps));
	if (!steps->steps) {
		loader->problems->lacks_memory = true;
		return;
	}
	cJSON_ArrayForEach (item, list) {
		struct pack_step *step = &steps->steps[steps->count];

		if (is_full(loader, ids, item))
			return;
		step->node = item;
		step->index = (uint16_t)steps->count++;
		read_step(loader, ids, step);
	}
}

void pack_steps__read(const struct loader *loader)
{
	struct pack *pack = loader->pack;
	const cJSON *list = loader__get(pack->manifest.root, "steps");
	struct ids *ids;

	if (!cJSON_IsArray(list) || !list->child) {
		loader__complain(loader, list ? RULE_INVALID_VALUE : RULE_MISSING_KEY,
				 list ? list : pack->manifest.root,
				 "'steps' must be a list with at least one step");
		return;
	}
	ids = calloc(1, sizeof(*ids));
	if (!ids) {
		loader->problems->lacks_memory = true;
		return;
	}
	read_steps(loader, ids, list, "steps", &pack->steps);
	pack->step_count = ids->count;
	free(ids);
}

void pack_steps__free(struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		param__free(&steps->steps[i].params);
		pack_steps__free(&steps->steps[i].then_steps);
		pack_steps__free(&steps->steps[i].else_steps);
	}
	free(steps->steps);
}
