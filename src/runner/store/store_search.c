// SPDX-License-Identifier: BSD-2-Clause
/*
 * Full text. The index of words, fragments_text, is behind the rows: fragments_to_index has the ids
 * of those that were written since. A search first brings the index up to date, if it may write and
 * nobody else has the write lock; it does not wait. Otherwise it makes an index of the newer rows
 * for itself, in a temporary table, and searches in both.
 */
#include <errno.h>

#include "runner/store/store_private.h"
#include "runner/store/store_query.h"

static const char catch_up[] =
	"DELETE FROM fragments_text WHERE rowid IN (SELECT id FROM fragments_to_index);"
	"INSERT INTO fragments_text(rowid, title, message) SELECT id, title, message"
	" FROM fragments WHERE id IN (SELECT id FROM fragments_to_index);"
	"DELETE FROM fragments_to_index;";

static const char index_newer[] =
	"CREATE VIRTUAL TABLE IF NOT EXISTS temp.newer_text USING fts5("
	"title, message, tokenize = 'unicode61 remove_diacritics 2');"
	"DELETE FROM temp.newer_text;"
	"INSERT INTO temp.newer_text(rowid, title, message) SELECT id, title, message"
	" FROM fragments WHERE id IN (SELECT id FROM fragments_to_index);";

/* False: that cannot be read, either; the select says why. */
static bool is_behind(struct store *store)
{
	sqlite3_stmt *statement =
		store__prepare(store, "SELECT EXISTS (SELECT 1 FROM fragments_to_index)");
	bool result = statement && sqlite3_step(statement) == SQLITE_ROW &&
		      sqlite3_column_int(statement, 0);

	if (statement)
		store__finish(statement);
	return result;
}

static bool try_to_catch_up(struct store *store)
{
	struct error ignored;
	bool done;

	store->waits_for_lock = false;
	done = store__begin(store, &ignored) == 0;
	store->waits_for_lock = true;
	if (done && sqlite3_exec(store->db, catch_up, NULL, NULL, NULL)) {
		store__rollback(store);
		done = false;
	}
	return done && store__commit(store, &ignored) == 0;
}

int store__search(struct store *store, struct store_query *query, bool may_write, cJSON **rows,
		  struct error *err)
{
	query->searches_newer = is_behind(store) && !(may_write && try_to_catch_up(store));
	if (query->searches_newer && sqlite3_exec(store->db, index_newer, NULL, NULL, NULL))
		return store__complain(store, err, "search");
	return store__select(store, query, rows, err);
}
