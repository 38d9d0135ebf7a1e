// SPDX-License-Identifier: BSD-2-Clause
/* notify: sets keys of the response. If several notify steps set the same key, the last one
 * counts. */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"

static const char *const keys[] = {"message", "level", "panel_data", "response_data", NULL};

static bool put(cJSON *object, const char *key, const cJSON *value)
{
	cJSON *copy = cJSON_Duplicate(value, 1);

	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	if (copy && cJSON_AddItemToObject(object, key, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static int add_key(struct step_run *run, const char *key)
{
	cJSON *value;
	int err = step_run__value(run, key, &value);

	if (err || !value)
		return err;
	if (!cJSON_AddItemToObject(run->output, key, value)) {
		cJSON_Delete(value);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int run(struct step_run *run)
{
	const cJSON *value;
	int err = 0;

	run->output = cJSON_CreateObject();
	for (size_t i = 0; run->output && !err && keys[i]; i++)
		err = add_key(run, keys[i]);
	if (err)
		return err;
	if (!cJSON_GetObjectItemCaseSensitive(run->output, "message"))
		return error__set(run->err, -EINVAL, "'message' is missing");
	if (!cJSON_GetObjectItemCaseSensitive(run->output, "level") &&
	    !cJSON_AddStringToObject(run->output, "level", "info"))
		return error__set(run->err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach (value, run->output) {
		if (!put(run->execution->response, value->string, value))
			return error__set(run->err, -ENOMEM, "out of memory");
	}
	return 0;
}

const struct step_type step_notify = {
	.name = "notify",
	.event_name = "NotifyStep",
	.keys = keys,
	.run = run,
};
