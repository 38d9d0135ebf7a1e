// SPDX-License-Identifier: BSD-2-Clause
/*
 * context.merge: one map made of several. Later ones win.
 *
 *	sources: ["{{ ctx }}", "{{ steps.find.output.0 }}"]	maps; null is passed over
 *	data: {reviewed: true}					the last one
 *	deep: true			maps in maps are merged as well; default: false
 */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/value/value.h"

/* A map is a linked list, so many keys take long. */
static int merge(struct step_run *run, cJSON *into, const cJSON *from, bool is_deep)
{
	const cJSON *value;
	int err;

	cJSON_ArrayForEach (value, from) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(into, value->string), *copy;

		if (is_deep && cJSON_IsObject(old) && cJSON_IsObject(value)) {
			err = merge(run, old, value, true);
			if (err)
				return err;
			continue;
		}
		err = deadline__check(&run->execution->deadline, run->err);
		if (err)
			return err;
		copy = value__copy(value);
		cJSON_DeleteItemFromObjectCaseSensitive(into, value->string);
		if (!copy || !cJSON_AddItemToObject(into, value->string, copy)) {
			cJSON_Delete(copy);
			return error__set(run->err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int add(struct step_run *run, const cJSON *map, bool is_deep)
{
	if (!map || cJSON_IsNull(map))
		return 0;
	if (!cJSON_IsObject(map))
		return error__set(run->err, -EINVAL, "'sources' must be a list of maps");
	return merge(run, run->output, map, is_deep);
}

static int add_all(struct step_run *run, const cJSON *sources, const cJSON *data, bool is_deep)
{
	const cJSON *source = cJSON_IsArray(sources) ? sources->child : sources;
	int err = 0;

	run->output = cJSON_CreateObject();
	if (!run->output)
		return error__set(run->err, -ENOMEM, "out of memory");
	for (; source && !err; source = source->next)
		err = add(run, source, is_deep);
	return err ? err : add(run, data, is_deep);
}

static int run(struct step_run *run)
{
	cJSON *sources = NULL, *data = NULL, *deep = NULL;
	int err = step_run__value(run, "sources", &sources);

	if (!err)
		err = step_run__map(run, "data", &data);
	if (!err)
		err = step_run__value(run, "deep", &deep);
	if (sources)
		sources = step_value__parsed(sources);
	if (!err && !sources && !data)
		err = error__set(run->err, -EINVAL, "'sources' or 'data' is needed");
	if (!err)
		err = add_all(run, sources, data, value__is_true(deep));
	cJSON_Delete(sources);
	cJSON_Delete(data);
	cJSON_Delete(deep);
	return err;
}

static const char *const keys[] = {"sources", "data", "deep", NULL};

const struct step_type step_context_merge = {
	.name = "context.merge",
	.event_name = "ContextMergeStep",
	.keys = keys,
	.run = run,
};
