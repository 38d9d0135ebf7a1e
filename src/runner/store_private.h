/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between store.c (the file, the statements, transactions) and store_rows.c (values and rows).
 * The only header that shows SQLite; nobody else includes it.
 */
#ifndef STEPTRACE_RUNNER_STORE_PRIVATE_H
#define STEPTRACE_RUNNER_STORE_PRIVATE_H

#include <sqlite3.h>

#include "runner/store.h"

/* A statement that was prepared once; the one not used for longest makes room. */
struct statement {
	char *sql; /* NULL: a free place */
	uint64_t hash;
	uint64_t last_used;
	sqlite3_stmt *prepared;
};

struct store {
	sqlite3 *db;
	struct store_table *tables;
	struct statement statements[STORE_STATEMENTS_KEPT];
	uint64_t use_count;
};

/* SQLite's last error as ours: "cannot DOING: ...". It names tables and columns, never values. */
int store__complain(struct store *store, struct error *err, const char *doing);

/* Kept by the store, ready to be bound; NULL on failure. Give it back with store__finish. */
sqlite3_stmt *store__prepare(struct store *store, const char *sql);
void store__finish(sqlite3_stmt *statement);

#endif
