// SPDX-License-Identifier: BSD-2-Clause
/* database.update: writes `data` into the first row of `model` that `id` or `conditions` match. */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"

/* The state of the step. The trees are owned. */
struct update {
	const struct store_table *table;
	cJSON *data;
	cJSON *row; /* before the update, then after it; NULL: no row matches */
};

static int find_row(struct step_run *run, struct update *update)
{
	struct store_query query;
	cJSON *kept = NULL, *rows = NULL;
	int err;

	store_query__init(&query, update->table);
	query.limit = 1;
	err = step_run__target(run, &query, &kept);
	if (!err)
		err = step_run__lock(run);
	if (!err)
		err = store__select(step_run__store(run), &query, &rows, run->err);
	store_query__free(&query);
	cJSON_Delete(kept);
	if (err)
		return err;
	update->row = cJSON_DetachItemFromArray(rows, 0);
	cJSON_Delete(rows);
	if (!update->row && !step_run__is_dry(run))
		return error__set(run->err, -ENOENT, "no row of model '%s' matches",
				  update->table->name);
	return 0;
}

static int write_row(struct step_run *run, struct update *update)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(update->row, "id");
	struct store_query query;
	int64_t changed = 0, row_id = rows__id(update->row);
	int err;

	if (strcmp(update->table->name, "fragments") == 0)
		step_run__set_fragment(run, row_id);
	store_query__init(&query, update->table);
	err = store_query__add(&query, "id", "=", id, NULL, run->err);
	if (!err)
		err = store__update(step_run__store(run), &query, update->data, &changed, run->err);
	store_query__free(&query);
	if (err)
		return err;
	run->span->mutations_count = (uint64_t)changed;
	step_run__changed(run, update->table, row_id, STEPTRACE_UPDATED);
	cJSON_Delete(update->row);
	update->row = NULL;
	return store__get(step_run__store(run), update->table, row_id, &update->row, run->err);
}

/* In a dry run the result shows the row as it would be after the update. */
static int pretend(struct step_run *run, struct update *update)
{
	cJSON *row = rows__pretended(update->table, update->row, update->data);

	cJSON_Delete(update->row);
	update->row = row;
	return row ? 0 : rows__no_memory(run);
}

static int answer(struct step_run *run, struct update *update)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(update->row, "id");

	run->output = cJSON_CreateObject();
	if (!run->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	cJSON_AddTrueToObject(run->output, "success");
	cJSON_AddStringToObject(run->output, "model", update->table->name);
	cJSON_AddItemToObject(run->output, "id", id ? cJSON_Duplicate(id, 1) : cJSON_CreateNull());
	cJSON_AddItemToObject(run->output, "record", update->row);
	update->row = NULL;
	return 0;
}

static int change(struct step_run *run, struct update *update)
{
	int err = find_row(run, update);

	if (!err)
		err = step_run__stamp(run, update->table, update->data, "updated_at");
	if (err)
		return err;
	err = step_run__is_dry(run) ? pretend(run, update) : write_row(run, update);
	return err ? err : answer(run, update);
}

static int run(struct step_run *run)
{
	struct update update = {0};
	int err = step_run__table(run, &update.table);

	if (!err)
		err = step_run__map(run, "data", &update.data);
	if (!err)
		err = rows__check_data(run, update.table, update.data);
	if (!err)
		err = change(run, &update);
	cJSON_Delete(update.data);
	cJSON_Delete(update.row);
	return err;
}

static const char *const keys[] = {"model", "id", "conditions", "data", NULL};

const struct step_type step_database_update = {
	.name = "database.update",
	.event_name = "DatabaseUpdateStep",
	.keys = keys,
	.run = run,
};
