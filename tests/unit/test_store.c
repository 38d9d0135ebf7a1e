// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/store/store.h"
#include "runner/store/store_query.h"
#include "runner/store/store_schema.h"
#include "runner/value/value.h"

static struct store *store;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	err.text[0] = 0;
	return store__open(":memory:", &store, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store__close(store);
	return 0;
}

static int insert(const char *model, const char *json, int64_t *id)
{
	cJSON *values = cJSON_Parse(json);
	int code;

	assert_non_null(values);
	code = store__insert(store, store__table(store, model), values, id, &err);
	cJSON_Delete(values);
	return code;
}

static int64_t added(const char *model, const char *json)
{
	int64_t id = 0;

	if (insert(model, json, &id))
		fail_msg("%s: %s", json, err.text);
	return id;
}

static void expect_row(const char *model, int64_t id, const char *column, const char *json)
{
	cJSON *row;
	char *text;

	assert_int_equal(store__get(store, store__table(store, model), id, &row, &err), 0);
	text = value__json(cJSON_GetObjectItemCaseSensitive(row, column));
	assert_non_null(text);
	assert_string_equal(text, json);
	free(text);
	cJSON_Delete(row);
}

/* The number of fragments that match, or the negative errno for invalid conditions. */
static int matches(const char *conditions)
{
	struct store_query query;
	cJSON *tree = cJSON_Parse(conditions), *rows = NULL;
	int64_t count = 0;
	int code;

	assert_non_null(tree);
	store_query__init(&query, store__table(store, "fragment"));
	code = store_query__add_all(&query, tree, NULL, &err);
	if (!code)
		code = store__select(store, &query, &rows, &err);
	if (!code)
		assert_int_equal(store__count(store, &query, &count, &err), 0);
	if (!code)
		assert_int_equal(count, cJSON_GetArraySize(rows));
	store_query__free(&query);
	cJSON_Delete(rows);
	cJSON_Delete(tree);
	return code ? code : (int)count;
}

static void every_model_has_a_table(void **state)
{
	(void)state;
	assert_int_equal(store_model_count, 18);
	for (size_t i = 0; i < store_model_count; i++) {
		const struct store_table *table = store__table(store, store_models[i].alias);

		assert_non_null(table);
		assert_ptr_equal(table, store__table(store, store_models[i].table));
		assert_non_null(store_table__column(table, "id"));
		assert_non_null(store_table__column(table, "created_at"));
		assert_true(table->column_count < STORE_COLUMNS_MAX);
	}
	assert_null(store__table(store, "sqlite_schema"));
	assert_null(store__table(store, "fragments; DROP TABLE fragments"));
}

static void rows_keep_their_kinds(void **state)
{
	int64_t id = added("fragments", "{\"type\":\"n\",\"title\":5,\"tags\":[\"a\",\"é\"],"
					"\"state\":{\"x\":{\"y\":1.5}},\"pinned\":true,"
					"\"importance\":\"7\",\"metadata\":\"{\\\"k\\\":[]}\"}");

	(void)state;
	assert_int_equal(id, 1);
	expect_row("fragments", id, "title", "\"5\"");
	expect_row("fragments", id, "tags", "[\"a\",\"é\"]");
	expect_row("fragments", id, "state", "{\"x\":{\"y\":1.5}}");
	expect_row("fragments", id, "metadata", "{\"k\":[]}");
	expect_row("fragments", id, "pinned", "true");
	expect_row("fragments", id, "importance", "7");
	expect_row("fragments", id, "project_id", "null");
	id = added("fragments", "{\"type\":\"n\"}");
	expect_row("fragments", id, "tags", "[]");
	expect_row("fragments", id, "state", "{}");
	id = added("work_items", "{\"estimated_hours\":\"2.5\"}");
	expect_row("work_items", id, "estimated_hours", "2.5");
	id = added("chat_sessions", "{\"title\":\"x\"}");
	expect_row("chat_sessions", id, "short_code", "\"c1\"");
}

static void wrong_rows_are_refused(void **state)
{
	int64_t id;

	(void)state;
	assert_int_equal(insert("fragments", "{\"colour\":1}", &id), -EINVAL);
	assert_string_equal(err.text, "model 'fragments' has no column 'colour'");
	assert_int_equal(insert("fragments", "{\"id) VALUES (1); --\":1}", &id), -EINVAL);
	assert_int_equal(insert("fragments", "{}", &id), -EINVAL);
	assert_int_equal(insert("fragments", "[1]", &id), -EINVAL);
	assert_int_equal(insert("fragments", "{\"project_id\":99}", &id), -EEXIST);
	assert_int_equal(insert("bookmarks", "{\"fragment_ids\":[]}", &id), -EEXIST);
	assert_int_equal(insert("schedules",
				"{\"name\":\"a\",\"command_slug\":\"b\",\"recurrence\":\"c\","
				"\"status\":\"odd\"}",
				&id),
			 -EEXIST);
	assert_null(strstr(err.text, "odd"));
	assert_int_equal(matches("{}"), 0);
}

static void operators(void **state)
{
	(void)state;
	added("fragments", "{\"type\":\"a\",\"title\":\"One\",\"importance\":1,"
			   "\"state\":{\"s\":\"open\",\"n\":3},\"tags\":[\"x\",\"y\"]}");
	added("fragments", "{\"type\":\"a\",\"title\":\"Two\",\"importance\":2,"
			   "\"state\":{\"s\":\"done\"},\"pinned\":true}");
	added("fragments", "{\"type\":\"b\",\"importance\":3}");
	assert_int_equal(matches("{\"type\":\"a\"}"), 2);
	assert_int_equal(matches("{\"type\":[\"a\",\"b\"]}"), 3);
	assert_int_equal(matches("{\"id\":\"2\"}"), 1);
	assert_int_equal(matches("{\"title\":null}"), 0);
	assert_int_equal(matches("{\"pinned\":\"true\"}"), 1);
	assert_int_equal(matches("{\"state.s\":\"open\"}"), 1);
	assert_int_equal(matches("{\"state->s\":\"open\",\"state.n\":3}"), 1);
	assert_int_equal(matches("{\"tags.0\":\"x\"}"), 1);
	assert_int_equal(matches("[{\"field\":\"importance\",\"operator\":\">\",\"value\":1}]"), 2);
	assert_int_equal(
		matches("[{\"field\":\"importance\",\"operator\":\"<=\",\"value\":\"2\"}]"), 2);
	assert_int_equal(matches("[{\"field\":\"title\",\"operator\":\"like\",\"value\":\"%O%\"}]"),
			 2);
	assert_int_equal(
		matches("[{\"field\":\"title\",\"operator\":\"NOT LIKE\",\"value\":\"T%\"}]"), 1);
	assert_int_equal(matches("[{\"field\":\"title\",\"operator\":\"IS NULL\"}]"), 1);
	assert_int_equal(matches("[{\"field\":\"title\",\"operator\":\"is not null\"}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"IN\",\"value\":[1,3]}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"NOT IN\",\"value\":[1]}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"in\",\"value\":[]}]"), 0);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"not in\",\"value\":[]}]"), 3);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"!=\",\"value\":[1]}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"value\":[1,2]}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"<>\",\"value\":1}]"), 2);
	assert_int_equal(matches("[{\"field\":\"id\",\"value\":1},"
				 "{\"field\":\"id\",\"value\":2,\"boolean\":\"or\"}]"),
			 2);
}

/* A value that a pack computes may be missing. It must not match rows that have no value either,
 * nor all the others. */
static void null_matches_nothing(void **state)
{
	static const char *const operators[] = {"=",  "==", "!=",   "<>",       "<",  ">",
						"<=", ">=", "LIKE", "NOT LIKE", "IN", "NOT IN"};
	char conditions[128];

	(void)state;
	added("fragments", "{\"type\":\"a\",\"title\":\"One\"}");
	added("fragments", "{\"type\":\"b\"}");
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		snprintf(conditions, sizeof(conditions),
			 "[{\"field\":\"title\",\"operator\":\"%s\",\"value\":null}]",
			 operators[i]);
		if (matches(conditions) != 0)
			fail_msg("%s matches", operators[i]);
	}
	assert_int_equal(matches("{\"title\":[\"One\",null]}"), 1);
	assert_int_equal(
		matches("[{\"field\":\"title\",\"operator\":\"NOT IN\",\"value\":[\"Two\",null]}]"),
		0);
}

static void hostile_conditions(void **state)
{
	(void)state;
	assert_int_equal(matches("{\"colour\":1}"), -EINVAL);
	assert_int_equal(matches("{\"type' OR 1=1 --\":1}"), -EINVAL);
	assert_int_equal(matches("{\"title.x\":1}"), -EINVAL);
	assert_int_equal(matches("{\"state.\":1}"), -EINVAL);
	assert_int_equal(matches("{\"state..x\":1}"), -EINVAL);
	assert_int_equal(matches("{\"state.a\\\"b\":1}"), -EINVAL);
	assert_int_equal(matches("{\"\":1}"), -EINVAL);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"; DROP\",\"value\":1}]"),
			 -EINVAL);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\">\"}]"), -EINVAL);
	assert_int_equal(matches("[{\"field\":\"id\",\"operator\":\"=\"}]"), -EINVAL);
	assert_int_equal(matches("[{\"field\":\"id\"}]"), -EINVAL);
	assert_int_equal(matches("[{\"operator\":\"=\"}]"), -EINVAL);
	assert_int_equal(matches("3"), -EINVAL);
	assert_int_equal(matches("{\"type\":\"' OR 1=1 --\"}"), 0);
	assert_int_equal(matches("{\"state.x' || y\":1}"), 0);
}

static void orders_and_limits(void **state)
{
	static const char *const good[] = {"\"latest\"",
					   "\"oldest\"",
					   "\"title\"",
					   "\"created_at DESC\"",
					   "null",
					   "{\"field\":\"id\",\"direction\":\"asc\"}",
					   "[\"type asc\",{\"field\":\"id\"}]"};
	static const char *const bad[] = {"\"colour\"",      "\"id sideways\"", "\"\"",
					  "{\"sql\":\"1\"}", "\"state.x\"",     "3"};
	struct store_query query;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cJSON *order = cJSON_Parse(good[i]), *rows;

		store_query__init(&query, store__table(store, "fragment"));
		assert_int_equal(store_query__set_order(&query, order, &err), 0);
		assert_int_equal(store__select(store, &query, &rows, &err), 0);
		cJSON_Delete(rows);
		cJSON_Delete(order);
		store_query__free(&query);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *order = cJSON_Parse(bad[i]);

		store_query__init(&query, store__table(store, "fragment"));
		assert_int_equal(store_query__set_order(&query, order, &err), -EINVAL);
		assert_int_equal(store_query__set_limit(
					 &query, cJSON_IsNumber(order) ? NULL : order, NULL, &err),
				 cJSON_IsNumber(order) ? 0 : -EINVAL);
		cJSON_Delete(order);
		store_query__free(&query);
	}
}

static void update_and_delete(void **state)
{
	cJSON *values = cJSON_Parse("{\"title\":\"new\"}"), *wanted = cJSON_CreateString("a");
	struct store_query query;
	int64_t changed;

	(void)state;
	added("fragments", "{\"type\":\"a\"}");
	added("fragments", "{\"type\":\"a\"}");
	added("fragments", "{\"type\":\"b\"}");
	store_query__init(&query, store__table(store, "fragment"));
	assert_int_equal(store_query__add(&query, "type", "=", wanted, NULL, &err), 0);
	assert_int_equal(store__update(store, &query, values, &changed, &err), 0);
	assert_int_equal(changed, 2);
	expect_row("fragment", 2, "title", "\"new\"");
	assert_int_equal(store__delete(store, &query, &changed, &err), 0);
	assert_int_equal(changed, 2);
	assert_int_equal(matches("{}"), 1);
	store_query__free(&query);
	cJSON_Delete(values);
	cJSON_Delete(wanted);
}

static void soft_deleted_rows_are_hidden(void **state)
{
	struct store_query query;
	int64_t id = added("fragments", "{\"type\":\"a\",\"deleted_at\":\"2025\"}"), count;
	cJSON *row;

	(void)state;
	assert_int_equal(matches("{}"), 0);
	assert_int_equal(store__get(store, store__table(store, "fragment"), id, &row, &err),
			 -ENOENT);
	store_query__init(&query, store__table(store, "fragment"));
	query.with_deleted = true;
	assert_int_equal(store__count(store, &query, &count, &err), 0);
	assert_int_equal(count, 1);
	store_query__free(&query);
}

static void search_takes_text_literally(void **state)
{
	static const char *const columns[] = {"title", "message", NULL};
	struct store_query query;
	int64_t count;

	(void)state;
	added("fragments", "{\"title\":\"100% sure\"}");
	added("fragments", "{\"message\":\"a_b\"}");
	added("fragments", "{\"message\":\"axb\"}");
	store_query__init(&query, store__table(store, "fragment"));
	assert_int_equal(store_query__add_search(&query, columns, "A_B", &err), 0);
	assert_int_equal(store__count(store, &query, &count, &err), 0);
	assert_int_equal(count, 1);
	store_query__free(&query);
}

static void rollback_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(store__begin(store, &err), 0);
	added("fragments", "{\"type\":\"a\"}");
	store__rollback(store);
	assert_int_equal(matches("{}"), 0);
	assert_int_equal(store__begin(store, &err), 0);
	added("fragments", "{\"type\":\"a\"}");
	assert_int_equal(store__commit(store, &err), 0);
	assert_int_equal(matches("{}"), 1);
	store__rollback(store); /* without a transaction it does nothing */
}

static void many_different_statements(void **state)
{
	char conditions[2048];

	(void)state;
	added("fragments", "{\"type\":\"a\"}");
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 3 * STORE_STATEMENTS_KEPT; i++) {
			size_t at = (size_t)sprintf(conditions, "{\"id\":[0");

			for (int j = 0; j < i; j++)
				at += (size_t)sprintf(conditions + at, ",0");
			sprintf(conditions + at, ",1]}");
			assert_int_equal(matches(conditions), 1);
		}
}

/* ------------------------------------------------------------------ files */

static char path[64];

static int set_up_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/steprun-store-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down_file(void **state)
{
	char other[80];

	(void)state;
	snprintf(other, sizeof(other), "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof(other), "%s-shm", path);
	unlink(other);
	return unlink(path);
}

static void execute(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Another runner writes for long. A database whose tables are current is opened nevertheless, and
 * read. */
static void it_opens_while_another_one_writes(void **state)
{
	struct store *writer;

	(void)state;
	assert_int_equal(store__open(path, &writer, &err), 0);
	assert_int_equal(store__begin(writer, &err), 0);
	if (store__open(path, &store, &err))
		fail_msg("%s", err.text);
	assert_int_equal(matches("{}"), 0);
	store__rollback(writer);
	store__close(writer);
	store__close(store);
}

static void files_keep_rows_and_settings(void **state)
{
	(void)state;
	assert_int_equal(store__open(path, &store, &err), 0);
	added("fragments", "{\"type\":\"a\"}");
	store__close(store);
	assert_int_equal(store__open(path, &store, &err), 0);
	assert_int_equal(matches("{}"), 1);
	store__close(store);
}

/* Rows that this runner would not write: they are shown, not cut, and not refused. */
static void rows_of_other_programs(void **state)
{
	(void)state;
	assert_int_equal(store__open(path, &store, &err), 0);
	store__close(store);
	execute("INSERT INTO fragments(id, type, title, message, importance, metadata, state, "
		"tags) "
		"VALUES (9007199254740993, 'a', CAST(x'41ff42c3' AS TEXT), "
		"CAST(x'41004200' AS TEXT), 9223372036854775807, '{\"n\":-9007199254740993}', "
		"'{\"z\":\"a\\u0000b\"}', CAST(x'5b22ff225d' AS TEXT))");
	assert_int_equal(store__open(path, &store, &err), 0);
	expect_row("fragment", 9007199254740993, "id", "9007199254740993");
	expect_row("fragment", 9007199254740993, "title", "\"A\xef\xbf\xbd\x42\xef\xbf\xbd\"");
	expect_row("fragment", 9007199254740993, "message", "\"A\xef\xbf\xbd\x42\xef\xbf\xbd\"");
	expect_row("fragment", 9007199254740993, "importance", "9223372036854775807");
	expect_row("fragment", 9007199254740993, "metadata", "{\"n\":-9007199254740993}");
	expect_row("fragment", 9007199254740993, "state", "\"{\\\"z\\\":\\\"a\\\\u0000b\\\"}\"");
	expect_row("fragment", 9007199254740993, "tags", "[\"\xef\xbf\xbd\"]");
	store__close(store);
}

static void newer_and_foreign_files_are_refused(void **state)
{
	(void)state;
	assert_int_equal(store__open(path, &store, &err), 0);
	store__close(store);
	execute("PRAGMA user_version = 999");
	assert_int_equal(store__open(path, &store, &err), -EINVAL);
	assert_non_null(strstr(err.text, "version 999"));
	execute("PRAGMA user_version = 0; PRAGMA application_id = 0");
	assert_int_equal(store__open(path, &store, &err), -EINVAL);
	assert_non_null(strstr(err.text, "another program"));
}

static void files_that_are_not_databases(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 200; i++)
		fputs("this is no database at all\n", file);
	fclose(file);
	assert_int_equal(store__open(path, &store, &err), -EIO);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(store__open("/nonexistent/x.db", &store, &err), -EIO);
}

/* What SQLite does with the affinity of a column. A member of JSON has none, so 7 is not "7". */
static void numbers_and_numeric_text(void **state)
{
	(void)state;
	added("fragments", "{\"type\":\"a\",\"title\":\"7\",\"importance\":7,"
			   "\"metadata\":{\"n\":7,\"t\":\"7\"}}");
	assert_int_equal(matches("{\"title\":7}"), 1);
	assert_int_equal(matches("{\"title\":\"7\"}"), 1);
	assert_int_equal(matches("{\"title\":7.5}"), 0);
	assert_int_equal(matches("{\"importance\":7}"), 1);
	assert_int_equal(matches("{\"importance\":\"7\"}"), 1);
	assert_int_equal(matches("{\"importance\":\"7.0\"}"), 1);
	assert_int_equal(matches("{\"importance\":\"seven\"}"), 0);
	assert_int_equal(matches("{\"importance\":[\"7\",\"8\"]}"), 1);
	assert_int_equal(matches("{\"title\":[7,8]}"), 1);
	assert_int_equal(matches("{\"metadata.n\":7}"), 1);
	assert_int_equal(matches("{\"metadata.n\":\"7\"}"), 0);
	assert_int_equal(matches("{\"metadata.t\":\"7\"}"), 1);
	assert_int_equal(matches("{\"metadata.t\":7}"), 0);
	assert_int_equal(matches("[{\"field\":\"importance\",\"operator\":\">\","
				 "\"value\":\"6\"}]"),
			 1);
	assert_int_equal(matches("[{\"field\":\"title\",\"operator\":\">\",\"value\":60}]"),
			 1); /* as text */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_model_has_a_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_keep_their_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_rows_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(operators, set_up, tear_down),
		cmocka_unit_test_setup_teardown(null_matches_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_and_numeric_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orders_and_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(update_and_delete, set_up, tear_down),
		cmocka_unit_test_setup_teardown(soft_deleted_rows_are_hidden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(search_takes_text_literally, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rollback_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_different_statements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_opens_while_another_one_writes, set_up_file,
						tear_down_file),
		cmocka_unit_test_setup_teardown(files_keep_rows_and_settings, set_up_file,
						tear_down_file),
		cmocka_unit_test_setup_teardown(rows_of_other_programs, set_up_file,
						tear_down_file),
		cmocka_unit_test_setup_teardown(newer_and_foreign_files_are_refused, set_up_file,
						tear_down_file),
		cmocka_unit_test_setup_teardown(files_that_are_not_databases, set_up_file,
						tear_down_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
