// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_problem.h"

#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

static const char *const rule_names[] = {
	[RULE_UNREADABLE_FILE] = "unreadable-file",
	[RULE_INVALID_YAML] = "invalid-yaml",
	[RULE_MISSING_KEY] = "missing-key",
	[RULE_INVALID_VALUE] = "invalid-value",
	[RULE_TOO_MANY_STEPS] = "too-many-steps",
	[RULE_UNKNOWN_TYPE] = "unknown-type",
	[RULE_UNKNOWN_KEY] = "unknown-key",
	[RULE_UNKNOWN_FILTER] = "unknown-filter",
	[RULE_UNKNOWN_STEP] = "unknown-step",
	[RULE_INVALID_TEMPLATE] = "invalid-template",
	[RULE_DUPLICATE_ID] = "duplicate-id",
	[RULE_ID_STYLE] = "id-style",
	[RULE_SLUG_MISMATCH] = "slug-mismatch",
	[RULE_DUPLICATE_SLUG] = "duplicate-slug",
	[RULE_DUPLICATE_TRIGGER] = "duplicate-trigger",
	[RULE_UNREACHABLE_BRANCH] = "unreachable-branch",
	[RULE_EMPTY_CONDITION] = "empty-condition",
};

_Static_assert(sizeof(rule_names) / sizeof(rule_names[0]) == PACK_RULE_COUNT,
	       "each rule has a name");

const char *pack_rule__name(enum pack_rule rule)
{
	return rule_names[rule];
}

static bool make_room(struct pack_problems *problems)
{
	size_t room = problems->room ? 2 * problems->room : 8;
	struct pack_problem *longer;

	if (problems->count < problems->room)
		return true;
	longer = realloc(problems->items, room * sizeof(*longer));
	if (!longer)
		return false;
	problems->items = longer;
	problems->room = room;
	return true;
}

void pack_problems__add(struct pack_problems *problems, const struct pack_problem *problem)
{
	struct pack_problem copy = *problem;

	copy.order = problems->count;
	copy.file = printable__duplicate(problem->file);
	copy.sentence = printable__duplicate(problem->sentence);
	if (copy.file && copy.sentence && make_room(problems)) {
		problems->items[problems->count++] = copy;
		return;
	}
	free(copy.file);
	free(copy.sentence);
	problems->lacks_memory = true;
}

void pack_problems__add_file(struct pack_problems *problems, enum pack_rule rule, int code,
			     const char *file, const struct file_problem *problem)
{
	const struct pack_problem added = {
		.rule = rule,
		.code = code,
		.file = (char *)file,
		.line = problem->line,
		.column = problem->column,
		.sentence = (char *)problem->sentence.text,
	};

	pack_problems__add(problems, &added);
}

static int compare(const void *left, const void *right)
{
	const struct pack_problem *a = left, *b = right;
	int order = strcmp(a->file, b->file);

	if (order)
		return order;
	if (a->line != b->line)
		return a->line > b->line ? 1 : -1;
	if (a->column != b->column)
		return a->column > b->column ? 1 : -1;
	return a->order > b->order ? 1 : -1;
}

void pack_problems__sort(struct pack_problems *problems)
{
	if (problems->count)
		qsort(problems->items, problems->count, sizeof(*problems->items), compare);
}

void pack_problems__free(struct pack_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].file);
		free(problems->items[i].sentence);
	}
	free(problems->items);
	*problems = (struct pack_problems){.count = 0};
}

int pack_problem__tell(const struct pack_problem *problem, struct error *err)
{
	if (!problem->line)
		return error__set(err, problem->code, "%s: %s", problem->file, problem->sentence);
	return error__set(err, problem->code, "%s:%u:%u: %s", problem->file, problem->line,
			  problem->column, problem->sentence);
}
