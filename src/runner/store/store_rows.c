// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/store/store_private.h"
#include "runner/store/store_query.h"
#include "runner/value/foreign_text.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

/* ------------------------------------------------------------------ values in */

static int bind_printed(sqlite3_stmt *statement, int at, const cJSON *node)
{
	char *text = value__json(node);

	return text ? sqlite3_bind_text(statement, at, text, -1, free) : SQLITE_NOMEM;
}

/* Text that is a JSON list or object is stored as it is; other text becomes a JSON string. */
static int bind_json(sqlite3_stmt *statement, int at, const cJSON *node)
{
	const char *text = cJSON_GetStringValue(node);
	cJSON *parsed = NULL;
	int code;

	if (text && (*text == '[' || *text == '{'))
		parsed = foreign_json__whole(text);
	code = bind_printed(statement, at, parsed ? parsed : node);
	cJSON_Delete(parsed);
	return code;
}

static int bind_number(sqlite3_stmt *statement, int at, const cJSON *number)
{
	int64_t whole;

	if (integer__of(number, &whole))
		return sqlite3_bind_int64(statement, at, whole);
	return sqlite3_bind_double(statement, at, number->valuedouble);
}

static int bind_node(sqlite3_stmt *statement, int at, const cJSON *node, enum store_kind kind)
{
	if (!node || cJSON_IsNull(node))
		return sqlite3_bind_null(statement, at);
	if (kind == STORE_JSON)
		return bind_json(statement, at, node);
	if (cJSON_IsBool(node))
		return sqlite3_bind_int(statement, at, cJSON_IsTrue(node));
	if (kind == STORE_BOOLEAN && cJSON_IsString(node))
		return sqlite3_bind_int(statement, at,
					*node->valuestring && strcmp(node->valuestring, "0") &&
						strcmp(node->valuestring, "false"));
	if (cJSON_IsNumber(node))
		return bind_number(statement, at, node);
	if (cJSON_IsString(node))
		return sqlite3_bind_text(statement, at, node->valuestring, -1, SQLITE_STATIC);
	return bind_printed(statement, at, node);
}

static int bind_query(sqlite3_stmt *statement, int at, const struct store_query *query)
{
	int code = 0;

	for (size_t i = 0; !code && i < query->binding_count; i++) {
		const struct store_binding *binding = &query->bindings[i];

		if (binding->text)
			code = sqlite3_bind_text(statement, at + (int)i, binding->text, -1,
						 SQLITE_STATIC);
		else
			code = bind_node(statement, at + (int)i, binding->node, binding->kind);
	}
	return code;
}

/* Binds the values of an object in its order, each converted to the type of its column. */
static int bind_values(sqlite3_stmt *statement, const struct store_table *table,
		       const cJSON *values)
{
	const cJSON *value;
	int at = 1, code = 0;

	cJSON_ArrayForEach (value, values) {
		code = bind_node(statement, at++, value,
				 store_table__column(table, value->string)->kind);
		if (code)
			break;
	}
	return code;
}

static int check_columns(const struct store_table *table, const cJSON *values, struct error *err)
{
	const cJSON *value;

	if (!cJSON_IsObject(values) || !values->child)
		return error__set(err, -EINVAL,
				  "model '%s' needs a map of values with at least one",
				  table->name);
	cJSON_ArrayForEach (value, values) {
		if (!store_table__column(table, value->string))
			return error__set(err, -EINVAL, "model '%s' has no column '%.64s'",
					  table->name, value->string);
	}
	return 0;
}

/* ------------------------------------------------------------------ rows out */

/* NULL: it is no JSON that this runner would take. */
static cJSON *json_value(const char *text, size_t bytes)
{
	char *repaired;
	cJSON *value;

	if (bytes == 2 && memcmp(text, "{}", 2) == 0)
		return cJSON_CreateObject(); /* the default of most columns */
	if (foreign_text__is_valid(text, bytes))
		return foreign_json__whole(text);
	repaired = foreign_text__repaired(text, bytes);
	value = repaired ? foreign_json__whole(repaired) : NULL;
	free(repaired);
	return value;
}

/* `text` ends with a NUL. Other programs write to the database, too: what is no text of this runner
 * is shown with U+FFFD, and JSON that it would refuse is shown as text. */
static cJSON *text_value(const char *text, size_t bytes, enum store_kind kind)
{
	cJSON *value = kind == STORE_JSON ? json_value(text, bytes) : NULL;

	return value ? value : value__from_text(foreign_text__repaired(text, bytes));
}

static cJSON *read_value(sqlite3_stmt *statement, int at, enum store_kind kind)
{
	const char *text;

	switch (sqlite3_column_type(statement, at)) {
	case SQLITE_NULL: return cJSON_CreateNull();
	case SQLITE_INTEGER:
		if (kind == STORE_BOOLEAN)
			return cJSON_CreateBool(sqlite3_column_int(statement, at) != 0);
		return integer__new(sqlite3_column_int64(statement, at));
	case SQLITE_FLOAT: return cJSON_CreateNumber(sqlite3_column_double(statement, at));
	default:
		text = (const char *)sqlite3_column_text(statement, at);
		return text ? text_value(text, (size_t)sqlite3_column_bytes(statement, at), kind)
			    : NULL;
	}
}

cJSON *store__read_row(sqlite3_stmt *statement, const struct store_column *columns, size_t count)
{
	cJSON *row = cJSON_CreateObject();

	for (size_t i = 0; row && i < count; i++) {
		cJSON *value = read_value(statement, (int)i, columns[i].kind);

		if (!value || !cJSON_AddItemToObjectCS(row, columns[i].name, value)) {
			cJSON_Delete(value);
			cJSON_Delete(row);
			return NULL;
		}
	}
	return row;
}

static int read_rows(struct store *store, sqlite3_stmt *statement, const struct store_table *table,
		     cJSON *rows, struct error *err)
{
	int code;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		cJSON *row = store__read_row(statement, table->columns, table->column_count);

		if (!row)
			return error__set(err, -ENOMEM, "out of memory");
		cJSON_AddItemToArray(rows, row);
	}
	return code == SQLITE_DONE ? 0 : store__complain(store, err, "read rows");
}

/* ------------------------------------------------------------------ the four statements */

enum verb { VERB_INSERT, VERB_SELECT, VERB_COUNT, VERB_UPDATE, VERB_DELETE };

/* For each column: its name if `named`, and `text`. */
static void write_columns(struct strbuf *sql, const cJSON *values, bool named, const char *text)
{
	const cJSON *value;

	cJSON_ArrayForEach (value, values) {
		if (named)
			strbuf__text(sql, value->string);
		strbuf__text(sql, text);
		if (value->next)
			strbuf__text(sql, ", ");
	}
}

/* Full text (store_search.c). The names of its columns are not those of fragments. */
#define MATCHES(table)                                                                             \
	"SELECT rowid AS match_id, rank AS match_rank FROM " table " WHERE " table " MATCH ?1"

static void write_match(struct strbuf *sql, bool searches_newer)
{
	strbuf__text(sql, "SELECT fragments.* FROM (" MATCHES("fragments_text"));
	if (searches_newer)
		strbuf__text(sql, " AND rowid NOT IN (SELECT rowid FROM newer_text) "
				  "UNION ALL " MATCHES("newer_text"));
	strbuf__text(sql, ") JOIN fragments ON fragments.id = match_id");
}

static void write_head(struct strbuf *sql, enum verb verb, const struct store_table *table,
		       const struct store_query *query, const cJSON *values)
{
	static const char *const heads[] = {
		[VERB_INSERT] = "INSERT INTO ",         [VERB_SELECT] = "SELECT * FROM ",
		[VERB_COUNT] = "SELECT count(*) FROM ", [VERB_UPDATE] = "UPDATE ",
		[VERB_DELETE] = "DELETE FROM ",
	};

	if (query && query->match && verb == VERB_SELECT) {
		write_match(sql, query->searches_newer);
		return;
	}
	strbuf__text(sql, heads[verb]);
	strbuf__text(sql, table->name);
	if (verb == VERB_UPDATE) {
		strbuf__text(sql, " SET ");
		write_columns(sql, values, true, " = ?");
	}
	if (verb != VERB_INSERT)
		return;
	strbuf__text(sql, " (");
	write_columns(sql, values, true, "");
	strbuf__text(sql, ") VALUES (");
	write_columns(sql, values, false, "?");
	strbuf__char(sql, ')');
}

static void write_tail(struct strbuf *sql, enum verb verb, const struct store_query *query)
{
	bool living = query->table->has_deleted_at && !query->with_deleted;

	if (query->where.length || living)
		strbuf__text(sql, " WHERE ");
	if (query->where.length) {
		strbuf__char(sql, '(');
		strbuf__bytes(sql, query->where.text, query->where.length);
		strbuf__text(sql, living ? ") AND " : ")");
	}
	if (living)
		strbuf__text(sql, "deleted_at IS NULL");
	if (verb != VERB_SELECT)
		return;
	strbuf__text(sql, " ORDER BY ");
	strbuf__text(sql, query->order.length ? query->order.text
			  : query->match      ? "match_rank, id"
					      : "id");
	strbuf__text(sql, " LIMIT ? OFFSET ?");
}

/* The keys of `values` become SQL text. check_columns has found each of them among the table's
 * columns. */
static sqlite3_stmt *build(struct store *store, enum verb verb, const struct store_table *table,
			   const struct store_query *query, const cJSON *values)
{
	strbuf__clear(&store->sql);
	write_head(&store->sql, verb, table, query, values);
	if (query)
		write_tail(&store->sql, verb, query);
	return store->sql.err ? NULL : store__prepare(store, store->sql.text);
}

int store__insert(struct store *store, const struct store_table *table, const cJSON *values,
		  int64_t *id, struct error *err)
{
	sqlite3_stmt *statement;
	int code = check_columns(table, values, err);

	if (code)
		return code;
	statement = build(store, VERB_INSERT, table, NULL, values);
	if (!statement)
		return store__complain(store, err, "insert a row");
	if (bind_values(statement, table, values) || sqlite3_step(statement) != SQLITE_DONE)
		code = store__complain(store, err, "insert a row");
	else
		*id = sqlite3_last_insert_rowid(store->db);
	store__finish(statement);
	return code;
}

int store__select(struct store *store, const struct store_query *query, cJSON **rows,
		  struct error *err)
{
	sqlite3_stmt *statement = build(store, VERB_SELECT, query->table, query, NULL);
	int first = query->match ? 2 : 1, at = first + (int)query->binding_count, code;

	*rows = NULL;
	if (!statement)
		return store__complain(store, err, "read rows");
	*rows = cJSON_CreateArray();
	if (!*rows)
		return error__set(err, -ENOMEM, "out of memory");
	if ((query->match && sqlite3_bind_text(statement, 1, query->match, -1, SQLITE_STATIC)) ||
	    bind_query(statement, first, query) ||
	    sqlite3_bind_int64(statement, at, query->limit) ||
	    sqlite3_bind_int64(statement, at + 1, query->offset))
		code = store__complain(store, err, "read rows");
	else
		code = read_rows(store, statement, query->table, *rows, err);
	store__finish(statement);
	if (code) {
		cJSON_Delete(*rows);
		*rows = NULL;
	}
	return code;
}

int store__count(struct store *store, const struct store_query *query, int64_t *count,
		 struct error *err)
{
	sqlite3_stmt *statement = build(store, VERB_COUNT, query->table, query, NULL);
	int code = 0;

	if (!statement)
		return store__complain(store, err, "count rows");
	if (bind_query(statement, 1, query) || sqlite3_step(statement) != SQLITE_ROW)
		code = store__complain(store, err, "count rows");
	else
		*count = sqlite3_column_int64(statement, 0);
	store__finish(statement);
	return code;
}

int store__update(struct store *store, const struct store_query *query, const cJSON *values,
		  int64_t *changed, struct error *err)
{
	sqlite3_stmt *statement;
	int code = check_columns(query->table, values, err);

	if (code)
		return code;
	statement = build(store, VERB_UPDATE, query->table, query, values);
	if (!statement)
		return store__complain(store, err, "update rows");
	if (bind_values(statement, query->table, values) ||
	    bind_query(statement, cJSON_GetArraySize(values) + 1, query) ||
	    sqlite3_step(statement) != SQLITE_DONE)
		code = store__complain(store, err, "update rows");
	else
		*changed = sqlite3_changes64(store->db);
	store__finish(statement);
	return code;
}

int store__delete(struct store *store, const struct store_query *query, int64_t *changed,
		  struct error *err)
{
	sqlite3_stmt *statement = build(store, VERB_DELETE, query->table, query, NULL);
	int code = 0;

	if (!statement)
		return store__complain(store, err, "delete rows");
	if (bind_query(statement, 1, query) || sqlite3_step(statement) != SQLITE_DONE)
		code = store__complain(store, err, "delete rows");
	else
		*changed = sqlite3_changes64(store->db);
	store__finish(statement);
	return code;
}
