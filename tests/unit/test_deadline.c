// SPDX-License-Identifier: BSD-2-Clause
/* Deadlines, and a statement of the database that one ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/deadline.h"
#include "runner/store/store.h"
#include "runner/store/store_query.h"

#define SECOND_NS 1000000000ull

static void no_deadline(void **state)
{
	const struct deadline none = {0};

	(void)state;
	assert_int_equal(deadline__check(NULL, NULL), 0);
	assert_int_equal(deadline__check_wait(&none, NULL), 0);
	assert_int_equal(deadline__left_ms(NULL, 7), 7);
	assert_int_equal(deadline__left_ms(&none, 7), 7);
}

static void a_time(void **state)
{
	const struct deadline past = {.at_ns = 1}, far = {.at_ns = UINT64_MAX};
	const struct deadline near = {.at_ns = clock__now_ns() + 5 * SECOND_NS};
	struct error err;

	(void)state;
	assert_int_equal(deadline__check(&past, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "the command has reached its time limit (timeout)");
	assert_int_equal(deadline__check_wait(&past, &err), -ETIMEDOUT);
	assert_int_equal(deadline__left_ms(&past, 7), 1);
	assert_int_equal(deadline__check(&far, &err), 0);
	assert_int_equal(deadline__left_ms(&far, 7), 7);
	assert_in_range(deadline__left_ms(&near, 60000), 1, 5001);
}

/* Short work may end by itself. */
static void cancelled(void **state)
{
	_Atomic uint64_t cancelled_ns = 0;
	const struct deadline deadline = {.cancelled_ns = &cancelled_ns};
	struct error err;

	(void)state;
	assert_int_equal(deadline__check_wait(&deadline, &err), 0);
	cancelled_ns = clock__now_ns();
	assert_int_equal(deadline__check_wait(&deadline, &err), -ECANCELED);
	assert_string_equal(err.text, "cancelled");
	cancelled_ns -= SECOND_NS;
	assert_int_equal(deadline__check(&deadline, &err), -ECANCELED);
	cancelled_ns = clock__now_ns() + SECOND_NS; /* the grace is not over for long */
	assert_int_equal(deadline__check(&deadline, &err), 0);
}

/* A thousand rows, each searched for a text: more operations than between two checks. */
static void a_statement(void **state)
{
	const struct deadline past = {.at_ns = 1};
	static const char *const columns[] = {"message", "title", NULL};
	struct store_query query;
	const struct store_table *table;
	struct store *store;
	struct error err;
	cJSON *values = cJSON_CreateObject(), *rows;
	int64_t id, count = 0;

	(void)state;
	cJSON_AddStringToObject(values, "message", "a text");
	assert_int_equal(store__open(":memory:", &store, &err), 0);
	table = store__table(store, "fragments");
	for (int i = 0; i < 2000; i++)
		assert_int_equal(store__insert(store, table, values, &id, &err), 0);
	store_query__init(&query, table);
	assert_int_equal(store_query__add_search(&query, columns, "no such", &err), 0);
	assert_int_equal(store__count(store, &query, &count, &err), 0);
	store__watch(store, &past);
	assert_int_equal(store__count(store, &query, &count, &err), -ETIMEDOUT);
	assert_string_equal(err.text,
			    "cannot count rows: the command has reached its time limit (timeout)");
	store__watch(store, NULL);
	assert_int_equal(store__select(store, &query, &rows, &err), 0);
	cJSON_Delete(rows);
	store_query__free(&query);
	store__close(store);
	cJSON_Delete(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_deadline),
		cmocka_unit_test(a_time),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(a_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
