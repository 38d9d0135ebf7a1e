// SPDX-License-Identifier: BSD-2-Clause
/* Reads one row by its id. */
#include <errno.h>
#include <stdint.h>

#include "runner/store/store_private.h"

static int write_get(struct strbuf *sql, const struct store_table *table, const char *columns)
{
	strbuf__clear(sql);
	strbuf__text(sql, "SELECT ");
	strbuf__text(sql, columns);
	strbuf__text(sql, " FROM ");
	strbuf__text(sql, table->name);
	return strbuf__text(sql, table->has_deleted_at ? " WHERE id = ? AND deleted_at IS NULL"
						       : " WHERE id = ?");
}

/* Once for each table; the store keeps the statement. */
static sqlite3_stmt *prepare_get(struct store *store, const struct store_table *table)
{
	struct statement *kept = &store->gets[table - store->tables];

	if (!kept->prepared && !write_get(&store->sql, table, "*"))
		sqlite3_prepare_v3(store->db, store->sql.text, -1, SQLITE_PREPARE_PERSISTENT,
				   &kept->prepared, NULL);
	return kept->prepared;
}

static int get(struct store *store, sqlite3_stmt *statement, int64_t id,
	       const struct store_column *columns, size_t count, cJSON **row, struct error *err)
{
	int code = 0, result;

	*row = NULL;
	if (!statement || sqlite3_bind_int64(statement, 1, id))
		return store__complain(store, err, "read a row");
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*row = store__read_row(statement, columns, count);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		code = store__complain(store, err, "read a row");
	else if (result == SQLITE_ROW && !*row)
		code = error__set(err, -ENOMEM, "out of memory");
	else if (result == SQLITE_DONE)
		code = -ENOENT;
	store__finish(statement);
	return code;
}

int store__get(struct store *store, const struct store_table *table, int64_t id, cJSON **row,
	       struct error *err)
{
	return get(store, prepare_get(store, table), id, table->columns, table->column_count, row,
		   err);
}

int store__get_column(struct store *store, const struct store_table *table,
		      const struct store_column *column, int64_t id, cJSON **row, struct error *err)
{
	sqlite3_stmt *statement = NULL;

	if (!write_get(&store->sql, table, column->name))
		statement = store__prepare(store, store->sql.text);
	return get(store, statement, id, column, 1, row, err);
}
