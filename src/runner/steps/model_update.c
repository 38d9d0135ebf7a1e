// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.update: writes `data` into all rows of `model` that `id` or `conditions` match. No such row
 * is a failure. The result:
 *
 *	{"updated_count": 2, "records": [...]}		the rows after the update
 */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"

static int pretend(struct step_run *run, const struct store_table *table, const cJSON *data,
		   const cJSON *before, cJSON *after)
{
	const cJSON *row;

	cJSON_ArrayForEach (row, before) {
		cJSON *changed = rows__pretended(table, row, data);

		if (!changed)
			return rows__no_memory(run);
		cJSON_AddItemToArray(after, changed);
	}
	return 0;
}

/* After the update the conditions may match other rows: they are read by their ids. */
static int read_again(struct step_run *run, const struct store_table *table, const cJSON *before,
		      cJSON *after)
{
	const cJSON *each;
	int err = 0;

	cJSON_ArrayForEach (each, before) {
		int64_t id = rows__id(each);
		cJSON *row = NULL;

		if (!err)
			err = store__get(step_run__store(run), table, id, &row, run->err);
		if (row)
			cJSON_AddItemToArray(after, row);
		if (!err)
			step_run__changed(run, table, id, STEPTRACE_UPDATED);
	}
	return err;
}

static int update(struct step_run *run, const struct store_query *query, const cJSON *data,
		  const cJSON *before, cJSON *after)
{
	int64_t changed = 0;
	int err;

	if (step_run__is_dry(run))
		return pretend(run, query->table, data, before, after);
	if (!before->child)
		return error__set(run->err, -ENOENT, "no row of model '%s' matches",
				  query->table->name);
	err = store__update(step_run__store(run), query, data, &changed, run->err);
	run->span->mutations_count = (uint64_t)changed;
	return err ? err : read_again(run, query->table, before, after);
}

/* Takes ownership of `rows`, also on failure. */
static int answer(struct step_run *run, cJSON *rows)
{
	int count = cJSON_GetArraySize(rows);

	run->output = cJSON_CreateObject();
	if (run->output && cJSON_AddNumberToObject(run->output, "updated_count", count) &&
	    cJSON_AddItemToObject(run->output, "records", rows))
		return 0;
	cJSON_Delete(rows);
	return rows__no_memory(run);
}

static int update_matching(struct step_run *run, struct store_query *query, const cJSON *data)
{
	cJSON *before, *after;
	int err = step_run__lock(run);

	query->limit = -1; /* the result lists every row that is changed */
	if (!err)
		err = store__select(step_run__store(run), query, &before, run->err);
	if (err)
		return err;
	after = cJSON_CreateArray();
	err = after ? update(run, query, data, before, after) : rows__no_memory(run);
	cJSON_Delete(before);
	if (!err)
		return answer(run, after);
	cJSON_Delete(after);
	return err;
}

static int run(struct step_run *run)
{
	const struct store_table *table;
	struct store_query query;
	cJSON *data = NULL, *kept = NULL;
	int err = step_run__table(run, &table);

	if (err)
		return err;
	store_query__init(&query, table);
	err = step_run__map(run, "data", &data);
	if (!err)
		err = rows__check_data(run, table, data);
	if (!err)
		err = step_run__stamp(run, table, data, "updated_at");
	if (!err)
		err = step_run__target(run, &query, &kept);
	if (!err)
		err = update_matching(run, &query, data);
	store_query__free(&query);
	cJSON_Delete(kept);
	cJSON_Delete(data);
	return err;
}

static const char *const keys[] = {"model", "id", "conditions", "data", NULL};

const struct step_type step_model_update = {
	.name = "model.update",
	.event_name = "ModelUpdateStep",
	.keys = keys,
	.run = run,
};
