// SPDX-License-Identifier: BSD-2-Clause
/*
 * fragment.update: writes `data` into one fragment. A map `state` and keys `state.<key>` are merged
 * into the existing state. With an unknown key the step fails before it writes anything.
 */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/steps/fragment.h"
#include "runner/value/integer.h"

/* The state of the step. All trees are owned. */
struct update {
	cJSON *data;   /* the key `data` of the pack, rendered */
	cJSON *values; /* object to write: column -> value */
	cJSON *fields; /* list of the keys of `data` */
};

static bool is_field(const char *name)
{
	return !strcmp(name, "message") || !strcmp(name, "title") || !strcmp(name, "tags") ||
	       !strcmp(name, "state") || (!strncmp(name, "state.", 6) && name[6]);
}

static int check_fields(struct step_run *run, const cJSON *data)
{
	const cJSON *item;

	if (!data || !data->child)
		return error__set(run->err, -EINVAL, "'data' is missing or empty");
	cJSON_ArrayForEach (item, data) {
		if (!is_field(item->string))
			return error__set(
				run->err, -EINVAL,
				"the field '%.64s' cannot be updated (only message, title, "
				"tags, state and state.<key>)",
				item->string);
	}
	return 0;
}

static void replace(cJSON *object, const char *key, const cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddItemToObject(object, key, cJSON_Duplicate(value, 1));
}

/* A row of another program may have a state that is shown as text. */
static bool can_merge(const cJSON *row)
{
	const cJSON *old = cJSON_GetObjectItemCaseSensitive(row, "state");

	return !old || cJSON_IsNull(old) || cJSON_IsObject(old);
}

/* The state that will be written. It starts as a copy of the row's state. */
static cJSON *state_of(cJSON *values, const cJSON *row)
{
	const cJSON *old = cJSON_GetObjectItemCaseSensitive(row, "state");
	cJSON *state = cJSON_GetObjectItemCaseSensitive(values, "state");

	if (state)
		return state;
	state = cJSON_IsObject(old) ? cJSON_Duplicate(old, 1) : cJSON_CreateObject();
	cJSON_AddItemToObject(values, "state", state);
	return state;
}

static int merge_state(struct step_run *run, cJSON *state, const cJSON *value)
{
	cJSON *map = step_value__parsed(cJSON_Duplicate(value, 1));
	const cJSON *item;

	if (!cJSON_IsObject(map)) {
		cJSON_Delete(map);
		return error__set(run->err, -EINVAL, "'state' must be a map");
	}
	cJSON_ArrayForEach (item, map)
		replace(state, item->string, item);
	cJSON_Delete(map);
	return 0;
}

static int take_field(struct step_run *run, struct update *update, const cJSON *row,
		      const cJSON *item)
{
	cJSON_AddItemToArray(update->fields, cJSON_CreateString(item->string));
	if (strncmp(item->string, "state", 5) == 0 && !can_merge(row))
		return error__set(run->err, -EINVAL,
				  "the state of the fragment cannot be read: another program "
				  "wrote it");
	if (strcmp(item->string, "state") == 0)
		return merge_state(run, state_of(update->values, row), item);
	if (strncmp(item->string, "state.", 6) == 0) {
		replace(state_of(update->values, row), item->string + 6, item);
		return 0;
	}
	return fragment__set(update->values, item->string, cJSON_Duplicate(item, 1), run->err);
}

static int take_fields(struct step_run *run, struct update *update, const struct store_table *table,
		       const cJSON *row)
{
	const cJSON *item;
	int err = 0;

	cJSON_ArrayForEach (item, update->data) {
		err = take_field(run, update, row, item);
		if (err)
			return err;
	}
	return step_run__stamp(run, table, update->values, "updated_at");
}

static int write_row(struct step_run *run, const struct store_table *table, const cJSON *id,
		     const cJSON *values, int64_t *changed)
{
	struct store_query query;
	int err;

	store_query__init(&query, table);
	err = store_query__add(&query, "id", "=", id, NULL, run->err);
	if (!err)
		err = store__update(step_run__store(run), &query, values, changed, run->err);
	store_query__free(&query);
	return err;
}

/* Takes ownership of `row`. */
static int answer(struct step_run *run, struct update *update, cJSON *row, const cJSON *id)
{
	run->output = cJSON_CreateObject();
	if (!run->output) {
		cJSON_Delete(row);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	cJSON_AddTrueToObject(run->output, "success");
	cJSON_AddItemToObject(run->output, "fragment_id",
			      id ? cJSON_Duplicate(id, 1) : cJSON_CreateNull());
	cJSON_AddItemToObject(run->output, "updated_fields", update->fields);
	update->fields = NULL;
	cJSON_AddItemToObject(run->output, "fragment", row);
	return 0;
}

/* In a dry run the result shows the row as it would be after the update. */
static int answer_dry(struct step_run *run, struct update *update, cJSON *row, const cJSON *id)
{
	const cJSON *value;

	if (!row)
		row = cJSON_CreateObject();
	cJSON_ArrayForEach (value, update->values)
		replace(row, value->string, value);
	return answer(run, update, row, id);
}

static int update_row(struct step_run *run, struct update *update, int64_t id, cJSON *row)
{
	const struct store_table *table = store__table(step_run__store(run), "fragments");
	struct integer_value number;
	int64_t changed = 0;
	int err = take_fields(run, update, table, row);

	if (!err && step_run__is_dry(run))
		return answer_dry(run, update, row, id ? integer__fill(&number, id) : NULL);
	if (!err)
		err = write_row(run, table, integer__fill(&number, id), update->values, &changed);
	cJSON_Delete(row);
	row = NULL;
	if (!err)
		err = store__get(step_run__store(run), table, id, &row, run->err);
	if (err)
		return err;
	run->span->mutations_count = (uint64_t)changed;
	step_run__changed(run, table, id, STEPTRACE_UPDATED);
	return answer(run, update, row, integer__fill(&number, id));
}

/* What the step needs of the row: its state. A dry run shows the whole row. */
static int read_before(struct step_run *run, int64_t id, cJSON **row)
{
	struct store *store = step_run__store(run);
	const struct store_table *table = store__table(store, "fragments");

	if (step_run__is_dry(run))
		return store__get(store, table, id, row, run->err);
	return store__get_column(store, table, store_table__column(table, "state"), id, row,
				 run->err);
}

/* Finds the fragment to update. In a dry run it may be missing, because an earlier step did not
 * create it. */
static int find_row(struct step_run *run, int64_t *id, cJSON **row)
{
	cJSON *value;
	int err = step_run__value(run, "id", &value);

	*row = NULL;
	*id = 0;
	if (!err && step_value__id(value, id))
		err = step_run__is_dry(run)
			      ? 0
			      : error__set(run->err, -EINVAL, "'id' is not the id of a fragment");
	cJSON_Delete(value);
	if (err || !*id)
		return err;
	step_run__set_fragment(run, *id);
	err = step_run__lock(run);
	if (!err)
		err = read_before(run, *id, row);
	if (err == -ENOENT)
		err = step_run__is_dry(run)
			      ? 0
			      : error__set(run->err, -ENOENT, "no fragment has this id");
	return err;
}

static int run(struct step_run *run)
{
	struct update update = {0};
	cJSON *row = NULL;
	int64_t id;
	int err = step_run__map(run, "data", &update.data);

	if (!err)
		err = check_fields(run, update.data);
	if (!err)
		err = find_row(run, &id, &row);
	if (!err) {
		update.values = cJSON_CreateObject();
		update.fields = cJSON_CreateArray();
		err = update_row(run, &update, id, row);
	}
	cJSON_Delete(update.data);
	cJSON_Delete(update.values);
	cJSON_Delete(update.fields);
	return err;
}

static const char *const keys[] = {"id", "data", NULL};

const struct step_type step_fragment_update = {
	.name = "fragment.update",
	.event_name = "FragmentUpdateStep",
	.keys = keys,
	.run = run,
};
