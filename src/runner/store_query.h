/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rows: conditions, order and limit as packs write them, turned into SQL text with `?` and
 * a list of values to bind. Knows nothing of SQLite itself.
 *
 *	[{"field": "status", "operator": "=", "value": "open"},
 *	 {"field": "metadata->code", "operator": "like", "value": "BUG-%"}]
 *
 *	(status = ? AND json_extract(metadata, ?) LIKE ?) AND deleted_at IS NULL
 *
 * A dot or `->` in a field addresses the inside of a JSON column. A condition may say
 * "boolean": "or". Equality with null means IS NULL. Values are borrowed from the cJSON tree given,
 * which must outlive the query.
 */
#ifndef STEPTRACE_RUNNER_STORE_QUERY_H
#define STEPTRACE_RUNNER_STORE_QUERY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/store.h"

enum {
	STORE_BINDINGS_MAX = 512,
	STORE_LIMIT_DEFAULT = 100,
	STORE_LIMIT_MAX = 10000,
};

/* A value to bind: a node of a tree, or text of the query's own. */
struct store_binding {
	const cJSON *node;
	char *text; /* owned; used when node is NULL */
	enum store_kind kind;
};

struct store_query {
	const struct store_table *table;
	char *where; /* without the word; NULL: all */
	char *order; /* likewise */
	struct store_binding *bindings;
	size_t binding_count, binding_room;
	int64_t limit, offset;
	bool with_deleted; /* also rows that were soft-deleted */
};

void store_query__init(struct store_query *query, const struct store_table *table);
void store_query__free(struct store_query *query);

/* One more condition; `boolean` is "and", "or" or NULL. A NULL operator is equality. */
int store_query__add(struct store_query *query, const char *field, const char *operator,
		     const cJSON * value, const char *boolean, struct error *err);

/* Text found anywhere in one of the columns, a list of names ended by NULL. */
int store_query__add_search(struct store_query *query, const char *const columns[],
			    const char *text, struct error *err);

/* All conditions: a map (equality each) or a list of {field, operator, value, boolean}. */
int store_query__add_all(struct store_query *query, const cJSON *conditions, struct error *err);

/* "created_at desc", "latest", "oldest", {"field", "direction"}, or a list of those. */
int store_query__set_order(struct store_query *query, const cJSON *order, struct error *err);

/* 0..STORE_LIMIT_MAX; a null or missing one leaves the default. */
int store_query__set_limit(struct store_query *query, const cJSON *limit, const cJSON *offset,
			   struct error *err);

#endif
