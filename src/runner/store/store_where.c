// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store_where.h"

#include <errno.h>
#include <string.h>

void store_where__begin(struct store_where *where, const struct store_table *table,
			struct error *err)
{
	store_query__init(&where->query, table);
	where->count = 0;
	where->joint = NULL;
	where->code = 0;
	where->err = err;
}

static bool has_room(struct store_where *where)
{
	if (!where->code && where->count == STORE_WHERE_MAX)
		where->code = error__set(where->err, -E2BIG, "too many conditions");
	return !where->code;
}

static void add(struct store_where *where, const char *field, const char *operator,
		const cJSON * value)
{
	where->code =
		store_query__add(&where->query, field, operator, value, where->joint, where->err);
	where->joint = NULL;
	where->count++;
}

void store_where__text(struct store_where *where, const char *field, const char *operator,
		       const char * text)
{
	cJSON *value = &where->texts[where->count];

	if (!has_room(where))
		return;
	*value = (cJSON){.type = cJSON_String, .valuestring = (char *)(uintptr_t)text};
	add(where, field, operator, value);
}

void store_where__number(struct store_where *where, const char *field, const char *operator,
			 int64_t number)
{
	if (has_room(where))
		add(where, field, operator, integer__fill(&where->numbers[where->count], number));
}

void store_where__in(struct store_where *where, const char *field, const cJSON *list)
{
	if (has_room(where))
		add(where, field, "IN", list);
}

/* AND binds tighter than OR, so the status comes twice. */
void store_where__timeless(struct store_where *where, const char *status, const char *field)
{
	store_where__text(where, "status", "=", status);
	store_where__text(where, field, "NOT LIKE", "____-__-__T__:__:__%Z");
	where->joint = "or";
	store_where__text(where, "status", "=", status);
	if (has_room(where))
		add(where, field, "IS NULL", NULL);
}

void store_where__order(struct store_where *where, const char *order)
{
	cJSON value = {.type = cJSON_String, .valuestring = (char *)(uintptr_t)order};

	if (!where->code)
		where->code = store_query__set_order(&where->query, &value, where->err);
}

int store_where__all(struct store_where *where, struct store *store, int64_t limit, cJSON **rows)
{
	int code = where->code;

	*rows = NULL;
	where->query.limit = limit;
	if (!code)
		code = store__select(store, &where->query, rows, where->err);
	store_query__free(&where->query);
	return code;
}

int store_where__first(struct store_where *where, struct store *store, cJSON **row)
{
	cJSON *rows;
	int code = store_where__all(where, store, 1, &rows);

	*row = cJSON_DetachItemFromArray(rows, 0);
	cJSON_Delete(rows);
	return code;
}

int store_where__count(struct store_where *where, struct store *store, int64_t *count)
{
	int code = where->code;

	*count = 0;
	if (!code)
		code = store__count(store, &where->query, count, where->err);
	store_query__free(&where->query);
	return code;
}

int store_where__update(struct store_where *where, struct store *store, cJSON *values,
			int64_t *changed)
{
	int64_t count = 0;
	int code = where->code;

	if (!code && !values)
		code = error__set(where->err, -ENOMEM, "out of memory");
	if (!code)
		code = store__update(store, &where->query, values, &count, where->err);
	if (changed)
		*changed = count;
	store_query__free(&where->query);
	cJSON_Delete(values);
	return code;
}
