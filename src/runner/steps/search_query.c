// SPDX-License-Identifier: BSD-2-Clause
/*
 * search.query: full-text search in the titles and messages of fragments, the best match first.
 *
 *	query: "{{ ctx.body }}"		words; a fragment has to contain all of them
 *	types: [note, todo]		only fragments of these types; `type` means the same
 *	limit: 20
 *
 * A word matches whole words that begin with it, without regard to case and accents. The result is
 * an object with `results`, `fragments` (the same list), `count` and `query`.
 */
#include <errno.h>
#include <stdlib.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"
#include "runner/steps/selection.h"

struct inputs {
	cJSON *types;
	char *text;
	struct selection selection;
};

static void free_inputs(struct inputs *inputs)
{
	cJSON_Delete(inputs->types);
	free(inputs->text);
	selection__free(&inputs->selection);
}

static int read_types(struct step_run *run, struct store_query *query, struct inputs *inputs)
{
	int err = step_run__value(run, "types", &inputs->types);

	if (!err && !inputs->types)
		err = step_run__value(run, "type", &inputs->types);
	if (err || !inputs->types)
		return err;
	inputs->types = step_value__parsed(inputs->types);
	if (cJSON_IsNull(inputs->types))
		return 0;
	return store_query__add(query, "type", cJSON_IsArray(inputs->types) ? "IN" : "=",
				inputs->types, NULL, run->err);
}

/* A text without a word finds nothing. */
static int search(struct step_run *run, struct store_query *query, struct inputs *inputs,
		  cJSON **rows)
{
	bool has_words;
	int err = 0;

	if (!param__child(&run->step->params, "query"))
		err = error__set(run->err, -EINVAL, "'query' is missing");
	if (!err)
		err = step_run__text(run, "query", &inputs->text);
	if (!err)
		err = read_types(run, query, inputs);
	if (!err)
		err = selection__read(&inputs->selection, run, query, NULL);
	if (!err)
		err = store_query__add_match(query, inputs->text ? inputs->text : "", &has_words,
					     run->err);
	if (err)
		return err;
	if (has_words)
		return store__search(step_run__store(run), query, !step_run__is_dry(run), rows,
				     run->err);
	*rows = cJSON_CreateArray();
	return *rows ? 0 : rows__no_memory(run);
}

static int run(struct step_run *run)
{
	struct inputs inputs = {0};
	struct store_query query;
	cJSON *rows = NULL;
	int err;

	store_query__init(&query, store__table(step_run__store(run), "fragments"));
	err = search(run, &query, &inputs, &rows);
	if (!err)
		err = rows__add_relations(run, query.table, rows);
	if (!err)
		err = rows__answer(run, query.table, rows);
	else
		cJSON_Delete(rows);
	if (!err && !cJSON_AddStringToObject(run->output, "query", inputs.text ? inputs.text : ""))
		err = rows__no_memory(run);
	store_query__free(&query);
	free_inputs(&inputs);
	return err;
}

static const char *const keys[] = {"query",   "types", "type",           "filters", "order",
				   "boolean", "limit", "with_relations", "offset",  NULL};

const struct step_type step_search_query = {
	.name = "search.query",
	.event_name = "SearchQueryStep",
	.keys = keys,
	.run = run,
};
