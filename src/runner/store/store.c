// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/store/store_private.h"
#include "runner/store/store_schema.h"

/* ------------------------------------------------------------------ errors */

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_CONSTRAINT: return -EEXIST;
	case SQLITE_NOMEM: return -ENOMEM;
	default: return -EIO;
	}
}

int store__complain(struct store *store, struct error *err, const char *doing)
{
	int code = sqlite3_errcode(store->db);
	bool is_locked = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
	int over = is_locked ? deadline__check_wait(store->deadline, err)
			     : deadline__check(store->deadline, err);

	if (over)
		return error__prefix(err, over, "cannot %s", doing);
	if (is_locked)
		return error__set(err, -EBUSY,
				  "cannot %s: the database is locked by another process", doing);
	return error__set(err, errno_of(code), "cannot %s: %s", doing, sqlite3_errmsg(store->db));
}

/* ------------------------------------------------------------------ statements */

static void forget(struct statement *statement)
{
	sqlite3_finalize(statement->prepared);
	free(statement->sql);
	*statement = (struct statement){0};
}

static bool holds(const struct statement *statement, const char *sql, size_t length)
{
	return statement->length == length && statement->sql &&
	       memcmp(statement->sql, sql, length) == 0;
}

/* The place that already holds this SQL. If there is none: the place to reuse for it, which is a
 * free one or the one that has not been used for the longest time. */
static struct statement *find_place(struct store *store, const char *sql, size_t length)
{
	struct statement *oldest = &store->statements[0];

	for (size_t i = 0; i < STORE_STATEMENTS_KEPT; i++) {
		struct statement *statement = &store->statements[i];

		if (holds(statement, sql, length))
			return statement;
		if (statement->last_used < oldest->last_used)
			oldest = statement;
	}
	return oldest;
}

sqlite3_stmt *store__prepare(struct store *store, const char *sql)
{
	size_t length = strlen(sql);
	struct statement *place = find_place(store, sql, length);

	place->last_used = ++store->use_count;
	if (holds(place, sql, length))
		return place->prepared;
	forget(place);
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &place->prepared,
			       NULL))
		return NULL;
	*place = (struct statement){.sql = strdup(sql),
				    .length = length,
				    .last_used = store->use_count,
				    .prepared = place->prepared};
	if (!place->sql)
		forget(place);
	return place->prepared;
}

void store__finish(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static int run_text(struct store *store, const char *sql, const char *doing, struct error *err)
{
	sqlite3_stmt *statement = store__prepare(store, sql);
	int code;

	if (!statement)
		return store__complain(store, err, doing);
	code = sqlite3_step(statement);
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		code = store__complain(store, err, doing);
	else
		code = 0;
	store__finish(statement);
	return code;
}

/* ------------------------------------------------------------------ opening */

static int pragma_value(struct store *store, const char *sql, int64_t *value, struct error *err)
{
	sqlite3_stmt *statement = store__prepare(store, sql);
	int code;

	*value = 0;
	if (!statement)
		return store__complain(store, err, "read the database");
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	code = code == SQLITE_ROW || code == SQLITE_DONE
		       ? 0
		       : store__complain(store, err, "read the database");
	store__finish(statement);
	return code;
}

static int run_script(struct store *store, const char *sql, const char *doing, struct error *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) ? store__complain(store, err, doing)
							      : 0;
}

/* Refuses a file that has tables and not our application_id: it belongs to another program. */
static int check_owner(struct store *store, int64_t *version, struct error *err)
{
	int64_t application, tables;
	int code;

	code = pragma_value(store, "PRAGMA application_id", &application, err);
	if (!code)
		code = pragma_value(store, "PRAGMA user_version", version, err);
	if (!code)
		code = pragma_value(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (code)
		return code;
	if (application != STORE_APPLICATION_ID && (tables > 0 || *version > 0))
		return error__set(err, -EINVAL,
				  "it belongs to another program: choose another file");
	if (*version > (int64_t)store_migration_count)
		return error__set(
			err, -EINVAL,
			"its tables have version %d, but this steprun knows versions up to "
			"%zu: use a newer steprun",
			(int)*version, store_migration_count);
	return 0;
}

/* Takes the write lock only where there is something to do: others may hold it. Two processes may
 * create the file at the same time, so the version is read again. */
static int migrate(struct store *store, struct error *err)
{
	char marks[128];
	int64_t version;
	int code = check_owner(store, &version, err);

	if (code || version == (int64_t)store_migration_count)
		return code;
	code = store__begin(store, err);
	if (code)
		return code;
	code = check_owner(store, &version, err);
	for (; !code && version < (int64_t)store_migration_count; version++)
		code = run_script(store, store_migrations[version], "create the tables", err);
	snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 STORE_APPLICATION_ID, (int)version);
	if (!code)
		code = run_script(store, marks, "create the tables", err);
	if (!code)
		return store__commit(store, err);
	store__rollback(store);
	return code;
}

static enum store_kind kind_of(const char *declared)
{
	if (strcmp(declared, "JSON_TEXT") == 0)
		return STORE_JSON;
	if (strcmp(declared, "BOOLEAN_INTEGER") == 0)
		return STORE_BOOLEAN;
	if (strcmp(declared, "INTEGER") == 0)
		return STORE_INTEGER;
	return strcmp(declared, "REAL") == 0 ? STORE_REAL : STORE_TEXT;
}

static void learn_column(struct store_table *table, sqlite3_stmt *statement)
{
	struct store_column *column = &table->columns[table->column_count++];

	snprintf(column->name, sizeof(column->name), "%s",
		 (const char *)sqlite3_column_text(statement, 0));
	column->kind = kind_of((const char *)sqlite3_column_text(statement, 1));
	if (strcmp(column->name, "deleted_at") == 0)
		table->has_deleted_at = true;
}

static int learn_table(struct store *store, struct store_table *table, struct error *err)
{
	sqlite3_stmt *statement =
		store__prepare(store, "SELECT name, type FROM pragma_table_info(?)");

	if (!statement)
		return store__complain(store, err, "read the tables");
	table->columns = calloc(STORE_COLUMNS_MAX, sizeof(*table->columns));
	sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
	while (table->columns && sqlite3_step(statement) == SQLITE_ROW &&
	       table->column_count < STORE_COLUMNS_MAX)
		learn_column(table, statement);
	store__finish(statement);
	return table->column_count
		       ? 0
		       : error__set(err, -EIO, "the table '%s' is missing", table->name);
}

static int learn_tables(struct store *store, struct error *err)
{
	int code = 0;

	store->tables = calloc(store_model_count, sizeof(*store->tables));
	store->gets = calloc(store_model_count, sizeof(*store->gets));
	if (!store->tables || !store->gets)
		return error__set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; !code && i < store_model_count; i++) {
		store->tables[i].name = store_models[i].table;
		store->tables[i].alias = store_models[i].alias;
		code = learn_table(store, &store->tables[i], err);
	}
	return code;
}

static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = NORMAL;"
			       "PRAGMA foreign_keys = ON;";

/* ---- deadlines */

enum { OPERATIONS_BETWEEN_CHECKS = 10000, LOCK_PAUSE_MS = 5 };

static int is_over(void *store)
{
	return deadline__check(((struct store *)store)->deadline, NULL) != 0;
}

/* Zero: SQLite gives up. A signal ends a pause early. */
static int wait_for_lock(void *context, int count)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};
	struct store *store = context;

	if (!store->waits_for_lock || count >= STORE_BUSY_TIMEOUT_MS / LOCK_PAUSE_MS ||
	    deadline__check_wait(store->deadline, NULL))
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

/* The handler is there only while there is a deadline: calling it takes time. */
void store__watch(struct store *store, const struct deadline *deadline)
{
	store->deadline = deadline;
	sqlite3_progress_handler(store->db, deadline ? OPERATIONS_BETWEEN_CHECKS : 0,
				 deadline ? is_over : NULL, store);
}

static int open_database(struct store *store, const char *path, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int code;

	if (sqlite3_open_v2(path, &store->db, flags, NULL))
		return store->db ? store__complain(store, err, "open it")
				 : error__set(err, -ENOMEM, "out of memory");
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_handler(store->db, wait_for_lock, store);
	store->waits_for_lock = true;
	code = run_script(store, settings, "set it up", err);
	if (!code)
		code = migrate(store, err);
	return code ? code : learn_tables(store, err);
}

/* Statistics of its memory would cost SQLite a mutex for each allocation. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int store__open(const char *path, struct store **result, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *store = calloc(1, sizeof(*store));
	int code;

	if (!store)
		return error__set(err, -ENOMEM, "out of memory");
	strbuf__init(&store->sql, SIZE_MAX);
	pthread_once(&once, configure);
	code = open_database(store, path, err);
	if (code) {
		store__close(store);
		return error__prefix(err, code, "database '%s'", path);
	}
	*result = store;
	return 0;
}

void store__close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STORE_STATEMENTS_KEPT; i++)
		forget(&store->statements[i]);
	for (size_t i = 0; store->gets && i < store_model_count; i++)
		forget(&store->gets[i]);
	for (size_t i = 0; store->tables && i < store_model_count; i++)
		free(store->tables[i].columns);
	free(store->gets);
	free(store->tables);
	strbuf__free(&store->sql);
	sqlite3_close_v2(store->db);
	free(store);
}

/* ------------------------------------------------------------------ names */

const struct store_table *store__table(const struct store *store, const char *model)
{
	for (size_t i = 0; i < store_model_count; i++)
		if (!strcmp(store->tables[i].name, model) || !strcmp(store->tables[i].alias, model))
			return &store->tables[i];
	return NULL;
}

const struct store_column *store_table__column(const struct store_table *table, const char *name)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].name[0] == name[0] &&
		    strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

/* ------------------------------------------------------------------ transactions */

/* A deadline does not end these: SQLite may ask for it when the work is done. */
static int run_unwatched(struct store *store, const char *sql, const char *doing, struct error *err)
{
	const struct deadline *deadline = store->deadline;
	int code;

	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	code = run_text(store, sql, doing, err);
	store__watch(store, deadline);
	return code;
}

int store__begin(struct store *store, struct error *err)
{
	return run_unwatched(store, "BEGIN IMMEDIATE", "begin a transaction", err);
}

int store__commit(struct store *store, struct error *err)
{
	int code = run_unwatched(store, "COMMIT", "commit", err);

	if (code)
		store__rollback(store);
	return code;
}

void store__rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		run_unwatched(store, "ROLLBACK", "roll back", NULL);
}

int store__end(struct store *store, int code, struct error *err)
{
	if (!code)
		return store__commit(store, err);
	store__rollback(store);
	return code;
}
