// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The value of a key; text that is JSON is parsed. Null and "" are no value. */
static int read_value(struct step_run *run, const char *key, cJSON **value)
{
	int err = step_run__trimmed(run, key, value);

	if (err || !*value)
		return err;
	*value = step_value__parsed(*value);
	if (cJSON_IsNull(*value) || (cJSON_IsString(*value) && !*(*value)->valuestring)) {
		cJSON_Delete(*value);
		*value = NULL;
	}
	return 0;
}

static int read_all(struct selection *selection, struct step_run *run)
{
	const struct {
		const char *key;
		cJSON **value;
	} values[] = {
		{"conditions", &selection->conditions}, {"filters", &selection->filters},
		{"order", &selection->order},           {"limit", &selection->limit},
		{"offset", &selection->offset},
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && !err; i++)
		err = read_value(run, values[i].key, values[i].value);
	if (!err)
		err = step_run__text(run, "boolean", &selection->boolean);
	if (!err)
		err = step_run__text(run, "search", &selection->search);
	if (!err && selection->filters && !cJSON_IsObject(selection->filters))
		err = error__set(run->err, -EINVAL, "'filters' must be a map");
	if (!err && selection->boolean && strcasecmp(selection->boolean, "or") != 0 &&
	    strcasecmp(selection->boolean, "and") != 0)
		err = error__set(run->err, -EINVAL, "'boolean' must be and or or");
	return err;
}

static int add_search(struct step_run *run, struct store_query *query, const char *text)
{
	static const char *const searched[] = {"title", "name", "message", "description"};
	const char *columns[5];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(searched) / sizeof(searched[0]); i++)
		if (store_table__column(query->table, searched[i]))
			columns[count++] = searched[i];
	columns[count] = NULL;
	if (count == 0)
		return error__set(run->err, -EINVAL, "model '%s' has no text to search in",
				  query->table->name);
	return store_query__add_search(query, columns, text, run->err);
}

static int fill(const struct selection *selection, struct step_run *run, struct store_query *query,
		const char *default_order)
{
	const cJSON usual = {.type = default_order ? cJSON_String : cJSON_NULL,
			     .valuestring = (char *)default_order};
	int err = 0;

	if (selection->conditions)
		err = store_query__add_all(query, selection->conditions, selection->boolean,
					   run->err);
	if (!err && selection->filters)
		err = store_query__add_all(query, selection->filters, selection->boolean, run->err);
	if (!err && selection->search)
		err = add_search(run, query, selection->search);
	if (!err)
		err = store_query__set_order(query, selection->order ? selection->order : &usual,
					     run->err);
	return err ? err
		   : store_query__set_limit(query, selection->limit, selection->offset, run->err);
}

int selection__read(struct selection *selection, struct step_run *run, struct store_query *query,
		    const char *default_order)
{
	int err = read_all(selection, run);

	return err ? err : fill(selection, run, query, default_order);
}

void selection__free(struct selection *selection)
{
	cJSON_Delete(selection->conditions);
	cJSON_Delete(selection->filters);
	cJSON_Delete(selection->order);
	cJSON_Delete(selection->limit);
	cJSON_Delete(selection->offset);
	free(selection->boolean);
	free(selection->search);
}
