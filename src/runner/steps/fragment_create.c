// SPDX-License-Identifier: BSD-2-Clause
/* fragment.create: inserts one row into `fragments`. The key `content` means the same as
 * `message`. */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/steps/fragment.h"
#include "runner/steps/rows.h"
#include "runner/value/value.h"

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

static int collect(struct step_run *run, cJSON *values)
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
	return 0;
}

/* The id once more; in a dry run it is null. */
static int add_id(struct step_run *run)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(run->output, "id");
	cJSON *copy = value__copy(id);

	if (copy && cJSON_AddItemToObject(run->output, "fragment_id", copy))
		return 0;
	cJSON_Delete(copy);
	return rows__no_memory(run);
}

static int run(struct step_run *run)
{
	const struct store_table *table = store__table(step_run__store(run), "fragments");
	cJSON *values = cJSON_CreateObject();
	int err;

	if (!values)
		return error__set(run->err, -ENOMEM, "out of memory");
	err = collect(run, values);
	if (!err)
		err = rows__create(run, table, values, &run->output);
	cJSON_Delete(values);
	return err ? err : add_id(run);
}

const struct step_type step_fragment_create = {
	.name = "fragment.create",
	.event_name = "FragmentCreateStep",
	.keys = keys,
	.run = run,
};
