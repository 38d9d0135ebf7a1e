// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/step_truth.h"

#include "runner/value/value.h"

int step_run__evaluate(struct step_run *run, const char *expression, const struct scope *scope,
		       cJSON **value)
{
	struct template *template = NULL;
	int err = template__parse_expression(expression, &template, run->err);

	*value = NULL;
	if (!err)
		err = template__render(template, scope, value, run->err);
	template__free(template);
	return err;
}

/* In a literal block of YAML, a line break follows the rendered value. */
static bool is_true(const cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);
	size_t length;

	if (!text)
		return value__is_true(value);
	text = value__trimmed(text, &length);
	return length > 1 || (length == 1 && *text != '0');
}

int step_run__truth(struct step_run *run, const struct param *param, const struct scope *scope,
		    bool *truth)
{
	cJSON *value;
	int err;

	if (cJSON_IsString(param->node) && !param->has_templates && *param->node->valuestring)
		err = step_run__evaluate(run, param->node->valuestring, scope, &value);
	else
		err = param__render(param, scope, &value, run->err);
	if (err)
		return err;
	*truth = is_true(value);
	cJSON_Delete(value);
	return 0;
}
