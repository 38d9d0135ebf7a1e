// SPDX-License-Identifier: BSD-2-Clause
/* model.query: selects rows of `model` (selection.h). The result is an object with `results` and
 * `count`, which can be used as the list of the rows. */
#include "runner/pack/step_type.h"
#include "runner/steps/rows.h"
#include "runner/steps/selection.h"

static int select_rows(struct step_run *run, const struct store_query *query)
{
	cJSON *rows = NULL;
	int err = store__select(step_run__store(run), query, &rows, run->err);

	if (!err)
		err = rows__add_relations(run, query->table, rows);
	if (!err)
		return rows__answer(run, query->table, rows);
	cJSON_Delete(rows);
	return err;
}

static int run(struct step_run *run)
{
	struct selection selection = {0};
	const struct store_table *table;
	struct store_query query;
	int err = step_run__table(run, &table);

	if (err)
		return err;
	store_query__init(&query, table);
	err = selection__read(&selection, run, &query, "latest");
	if (!err)
		err = select_rows(run, &query);
	store_query__free(&query);
	selection__free(&selection);
	return err;
}

static const char *const keys[] = {"model", "conditions", "filters", "search",         "order",
				   "limit", "offset",     "boolean", "with_relations", NULL};

const struct step_type step_model_query = {
	.name = "model.query",
	.event_name = "ModelQueryStep",
	.keys = keys,
	.run = run,
};
