/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner's SQLite database. It is opened once; only one thread may use it.
 *
 * Text of a pack never becomes part of an SQL statement. The names of models, columns and operators
 * are looked up in tables that the program knows: the models of store_schema.h and the columns that
 * the database reports. The statement is built from the names in these tables. Every value is
 * bound with `?`.
 *
 * A row is a cJSON object with its columns in table order:
 *
 *	{"id":7,"type":"todo","title":"Buy milk","tags":["todo"],"pinned":false, ...}
 *
 * The names of the columns in a row, and in its copies, are borrowed from the store: delete rows
 * before you close it.
 *
 * Errors: -EINVAL (an unknown name, or a value of the wrong type), -EEXIST (a constraint of the
 * table is violated), -EBUSY (another process has locked the database for longer than
 * STORE_BUSY_TIMEOUT_MS), -ETIMEDOUT and -ECANCELED (store__watch), -ENOMEM, -EIO (any other SQLite
 * error). The sentence in `err` never
 * contains a value from the database.
 */
#ifndef STEPTRACE_RUNNER_STORE_H
#define STEPTRACE_RUNNER_STORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/deadline.h"
#include "common/error.h"

enum {
	STORE_BUSY_TIMEOUT_MS = 5000,
	STORE_STATEMENTS_KEPT = 64, /* prepared statements that are kept */
	STORE_COLUMNS_MAX = 64,
};

enum store_kind {
	STORE_INTEGER,
	STORE_REAL,
	STORE_TEXT,
	STORE_JSON,    /* JSON text in the database, a tree in a row */
	STORE_BOOLEAN, /* 0 or 1 in the database, true or false in a row */
};

struct store_column {
	char name[32];
	enum store_kind kind;
};

struct store_table {
	const char *name, *alias;
	struct store_column *columns;
	size_t column_count;
	/* The table has a column deleted_at. A row with a time in that column is soft-deleted:
	 * queries do not return it. */
	bool has_deleted_at;
};

struct store;
struct store_query;

/* Opens the database file, or creates it with its tables; upgrades the tables of an older version.
 * `path` may be ":memory:". The caller closes *store. */
int store__open(const char *path, struct store **store, struct error *err);
void store__close(struct store *store);

/* Statements, and waits for the lock, fail when this deadline is over. Borrowed, until the next
 * call; NULL: there is none. */
void store__watch(struct store *store, const struct deadline *deadline);

/* The table with that name or alias, such as "fragments" or "fragment"; NULL: unknown. */
const struct store_table *store__table(const struct store *store, const char *model);
const struct store_column *store_table__column(const struct store_table *table, const char *name);

/* One transaction for one step that writes. store__begin takes the write lock immediately.
 * Transactions cannot be nested. */
int store__begin(struct store *store, struct error *err);
int store__commit(struct store *store, struct error *err);
void store__rollback(struct store *store);
/* Commits if `code` is 0, and returns the result; otherwise rolls back, and returns `code`. */
int store__end(struct store *store, int code, struct error *err);

/* Inserts one row. `values` is an object: column -> value. *id is the id of the new row. */
int store__insert(struct store *store, const struct store_table *table, const cJSON *values,
		  int64_t *id, struct error *err);

/* *rows is the list of rows that match the query (store_query.h). The caller deletes it. */
int store__select(struct store *store, const struct store_query *query, cJSON **rows,
		  struct error *err);
/* The same for a query with store_query__add_match(). `may_write`: the search may bring the index
 * of words up to date. For that it takes the write lock of the database, unless another process
 * has the lock. */
int store__search(struct store *store, struct store_query *query, bool may_write, cJSON **rows,
		  struct error *err);
int store__count(struct store *store, const struct store_query *query, int64_t *count,
		 struct error *err);

/* Both change all rows that match; they ignore order and limit of the query. *changed is the number
 * of changed rows. */
int store__update(struct store *store, const struct store_query *query, const cJSON *values,
		  int64_t *changed, struct error *err);
int store__delete(struct store *store, const struct store_query *query, int64_t *changed,
		  struct error *err);

/* *row is the row with that id. Returns -ENOENT, without a sentence, if there is none. */
int store__get(struct store *store, const struct store_table *table, int64_t id, cJSON **row,
	       struct error *err);
/* The same, but *row has only this column of the table. */
int store__get_column(struct store *store, const struct store_table *table,
		      const struct store_column *column, int64_t id, cJSON **row,
		      struct error *err);

#endif
