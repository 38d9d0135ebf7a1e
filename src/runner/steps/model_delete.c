// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.delete: deletes the rows of `model` that `id` or `conditions` match. If the table has a
 * column `deleted_at`, the rows stay in the table and get the time in that column. With
 * `soft: false` they are always removed. `soft_delete` is the same key.
 */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"

static int wants_soft(struct step_run *run, const struct store_table *table, bool *soft)
{
	cJSON *value;
	int err = step_run__value(run, "soft", &value);

	if (!err && !value)
		err = step_run__value(run, "soft_delete", &value);
	if (value)
		value = step_value__parsed(value);
	*soft = table->has_deleted_at && !cJSON_IsFalse(value);
	cJSON_Delete(value);
	return err;
}

static int stamp_rows(struct step_run *run, const struct store_query *query, int64_t *changed)
{
	cJSON *values = cJSON_CreateObject();
	int err = values ? 0 : error__set(run->err, -ENOMEM, "out of memory");

	if (!err)
		err = step_run__stamp(run, query->table, values, "deleted_at");
	if (!err)
		err = store__update(step_run__store(run), query, values, changed, run->err);
	cJSON_Delete(values);
	return err;
}

static int delete_rows(struct step_run *run, const struct store_query *query, bool soft,
		       const cJSON *rows)
{
	const cJSON *row;
	int64_t changed = 0;
	int err = soft ? stamp_rows(run, query, &changed)
		       : store__delete(step_run__store(run), query, &changed, run->err);
	if (err)
		return err;
	run->span->mutations_count = (uint64_t)changed;
	cJSON_ArrayForEach (row, rows)
		step_run__changed(run, query->table, rows__id(row), STEPTRACE_DELETED);
	return 0;
}

/* Takes ownership of `rows`. */
static int answer(struct step_run *run, cJSON *rows)
{
	run->output = cJSON_CreateObject();
	if (!run->output) {
		cJSON_Delete(rows);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	cJSON_AddNumberToObject(run->output, "deleted_count", cJSON_GetArraySize(rows));
	cJSON_AddItemToObject(run->output, "deleted_records", rows);
	return 0;
}

static int delete_matching(struct step_run *run, struct store_query *query, bool soft)
{
	cJSON *rows;
	int err = step_run__lock(run);

	if (err)
		return err;
	query->limit = -1; /* no limit: the result lists every row that is deleted */
	err = store__select(step_run__store(run), query, &rows, run->err);
	if (err)
		return err;
	if (!rows->child && !step_run__is_dry(run))
		err = error__set(run->err, -ENOENT, "no row of model '%s' matches",
				 query->table->name);
	if (!err && !step_run__is_dry(run))
		err = delete_rows(run, query, soft, rows);
	if (!err)
		return answer(run, rows);
	cJSON_Delete(rows);
	return err;
}

static int run(struct step_run *run)
{
	const struct store_table *table;
	struct store_query query;
	cJSON *kept = NULL;
	bool soft;
	int err = step_run__table(run, &table);

	if (err)
		return err;
	store_query__init(&query, table);
	err = step_run__target(run, &query, &kept);
	if (!err)
		err = wants_soft(run, table, &soft);
	if (!err)
		err = delete_matching(run, &query, soft);
	store_query__free(&query);
	cJSON_Delete(kept);
	return err;
}

static const char *const keys[] = {"model", "id", "conditions", "soft", "soft_delete", NULL};

const struct step_type step_model_delete = {
	.name = "model.delete",
	.event_name = "ModelDeleteStep",
	.keys = keys,
	.run = run,
};
