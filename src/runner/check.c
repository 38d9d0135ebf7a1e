// SPDX-License-Identifier: BSD-2-Clause
#include "runner/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/pack/step_type.h"

struct checker {
	const struct pack_list *list;
	const struct pack_entry *entry;
	const struct pack_step *step;
	void (*found)(void *data, const char *sentence);
	void *data;
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void report(struct checker *checker, const cJSON *node,
							 const char *format, ...)
{
	char text[512];
	struct error err;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yaml__complain(&checker->entry->pack->manifest, node, &err, 0, "%s", text);
	checker->found(checker->data, err.text);
	checker->count++;
}

/* ------------------------------------------------------------------ steps */

static bool is_kebab(const char *id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return strspn(id, letters) == strlen(id) && !strstr(id, "--");
}

static void check_keys(struct checker *checker, const struct pack_step *step)
{
	for (size_t i = 0; i < step->params.child_count; i++) {
		const cJSON *node = step->params.children[i].node;

		if (!step_type__knows(step->type, node->string))
			report(checker, node, "step '%s': %s does not know the key '%s'", step->id,
			       step->type->name, node->string);
	}
}

static void broken_template(void *data, const struct param *param)
{
	struct checker *checker = data;

	report(checker, param->node, "step '%s': %s", checker->step->id, param->broken);
}

static void broken_prompt(void *data, const struct param *param)
{
	struct checker *checker = data;

	report(checker, NULL, "prompts/%s.md: %s", param->node->string, param->broken);
}

static void check_steps(struct checker *checker, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];

		if (!is_kebab(step->id))
			report(checker, step->node, "the step id '%s' is not kebab-case", step->id);
		check_keys(checker, step);
		checker->step = step;
		param__each_broken(&step->params, broken_template, checker);
		check_steps(checker, &step->then_steps);
		check_steps(checker, &step->else_steps);
	}
}

/* ------------------------------------------------------------------ triggers */

static const cJSON *triggers_of(const struct pack *pack)
{
	return cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "triggers");
}

static bool has_trigger(const struct pack *pack, const char *trigger)
{
	const cJSON *triggers = triggers_of(pack), *alias;
	const char *slash =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(triggers, "slash"));

	if (slash && strcmp(slash, trigger) == 0)
		return true;
	cJSON_ArrayForEach (alias, cJSON_GetObjectItemCaseSensitive(triggers, "aliases")) {
		if (strcmp(alias->valuestring, trigger) == 0)
			return true;
	}
	return false;
}

static void check_trigger(struct checker *checker, const cJSON *trigger)
{
	const struct pack_entry *entry = checker->list->entries;

	for (; trigger && entry < checker->entry; entry++)
		if (entry->pack && has_trigger(entry->pack, trigger->valuestring)) {
			report(checker, trigger, "the trigger '%s' already belongs to '%s'",
			       trigger->valuestring, entry->pack->slug);
			return;
		}
}

static void check_triggers(struct checker *checker)
{
	const cJSON *triggers = triggers_of(checker->entry->pack), *alias;

	check_trigger(checker, cJSON_GetObjectItemCaseSensitive(triggers, "slash"));
	cJSON_ArrayForEach (alias, cJSON_GetObjectItemCaseSensitive(triggers, "aliases"))
		check_trigger(checker, alias);
}

/* ------------------------------------------------------------------ packs */

static void check_pack(struct checker *checker)
{
	const struct pack *pack = checker->entry->pack;

	if (!checker->entry->is_alone && strcmp(pack->own_slug, checker->entry->folder) != 0)
		report(checker, cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "slug"),
		       "the slug '%s' is not the name of its folder, '%s'", pack->own_slug,
		       checker->entry->folder);
	check_triggers(checker);
	check_steps(checker, &pack->steps);
	param__each_broken(&pack->prompts.params, broken_prompt, checker);
}

size_t check__packs(const struct pack_list *list, void (*found)(void *data, const char *sentence),
		    void *data)
{
	struct checker checker = {.list = list, .found = found, .data = data};

	for (size_t i = 0; i < list->count; i++) {
		checker.entry = &list->entries[i];
		if (checker.entry->pack) {
			check_pack(&checker);
		} else {
			found(data, checker.entry->err.text);
			checker.count++;
		}
	}
	return checker.count;
}
