// SPDX-License-Identifier: BSD-2-Clause
/*
 * fragment.query: selects fragments by `type`, `tags` and what selection.h says. A fragment has to
 * have all of the tags. The result is an object with `results`, `fragments` (the same list) and
 * `count`.
 */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"
#include "runner/steps/selection.h"

/* The query borrows values from these trees. */
struct inputs {
	cJSON *type, *tags;
	struct selection selection;
};

static void free_inputs(struct inputs *inputs)
{
	cJSON_Delete(inputs->type);
	cJSON_Delete(inputs->tags);
	selection__free(&inputs->selection);
}

static int add_tags(struct step_run *run, struct store_query *query, const cJSON *tags)
{
	const cJSON *tag = cJSON_IsArray(tags) ? tags->child : tags;
	int err = 0;

	for (; !err && cJSON_IsString(tag); tag = tag->next)
		err = store_query__add_item(query, "tags", tag, run->err);
	return err;
}

static bool is_said(const cJSON *value)
{
	return value && !cJSON_IsNull(value) && !(cJSON_IsString(value) && !*value->valuestring);
}

static int fill_query(struct step_run *run, struct store_query *query, struct inputs *inputs)
{
	int err = step_run__value(run, "type", &inputs->type);

	if (!err)
		err = step_run__value(run, "tags", &inputs->tags);
	if (err)
		return err;
	if (inputs->tags)
		inputs->tags = step_value__parsed(inputs->tags);
	if (is_said(inputs->type))
		err = store_query__add(query, "type", cJSON_IsArray(inputs->type) ? "IN" : "=",
				       inputs->type, NULL, run->err);
	if (!err)
		err = add_tags(run, query, inputs->tags);
	return err ? err : selection__read(&inputs->selection, run, query, "latest");
}

static int run(struct step_run *run)
{
	struct inputs inputs = {0};
	struct store_query query;
	cJSON *rows = NULL;
	int err;

	store_query__init(&query, store__table(step_run__store(run), "fragments"));
	err = fill_query(run, &query, &inputs);
	if (!err)
		err = store__select(step_run__store(run), &query, &rows, run->err);
	if (!err)
		err = rows__add_relations(run, query.table, rows);
	if (!err)
		err = rows__answer(run, query.table, rows);
	else
		cJSON_Delete(rows);
	store_query__free(&query);
	free_inputs(&inputs);
	return err;
}

static const char *const keys[] = {"type",    "filters",        "conditions", "tags",
				   "search",  "order",          "limit",      "offset",
				   "boolean", "with_relations", NULL};

const struct step_type step_fragment_query = {
	.name = "fragment.query",
	.event_name = "FragmentQueryStep",
	.keys = keys,
	.run = run,
};
