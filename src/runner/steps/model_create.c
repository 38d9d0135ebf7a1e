// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.create: inserts a row with the columns `data` into `model`. The result has the columns of
 * the new row, and it once more as `record`:
 *
 *	{"id": 7, "name": "plan", ..., "success": true, "model": "bookmarks", "record": {...}}
 */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"
#include "runner/value/value.h"

static int answer(struct step_run *run, const struct store_table *table, cJSON *row)
{
	cJSON *copy = value__copy(row);

	run->output = row;
	if (cJSON_AddTrueToObject(row, "success") &&
	    cJSON_AddStringToObject(row, "model", table->name) && copy &&
	    cJSON_AddItemToObject(row, "record", copy))
		return 0;
	cJSON_Delete(copy);
	return rows__no_memory(run);
}

static int run(struct step_run *run)
{
	const struct store_table *table;
	cJSON *data = NULL, *row;
	int err = step_run__table(run, &table);

	if (!err)
		err = step_run__map(run, "data", &data);
	if (!err)
		err = rows__check_data(run, table, data);
	if (!err)
		err = rows__create(run, table, data, &row);
	cJSON_Delete(data);
	return err ? err : answer(run, table, row);
}

static const char *const keys[] = {"model", "data", NULL};

const struct step_type step_model_create = {
	.name = "model.create",
	.event_name = "ModelCreateStep",
	.keys = keys,
	.run = run,
};
