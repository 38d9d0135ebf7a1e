/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables, as data. `store.c` runs the migrations a database has not seen yet, in order, each
 * in one transaction; a database's `user_version` is the number of migrations it has seen. A
 * migration that was released is never edited: the next one changes what it made.
 *
 * A column's declared type says how its values look in a record (store.h, enum store_kind):
 * JSON_TEXT is parsed, BOOLEAN_INTEGER is true or false, the rest is what SQLite makes of it.
 */
#ifndef STEPTRACE_RUNNER_STORE_SCHEMA_H
#define STEPTRACE_RUNNER_STORE_SCHEMA_H

#include <stddef.h>

/* "STRP", so that a database of another program is never taken for ours. */
enum { STORE_APPLICATION_ID = 0x53545250 };

extern const char *const store_migrations[];
extern const size_t store_migration_count;

/* What packs may call a table. The first name is the table's own. */
struct store_model {
	const char *table;
	const char *alias; /* the singular */
};

extern const struct store_model store_models[];
extern const size_t store_model_count;

#endif
