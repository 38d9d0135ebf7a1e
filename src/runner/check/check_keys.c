// SPDX-License-Identifier: BSD-2-Clause
/* Keys that nothing reads, names that should have another form, and a slug that is not the name of
 * its folder. */
#include <string.h>

#include "runner/check/checker.h"
#include "runner/pack/step_type.h"

/* ------------------------------------------------------------------ the head */

static const char *const head_keys[] = {"name",     "slug",    "version", "triggers", "reserved",
					"requires", "timeout", "steps",   NULL};
static const char *const trigger_keys[] = {"slash", "aliases", "input_mode", NULL};
static const char *const require_keys[] = {"secrets", "capabilities", NULL};

static bool has_name(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static void check_mapping(struct checker *checker, const char *what, const cJSON *mapping,
			  const char *const *known)
{
	const cJSON *key;

	if (!cJSON_IsObject(mapping))
		return;
	cJSON_ArrayForEach (key, mapping) {
		if (!has_name(known, key->string))
			checker__report_key(checker, RULE_UNKNOWN_KEY, key,
					    "%s does not know the key '%s'", what, key->string);
	}
}

static void check_slug(struct checker *checker)
{
	const struct pack *pack = checker->pack;
	const struct pack_entry *entry = checker->entry;

	if (!entry->is_alone && pack->own_slug && strcmp(pack->own_slug, entry->folder) != 0)
		checker__report(checker, RULE_SLUG_MISMATCH,
				cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "slug"),
				"the slug '%s' is not the name of its folder, '%s'", pack->own_slug,
				entry->folder);
}

/* ------------------------------------------------------------------ steps */

static bool is_kebab(const char *id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return strspn(id, letters) == strlen(id) && !strstr(id, "--");
}

static void check_step(struct checker *checker, const struct pack_step *step)
{
	if (step->id && !is_kebab(step->id))
		checker__report(checker, RULE_ID_STYLE,
				cJSON_GetObjectItemCaseSensitive(step->node, "id"),
				"the step id '%s' is not kebab-case", step->id);
	for (size_t i = 0; step->type && i < step->params.child_count; i++) {
		const cJSON *node = step->params.children[i].node;

		if (!step_type__knows(step->type, node->string))
			checker__report_key(checker, RULE_UNKNOWN_KEY, node,
					    "step '%s': %s does not know the key '%s'",
					    pack_step__name(step), step->type->name, node->string);
	}
}

static void check_steps(struct checker *checker, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		check_step(checker, &steps->steps[i]);
		check_steps(checker, &steps->steps[i].then_steps);
		check_steps(checker, &steps->steps[i].else_steps);
	}
}

void check_keys__run(struct checker *checker)
{
	const cJSON *root = checker->pack->manifest.root;

	check_slug(checker);
	check_mapping(checker, "a manifest", root, head_keys);
	check_mapping(checker, "'triggers'", cJSON_GetObjectItemCaseSensitive(root, "triggers"),
		      trigger_keys);
	check_mapping(checker, "'requires'", cJSON_GetObjectItemCaseSensitive(root, "requires"),
		      require_keys);
	check_steps(checker, &checker->pack->steps);
}
