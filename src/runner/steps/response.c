// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/response.h"

#include <errno.h>

#include "runner/value/value.h"

static int no_memory(struct step_run *run)
{
	return error__set(run->err, -ENOMEM, "out of memory");
}

static int add_key(struct step_run *run, const char *key)
{
	cJSON *value;
	int err = step_run__value(run, key, &value);

	if (err || !value)
		return err;
	if (cJSON_AddItemToObject(run->output, key, value))
		return 0;
	cJSON_Delete(value);
	return no_memory(run);
}

int response__collect(struct step_run *run, const char *const *keys)
{
	int err = 0;

	run->output = cJSON_CreateObject();
	if (!run->output)
		return no_memory(run);
	for (size_t i = 0; !err && keys[i]; i++)
		err = add_key(run, keys[i]);
	return err;
}

int response__set(struct step_run *run)
{
	cJSON *response = run->execution->response;
	const cJSON *value;

	cJSON_ArrayForEach (value, run->output) {
		cJSON *copy = value__copy(value);

		cJSON_DeleteItemFromObjectCaseSensitive(response, value->string);
		if (!copy || !cJSON_AddItemToObject(response, value->string, copy)) {
			cJSON_Delete(copy);
			return no_memory(run);
		}
	}
	return 0;
}
