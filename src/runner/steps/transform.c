// SPDX-License-Identifier: BSD-2-Clause
/* transform: renders a template. With `output: json` the resulting text is parsed as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

static cJSON *trimmed(cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);
	size_t length;
	char *copy;

	if (!text)
		return value;
	text = value__trimmed(text, &length);
	copy = strndup(text, length);
	cJSON_Delete(value);
	value = copy ? cJSON_CreateString(copy) : NULL;
	free(copy);
	return value;
}

static int parse(struct step_run *run)
{
	const char *text = cJSON_GetStringValue(run->output);
	cJSON *parsed;

	if (!text)
		return 0;
	parsed = foreign_json__whole(text);
	if (!parsed)
		return error__set(run->err, -EINVAL,
				  "the result is not JSON ('output: json' needs it)");
	cJSON_Delete(run->output);
	run->output = parsed;
	return 0;
}

static int run(struct step_run *run)
{
	char *wanted;
	int err = step_run__trimmed(run, "template", &run->output);

	if (err)
		return err;
	if (!run->output)
		return error__set(run->err, -EINVAL, "'template' is missing");
	run->output = trimmed(run->output);
	if (!run->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	err = step_run__text(run, "output", &wanted);
	if (!err && wanted && strcmp(wanted, "json") == 0)
		err = parse(run);
	else if (!err && wanted && strcmp(wanted, "text") != 0)
		err = error__set(run->err, -EINVAL, "'output' must be text or json, not '%.32s'",
				 wanted);
	free(wanted);
	return err;
}

static const char *const keys[] = {"template", "output", NULL};

const struct step_type step_transform = {
	.name = "transform",
	.event_name = "TransformStep",
	.keys = keys,
	.run = run,
};
