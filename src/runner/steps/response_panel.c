// SPDX-License-Identifier: BSD-2-Clause
/* response.panel: sets keys of the response, for a panel of the application: its `type`, `message`
 * and `panel_data`. If several steps set the same key, the last one counts. */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/steps/response.h"

/* Both spellings are in use. */
static const char *const keys[] = {"type",
				   "message",
				   "panel_data",
				   "shouldOpenPanel",
				   "should_open_panel",
				   "should_show_error_toast",
				   "should_show_success_toast",
				   NULL};

static int run(struct step_run *run)
{
	int err = response__collect(run, keys);

	if (!err && !cJSON_GetObjectItemCaseSensitive(run->output, "type"))
		err = error__set(run->err, -EINVAL, "'type' is missing: name the panel");
	return err ? err : response__set(run);
}

const struct step_type step_response_panel = {
	.name = "response.panel",
	.event_name = "ResponsePanelStep",
	.keys = keys,
	.run = run,
};
