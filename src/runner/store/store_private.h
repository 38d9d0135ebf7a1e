/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by store.c (file, statements, transactions), store_rows.c (values and rows), store_get.c
 * (one row by its id) and store_search.c (full text). This is the only header that includes SQLite;
 * no other file may include it.
 */
#ifndef STEPTRACE_RUNNER_STORE_PRIVATE_H
#define STEPTRACE_RUNNER_STORE_PRIVATE_H

#include <sqlite3.h>

#include "common/strbuf.h"
#include "runner/store/store.h"

/* A cached prepared statement. When the cache is full, the one that has not been used for the
 * longest time is replaced. */
struct statement {
	char *sql; /* owned; NULL: this place is free */
	size_t length;
	uint64_t last_used; /* the value of use_count at its last use */
	sqlite3_stmt *prepared;
};

struct store {
	sqlite3 *db;
	struct store_table *tables;
	struct statement *gets; /* of store__get(): one for each table */
	struct statement statements[STORE_STATEMENTS_KEPT];
	struct strbuf sql;  /* of the statement that is looked for; kept for the next */
	uint64_t use_count; /* number of calls of store__prepare */
	const struct deadline *deadline; /* borrowed; NULL: none */
	bool waits_for_lock;             /* false: a lock that is taken is an error at once */
};

/* Writes SQLite's last error as "cannot DOING: ..." into `err` and returns its negative errno. The
 * sentence may contain names of tables and columns, never values. */
int store__complain(struct store *store, struct error *err, const char *doing);

/* A prepared statement, ready for binding; NULL on failure. The store owns it. The caller ends its
 * use with store__finish. */
sqlite3_stmt *store__prepare(struct store *store, const char *sql);
void store__finish(sqlite3_stmt *statement);

/* An object of the columns of the current row; NULL: out of memory. The statement returns these
 * columns in this order. */
cJSON *store__read_row(sqlite3_stmt *statement, const struct store_column *columns, size_t count);

#endif
