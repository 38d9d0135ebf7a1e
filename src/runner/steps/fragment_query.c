// SPDX-License-Identifier: BSD-2-Clause
/*
 * fragment.query: selects fragments by `type`, `tags`, `filters` and `search`. `filters` is a map
 * of column -> value; a list as the value means any of its items. The result is an object with
 * `results`, `fragments` (the same list) and `count`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"

/* The query borrows values from these trees, so they are freed after it. */
struct inputs {
	cJSON *type, *filters, *tags, *order, *limit, *offset;
	char *search;
};

static void free_inputs(struct inputs *inputs)
{
	cJSON_Delete(inputs->type);
	cJSON_Delete(inputs->filters);
	cJSON_Delete(inputs->tags);
	cJSON_Delete(inputs->order);
	cJSON_Delete(inputs->limit);
	cJSON_Delete(inputs->offset);
	free(inputs->search);
}

static int read_inputs(struct step_run *run, struct inputs *inputs)
{
	int err = step_run__value(run, "type", &inputs->type);

	if (!err)
		err = step_run__map(run, "filters", &inputs->filters);
	if (!err)
		err = step_run__value(run, "tags", &inputs->tags);
	if (!err)
		err = step_run__value(run, "order", &inputs->order);
	if (!err)
		err = step_run__value(run, "limit", &inputs->limit);
	if (!err)
		err = step_run__value(run, "offset", &inputs->offset);
	if (!err)
		err = step_run__text(run, "search", &inputs->search);
	if (inputs->tags)
		inputs->tags = step_value__parsed(inputs->tags);
	if (inputs->order)
		inputs->order = step_value__parsed(inputs->order);
	return err;
}

/* A fragment has to have all of the tags. */
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

static int fill_query(struct step_run *run, struct store_query *query, const struct inputs *inputs)
{
	static const char *const columns[] = {"title", "message", NULL};
	static char latest_text[] = "latest";
	static const cJSON latest = {.type = cJSON_String, .valuestring = latest_text};
	int err = 0;

	if (is_said(inputs->type))
		err = store_query__add(query, "type", cJSON_IsArray(inputs->type) ? "IN" : "=",
				       inputs->type, NULL, run->err);
	if (!err && inputs->filters)
		err = store_query__add_all(query, inputs->filters, run->err);
	if (!err)
		err = add_tags(run, query, inputs->tags);
	if (!err && inputs->search)
		err = store_query__add_search(query, columns, inputs->search, run->err);
	if (!err)
		err = store_query__set_order(
			query, is_said(inputs->order) ? inputs->order : &latest, run->err);
	return err ? err : store_query__set_limit(query, inputs->limit, inputs->offset, run->err);
}

static int answer(struct step_run *run, cJSON *rows)
{
	int count = cJSON_GetArraySize(rows);

	run->output = cJSON_CreateObject();
	if (!run->output) {
		cJSON_Delete(rows);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	cJSON_AddItemToObject(run->output, "results", rows);
	cJSON_AddItemReferenceToObject(run->output, "fragments", rows);
	cJSON_AddNumberToObject(run->output, "count", count);
	return 0;
}

static int run(struct step_run *run)
{
	struct inputs inputs = {0};
	struct store_query query;
	cJSON *rows = NULL;
	int err;

	store_query__init(&query, store__table(step_run__store(run), "fragments"));
	err = read_inputs(run, &inputs);
	if (!err)
		err = fill_query(run, &query, &inputs);
	if (!err)
		err = store__select(step_run__store(run), &query, &rows, run->err);
	if (!err)
		err = answer(run, rows);
	store_query__free(&query);
	free_inputs(&inputs);
	return err;
}

static const char *const keys[] = {"type",  "filters", "tags",           "search", "order",
				   "limit", "offset",  "with_relations", NULL};

const struct step_type step_fragment_query = {
	.name = "fragment.query",
	.event_name = "FragmentQueryStep",
	.keys = keys,
	.run = run,
};
