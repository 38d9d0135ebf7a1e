// SPDX-License-Identifier: BSD-2-Clause
/* notify: sets keys of the response. If several steps set the same key, the last one counts. */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/steps/response.h"

static const char *const keys[] = {"message", "level", "panel_data", "response_data", NULL};

static int run(struct step_run *run)
{
	int err = response__collect(run, keys);

	if (err)
		return err;
	if (!cJSON_GetObjectItemCaseSensitive(run->output, "message"))
		return error__set(run->err, -EINVAL, "'message' is missing");
	if (!cJSON_GetObjectItemCaseSensitive(run->output, "level") &&
	    !cJSON_AddStringToObject(run->output, "level", "info"))
		return error__set(run->err, -ENOMEM, "out of memory");
	return response__set(run);
}

const struct step_type step_notify = {
	.name = "notify",
	.event_name = "NotifyStep",
	.keys = keys,
	.run = run,
};
