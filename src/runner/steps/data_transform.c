// SPDX-License-Identifier: BSD-2-Clause
/*
 * data.transform: changes the keys of a map, or of each map of a list.
 *
 *	input: "{{ steps.find.output.results }}"
 *	pick: [id, title, state]		only these keys
 *	omit: [state]				not these
 *	rename: {title: name}			from old to new
 *	defaults: {status: open}		for keys that are missing or null
 *
 * They are done in this order. The result is a map or a list, as the input is. The result of a
 * query counts as the list of its rows.
 */
#include <errno.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/value/value.h"

struct changes {
	cJSON *pick, *omit, *rename, *defaults; /* owned; NULL: none */
};

static bool has_name(const cJSON *names, const char *name)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, names) {
		if (cJSON_IsString(each) && strcmp(each->valuestring, name) == 0)
			return true;
	}
	return false;
}

static const char *new_name(const struct changes *changes, const char *name)
{
	const char *renamed =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(changes->rename, name));

	return renamed ? renamed : name;
}

/* Replaces a member of that name. */
static bool put(cJSON *map, const char *name, const cJSON *value)
{
	cJSON *copy = value__copy(value);

	cJSON_DeleteItemFromObjectCaseSensitive(map, name);
	if (copy && cJSON_AddItemToObject(map, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static bool add_defaults(cJSON *map, const cJSON *defaults)
{
	const cJSON *value;

	cJSON_ArrayForEach (value, defaults) {
		const cJSON *old = cJSON_GetObjectItemCaseSensitive(map, value->string);

		if ((!old || cJSON_IsNull(old)) && !put(map, value->string, value))
			return false;
	}
	return true;
}

/* A map is a linked list, so many keys take long. */
static int change(struct step_run *run, const struct changes *changes, const cJSON *map,
		  cJSON **changed)
{
	cJSON *result = cJSON_CreateObject();
	bool done = result != NULL;
	const cJSON *value;
	int err = 0;

	cJSON_ArrayForEach (value, map) {
		if ((changes->pick && !has_name(changes->pick, value->string)) ||
		    has_name(changes->omit, value->string))
			continue;
		if (!err)
			err = deadline__check(&run->execution->deadline, run->err);
		done = done && !err && put(result, new_name(changes, value->string), value);
	}
	*changed = result;
	if (done && add_defaults(result, changes->defaults))
		return 0;
	cJSON_Delete(result);
	*changed = NULL;
	return err ? err : error__set(run->err, -ENOMEM, "out of memory");
}

static int not_a_map(struct step_run *run)
{
	return error__set(run->err, -EINVAL, "'input' must be a map or a list of maps");
}

static int change_list(struct step_run *run, const struct changes *changes, const cJSON *list)
{
	const cJSON *item;
	cJSON *result;
	int err;

	run->output = cJSON_CreateArray();
	if (!run->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsObject(item))
			return not_a_map(run);
		err = change(run, changes, item, &result);
		if (err)
			return err;
		cJSON_AddItemToArray(run->output, result);
	}
	return 0;
}

static int change_all(struct step_run *run, const struct changes *changes, const cJSON *input)
{
	const cJSON *list = value__list(input);

	if (list)
		return change_list(run, changes, list);
	if (!cJSON_IsObject(input))
		return not_a_map(run);
	return change(run, changes, input, &run->output);
}

static int read_names(struct step_run *run, const char *key, cJSON **names)
{
	int err = step_run__value(run, key, names);

	if (err || !*names)
		return err;
	*names = step_value__parsed(*names);
	return cJSON_IsArray(*names)
		       ? 0
		       : error__set(run->err, -EINVAL, "'%s' must be a list of keys", key);
}

static int read_changes(struct step_run *run, struct changes *changes)
{
	int err = read_names(run, "pick", &changes->pick);

	if (!err)
		err = read_names(run, "omit", &changes->omit);
	if (!err)
		err = step_run__map(run, "rename", &changes->rename);
	return err ? err : step_run__map(run, "defaults", &changes->defaults);
}

static int run(struct step_run *run)
{
	struct changes changes = {0};
	cJSON *input = NULL;
	int err = step_run__value(run, "input", &input);

	if (!err && !input)
		err = error__set(run->err, -EINVAL, "'input' is missing");
	if (!err)
		err = read_changes(run, &changes);
	if (input)
		input = step_value__parsed(input);
	if (!err)
		err = change_all(run, &changes, input);
	cJSON_Delete(input);
	cJSON_Delete(changes.pick);
	cJSON_Delete(changes.omit);
	cJSON_Delete(changes.rename);
	cJSON_Delete(changes.defaults);
	return err;
}

static const char *const keys[] = {"input", "pick", "omit", "rename", "defaults", NULL};

const struct step_type step_data_transform = {
	.name = "data.transform",
	.event_name = "DataTransformStep",
	.keys = keys,
	.run = run,
};
