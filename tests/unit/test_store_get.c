// SPDX-License-Identifier: BSD-2-Clause
/* One row by its id, whole or one column of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "runner/store/store.h"
#include "runner/value/foreign_text.h"
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

static int64_t added(const char *model, const char *json)
{
	cJSON *values = foreign_json__whole(json);
	int64_t id = 0;

	if (store__insert(store, store__table(store, model), values, &id, &err))
		fail_msg("%s: %s", json, err.text);
	cJSON_Delete(values);
	return id;
}

static int get_column(const char *model, const char *column, int64_t id, cJSON **row)
{
	const struct store_table *table = store__table(store, model);

	return store__get_column(store, table, store_table__column(table, column), id, row, &err);
}

static void expect_column(const char *model, const char *column, int64_t id, const char *json)
{
	cJSON *row;
	char *text;

	assert_int_equal(get_column(model, column, id, &row), 0);
	text = value__json(row);
	assert_string_equal(text, json);
	free(text);
	cJSON_Delete(row);
}

static void a_row_has_only_the_column(void **state)
{
	int64_t first = added("fragment", "{\"title\":\"a\",\"state\":{\"x\":9007199254740993}}");
	int64_t second = added("fragment", "{\"title\":\"b\",\"pinned\":true}");

	(void)state;
	expect_column("fragment", "state", first, "{\"state\":{\"x\":9007199254740993}}");
	expect_column("fragment", "state", second, "{\"state\":{}}");
	expect_column("fragment", "title", second, "{\"title\":\"b\"}");
	expect_column("fragment", "pinned", second, "{\"pinned\":true}");
	expect_column("fragment", "id", first, "{\"id\":1}");
}

static void a_trigger_has_changed_the_row(void **state)
{
	int64_t id = added("chat_session", "{\"title\":\"a\"}");
	cJSON *row;

	(void)state;
	expect_column("chat_session", "short_code", id, "{\"short_code\":\"c1\"}");
	assert_int_equal(store__get(store, store__table(store, "chat_session"), id, &row, &err), 0);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "short_code")), "c1");
	cJSON_Delete(row);
}

static void rows_that_are_not_there(void **state)
{
	int64_t deleted = added("fragment", "{\"title\":\"a\",\"deleted_at\":\"2025\"}");
	cJSON *row;

	(void)state;
	assert_int_equal(get_column("fragment", "state", deleted, &row), -ENOENT);
	assert_null(row);
	assert_int_equal(get_column("fragment", "state", deleted + 1, &row), -ENOENT);
	assert_int_equal(get_column("job", "status", 1, &row), -ENOENT); /* no deleted_at */
	assert_string_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_has_only_the_column, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_trigger_has_changed_the_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_that_are_not_there, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
