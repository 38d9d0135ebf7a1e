// SPDX-License-Identifier: BSD-2-Clause
/*
 * list.map: renders a template for each item of a list.
 *
 *	input: "{{ steps.find.output.results }}"	a list, JSON text, or one scalar
 *	filter: "{{ item.pinned }}"			if false, the item is left out
 *	template: {title: "{{ item.title }}", at: "{{ index }}"}
 *	transforms: [trim, "truncate: 40"]		filters for every text of a result
 *	limit: 10					most items in the output
 *
 * The result:
 *
 *	{"output": [...], "input_count": 5, "output_count": 3, "filtered_count": 2}
 *
 * `index` is the position of the item in the input, from 0. `filtered_count` is the number of items
 * that the filter left out.
 */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/steps/list_transforms.h"
#include "runner/template/template.h"

struct mapping {
	cJSON *items;  /* the input, as a list */
	cJSON *output; /* the results */
	struct list_transforms transforms;
	const struct param *filter, *template;
	int64_t limit;
	int filtered_count;
};

static void free_mapping(struct mapping *mapping)
{
	cJSON_Delete(mapping->items);
	cJSON_Delete(mapping->output);
	list_transforms__free(&mapping->transforms);
}

/* ------------------------------------------------------------------ reading the step */

static int read_limit(struct step_run *run, struct mapping *mapping)
{
	cJSON *value;
	int err = step_run__value(run, "limit", &value);

	mapping->limit = INT64_MAX;
	if (!err && value && !cJSON_IsNull(value)) {
		value = step_value__parsed(value);
		if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0))
			err = error__set(run->err, -EINVAL, "'limit' must be a number, at least 0");
		else if (value->valuedouble < 1e9)
			mapping->limit = (int64_t)value->valuedouble;
	}
	cJSON_Delete(value);
	return err;
}

static int read_step(struct step_run *run, struct mapping *mapping)
{
	cJSON *input;
	int err = step_run__value(run, "input", &input);

	if (err)
		return err;
	if (!input)
		return error__set(run->err, -EINVAL, "'input' is missing: give a list");
	mapping->items = step_value__list(input);
	mapping->output = cJSON_CreateArray();
	if (!mapping->items || !mapping->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	mapping->filter = param__child(&run->step->params, "filter");
	mapping->template = param__child(&run->step->params, "template");
	err = read_limit(run, mapping);
	return err ? err : list_transforms__read(&mapping->transforms, run);
}

/* ------------------------------------------------------------------ items */

static int map_item(struct step_run *run, struct mapping *mapping, const cJSON *item,
		    const struct scope *scope)
{
	cJSON *value;
	int err = 0;

	if (mapping->template)
		err = param__render(mapping->template, scope, &value, run->err);
	else
		value = cJSON_Duplicate(item, 1);
	if (err)
		return error__prefix(run->err, err, "template");
	err = list_transforms__apply(&mapping->transforms, run, &value);
	if (!err && value && cJSON_AddItemToArray(mapping->output, value))
		return 0;
	cJSON_Delete(value);
	return err ? err : error__set(run->err, -ENOMEM, "out of memory");
}

static int take_item(struct step_run *run, struct mapping *mapping, const cJSON *item, int at)
{
	const cJSON index = {.type = cJSON_Number, .valuedouble = at, .valueint = at};
	const struct scope_name names[] = {{"item", item}, {"index", &index}};
	const struct scope scope = step_run__scope(run, names, 2);
	bool wanted = true;
	int err = 0;

	if (mapping->filter)
		err = param__truth(mapping->filter, &scope, &wanted, run->err);
	if (err)
		return error__prefix(run->err, err, "filter");
	if (wanted)
		return map_item(run, mapping, item, &scope);
	mapping->filtered_count++;
	return 0;
}

static int take_items(struct step_run *run, struct mapping *mapping)
{
	const cJSON *item;
	int64_t count = 0; /* results so far; cJSON would have to walk the list to count them */
	int at = 0, err = 0;

	cJSON_ArrayForEach (item, mapping->items) {
		int filtered = mapping->filtered_count;

		if (count >= mapping->limit)
			break;
		err = deadline__check(&run->execution->deadline, run->err);
		if (!err)
			err = take_item(run, mapping, item, at++);
		if (err)
			return err;
		count += mapping->filtered_count == filtered;
	}
	return 0;
}

static int answer(struct step_run *run, struct mapping *mapping)
{
	int in = cJSON_GetArraySize(mapping->items), out = cJSON_GetArraySize(mapping->output);

	run->output = cJSON_CreateObject();
	if (!run->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	cJSON_AddItemToObject(run->output, "output", mapping->output);
	mapping->output = NULL;
	cJSON_AddNumberToObject(run->output, "input_count", in);
	cJSON_AddNumberToObject(run->output, "output_count", out);
	cJSON_AddNumberToObject(run->output, "filtered_count", mapping->filtered_count);
	run->span->items_in = (uint32_t)in;
	run->span->items_out = (uint32_t)out;
	run->span->has_items = 1;
	return 0;
}

static int run(struct step_run *run)
{
	struct mapping mapping = {0};
	int err = read_step(run, &mapping);

	if (!err)
		err = take_items(run, &mapping);
	if (!err)
		err = answer(run, &mapping);
	free_mapping(&mapping);
	return err;
}

static const char *const keys[] = {"input", "filter", "template", "limit", "transforms", NULL};

const struct step_type step_list_map = {
	.name = "list.map",
	.event_name = "ListMapStep",
	.keys = keys,
	.expression_key = "filter",
	.filters_key = "transforms",
	.run = run,
};
