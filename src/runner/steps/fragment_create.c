// SPDX-License-Identifier: BSD-2-Clause
/* fragment.create: inserts one row into `fragments`. The key `content` means the same as
 * `message`. */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/steps/fragment.h"
#include "runner/value/integer.h"

static const char *const keys[] = {"type",       "title",    "message", "content", "tags",
				   "state",      "metadata", "source",  "vault",   "project_id",
				   "importance", "pinned",   NULL};

/* Renders a key and sets its column. A null value leaves the column's default. */
static int take_key(struct step_run *run, const char *key, cJSON *values)
{
	const char *column = strcmp(key, "content") == 0 ? "message" : key;
	cJSON *value;
	int err = step_run__value(run, key, &value);

	if (err || !value)
		return err;
	if (cJSON_IsNull(value) || cJSON_GetObjectItemCaseSensitive(values, column)) {
		cJSON_Delete(value);
		return 0;
	}
	return fragment__set(values, column, value, run->err);
}

static int collect(struct step_run *run, const struct store_table *table, cJSON *values)
{
	int err = 0;

	for (size_t i = 0; !err && keys[i]; i++)
		err = take_key(run, keys[i], values);
	if (err)
		return err;
	if (!cJSON_GetObjectItemCaseSensitive(values, "message") &&
	    !cJSON_GetObjectItemCaseSensitive(values, "title"))
		return error__set(run->err, -EINVAL, "a fragment needs a message or a title");
	if (!cJSON_GetObjectItemCaseSensitive(values, "type") &&
	    !cJSON_AddStringToObject(values, "type", "log"))
		return error__set(run->err, -ENOMEM, "out of memory");
	err = step_run__stamp(run, table, values, "created_at");
	return err ? err : step_run__stamp(run, table, values, "updated_at");
}

static int insert(struct step_run *run, const struct store_table *table, const cJSON *values)
{
	int64_t id;
	int err = step_run__lock(run);

	if (!err)
		err = store__insert(step_run__store(run), table, values, &id, run->err);
	if (!err)
		err = store__get(step_run__store(run), table, id, &run->output, run->err);
	if (err)
		return err;
	run->span->mutations_count = 1;
	step_run__set_fragment(run, id);
	step_run__changed(run, table, id, STEPTRACE_CREATED);
	return integer__add(run->output, "fragment_id", id)
		       ? 0
		       : error__set(run->err, -ENOMEM, "out of memory");
}

static int run(struct step_run *run)
{
	const struct store_table *table = store__table(step_run__store(run), "fragments");
	cJSON *values = cJSON_CreateObject();
	int err;

	if (!values)
		return error__set(run->err, -ENOMEM, "out of memory");
	err = collect(run, table, values);
	if (!err && !step_run__is_dry(run))
		err = insert(run, table, values);
	if (!err && step_run__is_dry(run)) {
		cJSON_AddNullToObject(values, "id");
		cJSON_AddNullToObject(values, "fragment_id");
		run->output = values;
		return 0;
	}
	cJSON_Delete(values);
	return err;
}

const struct step_type step_fragment_create = {
	.name = "fragment.create",
	.event_name = "FragmentCreateStep",
	.keys = keys,
	.run = run,
};
