// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/step_run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runner/template/template.h"
#include "runner/value/foreign_text.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

void step_run__free(struct step_run *run)
{
	cJSON_Delete(run->output);
	free(run->changes);
	run->output = NULL;
	run->changes = NULL;
}

bool step_run__is_dry(const struct step_run *run)
{
	return run->execution->settings->dry_run;
}

struct store *step_run__store(const struct step_run *run)
{
	return run->execution->settings->store;
}

int step_run__lock(struct step_run *run)
{
	int err;

	if (step_run__is_dry(run) || run->is_locked)
		return 0;
	err = store__begin(step_run__store(run), run->err);
	run->is_locked = !err;
	return err;
}

/* ------------------------------------------------------------------ parameters */

struct scope step_run__scope(const struct step_run *run, const struct scope_name *names,
			     size_t count)
{
	return (struct scope){.root = run->execution->context.root,
			      .names = names,
			      .name_count = count,
			      .deadline = &run->execution->deadline};
}

static int render(struct step_run *run, const char *key, cJSON **value,
		  int (*how)(const struct param *param, const struct scope *scope, cJSON **value,
			     struct error *err))
{
	const struct param *param = param__child(&run->step->params, key);
	const struct scope scope = step_run__scope(run, NULL, 0);
	int err;

	*value = NULL;
	err = how(param, &scope, value, run->err);
	return err ? error__prefix(run->err, err, "%s", key) : 0;
}

int step_run__value(struct step_run *run, const char *key, cJSON **value)
{
	return render(run, key, value, param__render);
}

int step_run__trimmed(struct step_run *run, const char *key, cJSON **value)
{
	return render(run, key, value, param__render_trimmed);
}

int step_run__text(struct step_run *run, const char *key, char **text)
{
	cJSON *value;
	int err = step_run__value(run, key, &value);

	*text = NULL;
	if (err || !value || cJSON_IsNull(value)) {
		cJSON_Delete(value);
		return err;
	}
	*text = value__text(value);
	cJSON_Delete(value);
	if (!*text)
		return error__set(run->err, -ENOMEM, "out of memory");
	if (!**text) {
		free(*text);
		*text = NULL;
	}
	return 0;
}

cJSON *step_value__parsed(cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);
	cJSON *parsed = text ? foreign_json__whole(text) : NULL;

	if (!parsed)
		return value;
	cJSON_Delete(value);
	return parsed;
}

cJSON *step_value__list(cJSON *value)
{
	const cJSON *rows;
	cJSON *list;

	value = value ? step_value__parsed(value) : NULL;
	if (cJSON_IsArray(value))
		return value;
	rows = cJSON_GetObjectItemCaseSensitive(value, "results");
	list = cJSON_IsArray(rows) ? cJSON_Duplicate(rows, 1) : cJSON_CreateArray();
	if (list && value && !cJSON_IsArray(rows) && !cJSON_IsNull(value) &&
	    !(cJSON_IsString(value) && !*value->valuestring))
		cJSON_AddItemToArray(list, value);
	else
		cJSON_Delete(value);
	return list;
}

int step_run__map(struct step_run *run, const char *key, cJSON **map)
{
	int err = step_run__value(run, key, map);

	if (err || !*map)
		return err;
	*map = step_value__parsed(*map);
	if (cJSON_IsObject(*map))
		return 0;
	cJSON_Delete(*map);
	*map = NULL;
	return error__set(run->err, -EINVAL, "'%s' must be a map", key);
}

int step_value__id(const cJSON *value, int64_t *id)
{
	return integer__of_any(value, id) && *id >= 1 ? 0 : -EINVAL;
}

/* ------------------------------------------------------------------ rows */

int step_run__table(struct step_run *run, const struct store_table **table)
{
	char *model;
	int err = step_run__text(run, "model", &model);

	if (err)
		return err;
	*table = model ? store__table(step_run__store(run), model) : NULL;
	if (!model)
		err = error__set(run->err, -EINVAL, "'model' is missing: give the name of a table");
	else if (!*table)
		err = error__set(run->err, -EINVAL, "unknown model '%.64s'", model);
	free(model);
	return err;
}

static int add_id(struct step_run *run, struct store_query *query, const cJSON *id)
{
	int64_t number;

	if (step_value__id(id, &number) == 0)
		return store_query__add(query, "id", "=", id, NULL, run->err);
	if (!step_run__is_dry(run))
		return error__set(run->err, -EINVAL, "'id' is not the id of a row");
	/* In a dry run an earlier step did not create its row, so there is no id. Match no row. */
	return store_query__add(query, "id", "IS NULL", NULL, NULL, run->err);
}

/* NOT IN with an empty list would match all rows. */
static bool has_empty_list(const cJSON *conditions)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, conditions) {
		const cJSON *value = cJSON_IsArray(conditions)
					     ? cJSON_GetObjectItemCaseSensitive(entry, "value")
					     : entry;

		if (cJSON_IsArray(value) && !value->child)
			return true;
	}
	return false;
}

/* A text is no list, also where it looks like one: NOT IN with it would match all rows. */
static bool has_list_operator_without_list(const cJSON *conditions)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, conditions) {
		const char *name =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "operator"));
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, "value");

		if (name && (!strcasecmp(name, "in") || !strcasecmp(name, "not in")) &&
		    !cJSON_IsArray(value) && !cJSON_IsNull(value))
			return true;
	}
	return false;
}

static int add_conditions(struct step_run *run, struct store_query *query, const cJSON *conditions)
{
	if (has_list_operator_without_list(conditions))
		return error__set(run->err, -EINVAL,
				  "'conditions' needs a list as the value of IN and NOT IN");
	if (has_empty_list(conditions))
		return error__set(run->err, -EINVAL,
				  "'conditions' compares with an empty list: give at least one "
				  "value");
	if (!conditions->child)
		return error__set(run->err, -EINVAL,
				  "'conditions' is empty and would match all rows: give at least "
				  "one condition");
	return store_query__add_all(query, conditions, NULL, run->err);
}

int step_run__target(struct step_run *run, struct store_query *query, cJSON **kept)
{
	cJSON *id = NULL, *conditions = NULL;
	int err = step_run__value(run, "id", &id);

	*kept = NULL;
	if (!err)
		err = step_run__value(run, "conditions", &conditions);
	if (conditions)
		conditions = step_value__parsed(conditions);
	if (!err && !id && !conditions)
		err = error__set(run->err, -EINVAL, "'id' or 'conditions' is needed");
	if (!err && id)
		err = add_id(run, query, id);
	if (!err && conditions)
		err = add_conditions(run, query, conditions);
	*kept = cJSON_CreateArray();
	if (!*kept) {
		cJSON_Delete(id);
		cJSON_Delete(conditions);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	cJSON_AddItemToArray(*kept, id);
	cJSON_AddItemToArray(*kept, conditions);
	return err;
}

int step_run__stamp(struct step_run *run, const struct store_table *table, cJSON *values,
		    const char *column)
{
	if (!store_table__column(table, column) ||
	    cJSON_GetObjectItemCaseSensitive(values, column) ||
	    cJSON_AddStringToObject(values, column, run->execution->context.now))
		return 0;
	return error__set(run->err, -ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ what the tracer sees */

void step_run__set_fragment(struct step_run *run, int64_t id)
{
	run->span->fragment_id = id;
	run->span->has_fragment_id = 1;
}

/* Only the tracer needs the changes. So they are not collected while no tracer is attached, and
 * running out of memory here does not fail the step. */
void step_run__changed(struct step_run *run, const struct store_table *table, int64_t id,
		       enum steptrace_operation operation)
{
	struct fragment_change *longer;

	if (!steptrace_enabled() || strcmp(table->name, "fragments") != 0)
		return;
	longer = realloc(run->changes, (run->change_count + 1) * sizeof(*longer));
	if (!longer)
		return;
	run->changes = longer;
	run->changes[run->change_count++] = (struct fragment_change){id, operation};
}

void step_run__tell_changes(struct step_run *run)
{
	for (size_t i = 0; i < run->change_count; i++)
		steptrace_fragment_changed(run->span, run->changes[i].id,
					   run->changes[i].operation);
}
