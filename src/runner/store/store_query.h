/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selects rows: turns conditions, order and limit, as packs write them, into SQL text with `?` and
 * a list of values to bind. It does not use SQLite. Example: these conditions
 *
 *	[{"field": "status", "operator": "=", "value": "open"},
 *	 {"field": "metadata->code", "operator": "like", "value": "BUG-%"}]
 *
 * become this SQL:
 *
 *	(status = ? AND json_extract(metadata, ?) LIKE ?) AND deleted_at IS NULL
 *
 * A dot or `->` in a field names a member inside a JSON column. Conditions are joined with AND; a
 * condition with "boolean": "or" is joined with OR. "=" with a list means IN, and "!=" NOT IN. A
 * condition whose value is null matches no row; IS NULL and IS NOT NULL have no value. Values are
 * borrowed from the given cJSON tree, which must outlive the query.
 *
 * Functions return 0, -EINVAL, -E2BIG (too many values) or -ENOMEM, with a sentence in `err`.
 */
#ifndef STEPTRACE_RUNNER_STORE_QUERY_H
#define STEPTRACE_RUNNER_STORE_QUERY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/strbuf.h"
#include "runner/store/store.h"

enum {
	STORE_BINDINGS_MAX = 512,
	STORE_MATCH_BYTES = 4096,
	STORE_LIMIT_DEFAULT = 100,
	STORE_LIMIT_MAX = 10000,
};

/* A value to bind: a node of the caller's tree, or text that the query owns. */
struct store_binding {
	const cJSON *node; /* borrowed */
	char *text;        /* owned; used when node is NULL */
	enum store_kind kind;
};

struct store_query {
	const struct store_table *table;
	size_t group_at;     /* where a group of conditions begins in `where` */
	struct strbuf where; /* without the word WHERE; empty: all rows */
	char *match;         /* owned; of store_query__add_match(); NULL: none */
	bool searches_newer; /* set by store__search() */
	struct strbuf order; /* without the words ORDER BY; empty: by id */
	struct store_binding *bindings;
	size_t binding_count, binding_room;
	int64_t limit, offset; /* limit -1: no limit */
	bool with_deleted;     /* include soft-deleted rows */
};

void store_query__init(struct store_query *query, const struct store_table *table);
void store_query__free(struct store_query *query);

/* Adds one condition. `value` NULL: it has none. `operator` NULL means "=". `boolean` is "and",
 * "or", or NULL, which means "and". */
int store_query__add(struct store_query *query, const char *field, const char *operator,
		     const cJSON * value, const char *boolean, struct error *err);

/* Adds the condition that at least one of the columns contains `text`. `columns` ends with NULL. */
int store_query__add_search(struct store_query *query, const char *const columns[],
			    const char *text, struct error *err);

/* Adds the condition that the list in the JSON column contains the item. */
int store_query__add_item(struct store_query *query, const char *column, const cJSON *item,
			  struct error *err);

/* For fragments: only those that contain all words of the text, each at the start of a word. They
 * come in the order of their rank where no order is set. *has_words is false if there is no word in
 * the text. */
int store_query__add_match(struct store_query *query, const char *text, bool *has_words,
			   struct error *err);

/* Adds conditions as one group: a map of field -> value, each with "=", or a list of {field,
 * operator, value, boolean}. `boolean` joins those that do not say it themselves. */
int store_query__add_all(struct store_query *query, const cJSON *conditions, const char *boolean,
			 struct error *err);

/* `order` is "created_at desc", "latest", "oldest", "updated", "created", {"field", "direction"},
 * {column: direction}, or a list of these. */
int store_query__set_order(struct store_query *query, const cJSON *order, struct error *err);

/* `limit` is a number from 0 to STORE_LIMIT_MAX. If `limit` or `offset` is null or missing, its
 * default stays: STORE_LIMIT_DEFAULT and 0. */
int store_query__set_limit(struct store_query *query, const cJSON *limit, const cJSON *offset,
			   struct error *err);

#endif
