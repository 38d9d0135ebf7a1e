// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/list_transforms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner/template/template.h"

/* One of the two: a filter of the pack, or a text that a template has made. */
struct list_transform {
	const struct param *param; /* borrowed from the step */
	char *made;                /* owned; the expression */
	struct template *template; /* owned; of `made`, when it was used */
};

/* ------------------------------------------------------------------ reading */

static int no_memory(struct step_run *run)
{
	return error__set(run->err, -ENOMEM, "out of memory");
}

static struct list_transform *add(struct list_transforms *transforms)
{
	struct list_transform *longer =
		realloc(transforms->items, (transforms->count + 1) * sizeof(*longer));

	if (!longer)
		return NULL;
	transforms->items = longer;
	longer[transforms->count] = (struct list_transform){.param = NULL};
	return &longer[transforms->count++];
}

static int add_param(struct list_transforms *transforms, struct step_run *run,
		     const struct param *param)
{
	struct list_transform *transform = add(transforms);

	if (!transform)
		return no_memory(run);
	transform->param = param;
	return 0;
}

static int add_made(struct list_transforms *transforms, struct step_run *run, const cJSON *text)
{
	struct list_transform *transform;

	if (!cJSON_IsString(text))
		return error__set(run->err, -EINVAL, "'transforms' must be a list of filters");
	transform = add(transforms);
	if (!transform)
		return no_memory(run);
	if (asprintf(&transform->made, PARAM_FILTER_INPUT "%s", text->valuestring) >= 0)
		return 0;
	transform->made = NULL;
	return no_memory(run);
}

static int render(struct step_run *run, const struct param *param, cJSON **value)
{
	const struct scope scope = step_run__scope(run, NULL, 0);
	int err = param__render(param, &scope, value, run->err);

	return err ? error__prefix(run->err, err, "transforms") : 0;
}

static int add_item(struct list_transforms *transforms, struct step_run *run,
		    const struct param *param)
{
	cJSON *text;
	int err;

	if (param->syntax == PARAM_FILTER)
		return add_param(transforms, run, param);
	err = render(run, param, &text);
	if (!err)
		err = add_made(transforms, run, text);
	cJSON_Delete(text);
	return err;
}

/* A list that one template has made, or that is written as JSON. */
static int add_all(struct list_transforms *transforms, struct step_run *run,
		   const struct param *param)
{
	cJSON *list, *value;
	const cJSON *text;
	int err = render(run, param, &value);

	if (err)
		return err;
	list = step_value__list(value);
	if (!list)
		return no_memory(run);
	cJSON_ArrayForEach (text, list) {
		if (!err)
			err = add_made(transforms, run, text);
	}
	cJSON_Delete(list);
	return err;
}

int list_transforms__read(struct list_transforms *transforms, struct step_run *run)
{
	const struct param *param = param__child(&run->step->params, "transforms");
	int err = 0;

	if (!param)
		return 0;
	if (param->syntax == PARAM_FILTER)
		return add_param(transforms, run, param);
	if (!cJSON_IsArray(param->node))
		return add_all(transforms, run, param);
	for (size_t i = 0; !err && i < param->child_count; i++)
		err = add_item(transforms, run, &param->children[i]);
	return err;
}

void list_transforms__free(struct list_transforms *transforms)
{
	for (size_t i = 0; i < transforms->count; i++) {
		template__free(transforms->items[i].template);
		free(transforms->items[i].made);
	}
	free(transforms->items);
	*transforms = (struct list_transforms){.count = 0};
}

/* ------------------------------------------------------------------ applying */

static int evaluate(struct list_transform *transform, const struct scope *scope, cJSON **result,
		    struct error *err)
{
	int code = 0;

	*result = NULL;
	if (transform->param)
		return param__render(transform->param, scope, result, err);
	if (!transform->template)
		code = template__parse_expression(transform->made, &transform->template, err);
	return code ? code : template__render(transform->template, scope, result, err);
}

static int apply(struct list_transform *transform, struct step_run *run, cJSON **value)
{
	const struct scope_name names[] = {{"item", *value}};
	const struct scope scope = step_run__scope(run, names, 1);
	cJSON *result;
	int err = evaluate(transform, &scope, &result, run->err);

	if (err)
		return error__prefix(run->err, err, "transforms");
	cJSON_Delete(*value);
	*value = result;
	return 0;
}

int list_transforms__apply(struct list_transforms *transforms, struct step_run *run, cJSON **value)
{
	int err = 0;

	for (size_t i = 0; !err && i < transforms->count; i++)
		err = apply(&transforms->items[i], run, value);
	return err;
}
