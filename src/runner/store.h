/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner's database: SQLite, opened once, used by one thread.
 *
 * Nothing that a pack says ever becomes SQL text. Model, column and operator names are looked up
 * in tables the program knows (the models of store_schema.h, the columns that the database itself
 * reports) and the program's own spelling goes into the statement; every value is bound.
 *
 * A row is a cJSON object, its columns in table order:
 *
 *	{"id":7,"type":"todo","title":"Buy milk","tags":["todo"],"pinned":false, ...}
 *
 * Errors: -EINVAL (a name or value that cannot be), -EEXIST (a constraint), -EBUSY (locked by
 * another process for longer than the timeout), -ENOMEM, -EIO (everything else of SQLite's), each
 * with a sentence that never quotes a value.
 */
#ifndef STEPTRACE_RUNNER_STORE_H
#define STEPTRACE_RUNNER_STORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	STORE_BUSY_TIMEOUT_MS = 5000,
	STORE_STATEMENTS_KEPT = 64,
	STORE_COLUMNS_MAX = 64,
};

enum store_kind {
	STORE_INTEGER,
	STORE_REAL,
	STORE_TEXT,
	STORE_JSON,    /* text in the database, a tree in a row */
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
	bool has_deleted_at; /* rows are deleted by stamping them, and stamped ones are unseen */
};

struct store;
struct store_query;

/* `path` may be ":memory:". Creates the file and its tables, or brings older tables up to date. */
int store__open(const char *path, struct store **store, struct error *err);
void store__close(struct store *store);

/* By the table's name or its singular; NULL where there is none. */
const struct store_table *store__table(const struct store *store, const char *model);
const struct store_column *store_table__column(const struct store_table *table, const char *name);

/* One transaction around one mutating step; takes the write lock at once. They do not nest. */
int store__begin(struct store *store, struct error *err);
int store__commit(struct store *store, struct error *err);
void store__rollback(struct store *store);

/* `values` is an object, column to value. */
int store__insert(struct store *store, const struct store_table *table, const cJSON *values,
		  int64_t *id, struct error *err);

/* Rows that match the query (store_query.h), as a list; the caller deletes it. */
int store__select(struct store *store, const struct store_query *query, cJSON **rows,
		  struct error *err);
int store__count(struct store *store, const struct store_query *query, int64_t *count,
		 struct error *err);

/* Both leave order and limit of the query aside and say how many rows changed. */
int store__update(struct store *store, const struct store_query *query, const cJSON *values,
		  int64_t *changed, struct error *err);
int store__delete(struct store *store, const struct store_query *query, int64_t *changed,
		  struct error *err);

/* One row by its id; -ENOENT (with no sentence) where there is none. */
int store__get(struct store *store, const struct store_table *table, int64_t id, cJSON **row,
	       struct error *err);

#endif
