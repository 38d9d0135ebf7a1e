// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/rules.h"

#include <stdlib.h>
#include <string.h>

/* What a process makes the tracer remember is limited: then all is forgotten, and asked again. */
enum { PLACES_MAX = 1 << 20, RULES_MAX = 1 << 16 };

static const struct unwind_rule nothing;

static uint64_t hash_of(const struct unwind_rule *rule)
{
	uint64_t words[sizeof(*rule) / sizeof(uint64_t)], hash = 0;

	memcpy(words, rule, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull + (hash >> 29);
	return hash;
}

static bool make_room(struct rules *rules)
{
	size_t larger = rules->room ? 2 * rules->room : 256;
	struct unwind_rule *moved;

	if (rules->count < rules->room)
		return true;
	moved = realloc(rules->items, larger * sizeof(*moved));
	if (!moved)
		return false;
	rules->items = moved;
	rules->room = larger;
	return true;
}

/* The number + 1; 0: there is no memory. Of two rules with the same hash, the second is stored each
 * time that it is needed. */
static uint32_t intern(struct rules *rules, const struct unwind_rule *rule)
{
	uint64_t hash = hash_of(rule);
	uint32_t number = place_map__get(&rules->by_hash, 1, hash);

	if (number && memcmp(&rules->items[number - 1], rule, sizeof(*rule)) == 0)
		return number;
	if (!make_room(rules))
		return 0;
	rules->items[rules->count++] = *rule;
	number = (uint32_t)rules->count;
	return place_map__set(&rules->by_hash, 1, hash, number) ? 0 : number;
}

/* `nothing` where the file says nothing, or cannot be read. */
static const struct unwind_rule *ask(uint32_t module, uint64_t offset, struct modules *modules,
				     struct helper *helper, struct symbols_troubles *troubles)
{
	const struct helper_question question = {
		.kind = HELPER_RULE, .file = module, .places_count = 1, .places = {offset}};
	const struct helper_answer *answer;

	if (modules__at(modules, module)->kind != MODULE_FILE ||
	    !modules__give(modules, module, helper, NULL, troubles) ||
	    modules__ask(modules, helper, &question, -1, &answer) || !answer->rule.is_there)
		return &nothing;
	return &answer->rule;
}

const struct unwind_rule *rules__find(struct rules *rules, uint32_t module, uint64_t offset,
				      struct modules *modules, struct helper *helper,
				      struct symbols_troubles *troubles)
{
	uint32_t number = place_map__get(&rules->by_place, module, offset);
	const struct unwind_rule *rule;

	if (number)
		return &rules->items[number - 1];
	rule = ask(module, offset, modules, helper, troubles);
	if (rules->by_place.count >= PLACES_MAX || rules->count >= RULES_MAX)
		rules__free(rules);
	number = intern(rules, rule);
	if (number)
		place_map__set(&rules->by_place, module, offset, number);
	return rule;
}

void rules__free(struct rules *rules)
{
	free(rules->items);
	place_map__free(&rules->by_place);
	place_map__free(&rules->by_hash);
	*rules = (struct rules){0};
}
