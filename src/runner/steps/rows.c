// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner/store/store_relations.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

/* RELATED_MAX: related rows of one row. DEPTH_MAX: names in a path. */
enum { RELATED_MAX = 1000, DEPTH_MAX = 4 };

int rows__no_memory(struct step_run *run)
{
	return error__set(run->err, -ENOMEM, "out of memory");
}

int64_t rows__id(const cJSON *row)
{
	int64_t id;

	integer__of(cJSON_GetObjectItemCaseSensitive(row, "id"), &id);
	return id;
}

/* ---- writing */

int rows__check_data(struct step_run *run, const struct store_table *table, const cJSON *data)
{
	const cJSON *value;

	if (!data || !data->child)
		return error__set(run->err, -EINVAL, "'data' is missing or empty");
	cJSON_ArrayForEach (value, data) {
		if (!strcmp(value->string, "id") || !strcmp(value->string, "deleted_at"))
			return error__set(run->err, -EINVAL, "'%s' cannot be set%s", value->string,
					  *value->string == 'd' ? ": use model.delete" : "");
		if (!store_table__column(table, value->string))
			return error__set(run->err, -EINVAL, "model '%s' has no column '%.64s'",
					  table->name, value->string);
	}
	return 0;
}

cJSON *rows__pretended(const struct store_table *table, const cJSON *row, const cJSON *values)
{
	cJSON *result = cJSON_CreateObject();

	for (size_t i = 0; result && i < table->column_count; i++) {
		const char *name = table->columns[i].name;
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(values, name);
		cJSON *copy;

		if (!value)
			value = cJSON_GetObjectItemCaseSensitive(row, name);
		copy = value__copy(value);
		if (!copy || !cJSON_AddItemToObject(result, name, copy)) {
			cJSON_Delete(copy);
			cJSON_Delete(result);
			return NULL;
		}
	}
	return result;
}

static int insert(struct step_run *run, const struct store_table *table, const cJSON *values,
		  cJSON **row)
{
	int64_t id;
	int err = step_run__lock(run);

	if (!err)
		err = store__insert(step_run__store(run), table, values, &id, run->err);
	if (!err)
		err = store__get(step_run__store(run), table, id, row, run->err);
	if (err)
		return err;
	run->span->mutations_count = 1;
	if (strcmp(table->name, "fragments") == 0)
		step_run__set_fragment(run, id);
	step_run__changed(run, table, id, STEPTRACE_CREATED);
	return 0;
}

int rows__create(struct step_run *run, const struct store_table *table, cJSON *values, cJSON **row)
{
	int err = step_run__stamp(run, table, values, "created_at");

	*row = NULL;
	if (!err)
		err = step_run__stamp(run, table, values, "updated_at");
	if (err)
		return err;
	if (!step_run__is_dry(run))
		return insert(run, table, values, row);
	*row = rows__pretended(table, NULL, values);
	return *row ? 0 : rows__no_memory(run);
}

/* ---- relations */

static int related_rows(struct step_run *run, const struct store_relation *relation,
			const cJSON *row, cJSON **rows)
{
	struct store *store = step_run__store(run);
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(row, relation->key);
	struct store_query query;
	int err;

	store_query__init(&query, store__table(store, relation->to));
	query.limit = relation->has_many ? RELATED_MAX : 1;
	err = store_query__add(&query, relation->to_key, "=", key, NULL, run->err);
	if (!err)
		err = store__select(store, &query, rows, run->err);
	store_query__free(&query);
	return err;
}

static int add_related(struct step_run *run, const struct store_table *table, cJSON *rows,
		       const char *path);

/* To one row: a list, or the one row, or null. `rest` is the path from there on, or NULL. */
static int add_to_row(struct step_run *run, const struct store_table *from,
		      const struct store_relation *relation, cJSON *row, const char *name,
		      const char *rest)
{
	const struct store_table *to = store__table(step_run__store(run), relation->to);
	cJSON *rows = NULL, *one;
	int err = related_rows(run, relation, row, &rows);

	if (!err && rest)
		err = add_related(run, to, rows, rest);
	if (err) {
		cJSON_Delete(rows);
		return err;
	}
	one = rows;
	if (!relation->has_many) {
		one = cJSON_DetachItemFromArray(rows, 0);
		cJSON_Delete(rows);
	}
	if (!one && store_table__column(from, name))
		return 0; /* the column says what no row says */
	if (!one)
		one = cJSON_CreateNull();
	cJSON_DeleteItemFromObjectCaseSensitive(row, name);
	if (one && cJSON_AddItemToObject(row, name, one))
		return 0;
	cJSON_Delete(one);
	return rows__no_memory(run);
}

/* `path` is "assignments" or "assignments.agent". */
static int add_related(struct step_run *run, const struct store_table *table, cJSON *rows,
		       const char *path)
{
	const struct store_relation *relation;
	const char *dot = strchr(path, '.');
	char name[64];
	cJSON *row;
	int err = 0;

	snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - path) : (int)strlen(path), path);
	relation = store_relation__find(table->name, name);
	if (!relation)
		return error__set(run->err, -EINVAL, "model '%s' has no relation '%s'", table->name,
				  name);
	cJSON_ArrayForEach (row, rows) {
		if (!err)
			err = deadline__check(&run->execution->deadline, run->err);
		if (!err)
			err = add_to_row(run, table, relation, row, name, dot ? dot + 1 : NULL);
	}
	return err;
}

static int add_path(struct step_run *run, const struct store_table *table, cJSON *rows,
		    const char *path)
{
	int dots = 0;

	for (const char *at = path; *at; at++)
		dots += *at == '.';
	if (dots >= DEPTH_MAX)
		return error__set(run->err, -E2BIG,
				  "a path in 'with_relations' has more than %d names", DEPTH_MAX);
	return add_related(run, table, rows, path);
}

int rows__add_relations(struct step_run *run, const struct store_table *table, cJSON *rows)
{
	cJSON *relations;
	const cJSON *path;
	int err = step_run__value(run, "with_relations", &relations);

	if (err || !relations)
		return err;
	relations = step_value__parsed(relations);
	path = cJSON_IsArray(relations) ? relations->child : relations;
	for (; !err && path; path = path->next)
		err = cJSON_IsString(path) ? add_path(run, table, rows, path->valuestring)
		      : cJSON_IsNull(path) ? 0
					   : error__set(run->err, -EINVAL,
							"'with_relations' must be a list of names");
	cJSON_Delete(relations);
	return err;
}

/* ---- answers */

int rows__answer(struct step_run *run, const struct store_table *table, cJSON *rows)
{
	int count = cJSON_GetArraySize(rows);

	run->output = cJSON_CreateObject();
	if (!run->output || !cJSON_AddItemToObject(run->output, "results", rows)) {
		cJSON_Delete(rows);
		return rows__no_memory(run);
	}
	if (strcmp(table->name, "fragments") == 0 &&
	    !cJSON_AddItemReferenceToObject(run->output, "fragments", rows))
		return rows__no_memory(run);
	return cJSON_AddNumberToObject(run->output, "count", count) ? 0 : rows__no_memory(run);
}
