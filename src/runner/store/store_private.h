/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by store.c (file, statements, transactions) and store_rows.c (values and rows). This is
 * the only header that includes SQLite; no other file may include it.
 */
#ifndef STEPTRACE_RUNNER_STORE_PRIVATE_H
#define STEPTRACE_RUNNER_STORE_PRIVATE_H

#include <sqlite3.h>

#include "runner/store/store.h"

/* A cached prepared statement. When the cache is full, the one that has not been used for the
 * longest time is replaced. */
struct statement {
	char *sql; /* owned; NULL: this place is free */
	uint64_t hash;
	uint64_t last_used; /* the value of use_count at its last use */
	sqlite3_stmt *prepared;
};

struct store {
	sqlite3 *db;
	struct store_table *tables;
	struct statement statements[STORE_STATEMENTS_KEPT];
	uint64_t use_count;              /* number of calls of store__prepare */
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

#endif
