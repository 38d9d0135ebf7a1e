// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slugs and triggers that two packs claim. A command is searched by its slug first, then by the
 * triggers, in the order of the packs. The '/' in front of a trigger does not count.
 */
#include <string.h>

#include "runner/check/checker.h"

/* ------------------------------------------------------------------ slugs */

/* The pack that is found in place of this one; NULL: none. A pack that was given by its own path is
 * not searched. */
static const struct pack_entry *hidden_by(const struct pack_list *list,
					  const struct pack_entry *entry)
{
	for (const struct pack_entry *other = list->entries; other < entry; other++)
		if (!entry->is_alone && !other->is_alone &&
		    strcmp(entry->folder, other->folder) == 0)
			return other;
	return NULL;
}

/* ------------------------------------------------------------------ triggers */

/* The trigger after `trigger`; NULL: the first one, `slash`. Then come the aliases. */
static const cJSON *next_trigger(const struct pack *pack, const cJSON *trigger)
{
	const cJSON *triggers = cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "triggers");
	const cJSON *slash = cJSON_GetObjectItemCaseSensitive(triggers, "slash");
	const cJSON *aliases = cJSON_GetObjectItemCaseSensitive(triggers, "aliases");

	if (!trigger && cJSON_IsString(slash))
		return slash;
	if (trigger && trigger != slash)
		return trigger->next;
	return cJSON_IsArray(aliases) ? aliases->child : NULL;
}

/* What the user types after the '/'; NULL: not text. */
static const char *word_of(const cJSON *trigger)
{
	const char *text = cJSON_GetStringValue(trigger);

	return text && *text == '/' ? text + 1 : text;
}

static bool is_same(const cJSON *trigger, const char *word)
{
	const char *own = word_of(trigger);

	return own && *own && strcmp(own, word) == 0;
}

/* Whether the pack has the trigger before `end`. */
static bool has_trigger(const struct pack *pack, const char *word, const cJSON *end)
{
	const cJSON *trigger = next_trigger(pack, NULL);

	for (; trigger && trigger != end; trigger = next_trigger(pack, trigger))
		if (is_same(trigger, word))
			return true;
	return false;
}

static bool is_slug_of_another(const struct checker *checker, const char *word)
{
	if (strcmp(checker->pack->slug, word) == 0)
		return false;
	for (size_t i = 0; i < checker->list->count; i++)
		if (strcmp(checker->list->entries[i].pack->slug, word) == 0)
			return true;
	return false;
}

/* The first pack before this one that has the trigger, too. */
static const struct pack *first_with(const struct checker *checker, const char *word)
{
	const struct pack_entry *entry = checker->list->entries;

	for (; entry < checker->entry; entry++)
		if (!hidden_by(checker->list, entry) && has_trigger(entry->pack, word, NULL))
			return entry->pack;
	return NULL;
}

static void check_trigger(struct checker *checker, const cJSON *trigger)
{
	const char *word = word_of(trigger);
	const struct pack *first;

	if (!word || !*word)
		return;
	if (has_trigger(checker->pack, word, trigger)) {
		checker__report(checker, RULE_DUPLICATE_TRIGGER, trigger,
				"the trigger '%s' stands twice in this pack", trigger->valuestring);
		return;
	}
	if (is_slug_of_another(checker, word)) {
		checker__report(checker, RULE_DUPLICATE_TRIGGER, trigger,
				"the trigger '%s' is the slug of another pack, which comes first",
				trigger->valuestring);
		return;
	}
	first = first_with(checker, word);
	if (first)
		checker__report(checker, RULE_DUPLICATE_TRIGGER, trigger,
				"the trigger '%s' already belongs to '%s'", trigger->valuestring,
				first->slug);
}

/* The triggers of a hidden pack do not matter. */
void check_collisions__run(struct checker *checker)
{
	const struct pack_entry *first = hidden_by(checker->list, checker->entry);
	const struct pack *pack = checker->pack;
	const cJSON *trigger = NULL;

	if (first) {
		checker__report(checker, RULE_DUPLICATE_SLUG,
				cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "slug"),
				"the slug '%s' already belongs to '%s', which comes first",
				checker->entry->folder, first->directory);
		return;
	}
	while ((trigger = next_trigger(pack, trigger)))
		check_trigger(checker, trigger);
}
