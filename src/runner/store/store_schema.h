/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the database, as SQL text: schema/1.sql, 2.sql, ... (gen/migrations.c). store.c
 * runs the migrations that a database has not had yet, in order, in one transaction. The
 * `user_version` of a database is the number of migrations it has had. Never edit a migration after
 * a release: add a new one that changes the tables.
 *
 * The declared type of a column says how its values look in a row (store.h, enum store_kind):
 * JSON_TEXT is parsed into a tree, BOOLEAN_INTEGER is true or false, other types are as SQLite
 * returns them.
 */
#ifndef STEPTRACE_RUNNER_STORE_SCHEMA_H
#define STEPTRACE_RUNNER_STORE_SCHEMA_H

#include <stddef.h>

/* "STRP": SQLite's application_id, by which a database of another program is recognised. */
enum { STORE_APPLICATION_ID = 0x53545250 };

extern const char *const store_migrations[];
extern const size_t store_migration_count;

/* The names by which packs may refer to a table. */
struct store_model {
	const char *table;
	const char *alias; /* the singular */
};

extern const struct store_model store_models[];
extern const size_t store_model_count;

#endif
