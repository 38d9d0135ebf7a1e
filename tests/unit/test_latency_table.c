// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/latency/table.h"

static void add(struct latency_table *table, const char *key, uint64_t ns)
{
	const struct latency_value value = {.is_timed = true, .duration_ns = ns};

	assert_int_equal(latency_table__add(table, key, strlen(key) + 1, &value), 0);
}

/* Compares the keys of the rows in their order: "a b (other)". */
static void expect_order(const struct latency_table *table, const char *expected)
{
	char text[256] = "";
	size_t count;
	const struct latency_row **rows = latency_table__sorted(table, &count);

	assert_non_null(rows);
	for (size_t i = 0; i < count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, rows[i]->key ? rows[i]->key : "(other)");
	}
	assert_string_equal(text, expected);
	free(rows);
}

static void rows_are_sorted_by_their_sums(void **state)
{
	struct latency_table *table = latency_table__new(10);

	(void)state;
	expect_order(table, "");
	add(table, "small", 5);
	add(table, "large", 100);
	add(table, "middle", 30);
	expect_order(table, "large middle small");
	add(table, "small", 1000);
	add(table, "alike", 30);
	expect_order(table, "small large alike middle");
	latency_table__clear(table);
	expect_order(table, "");
	add(table, "new", 1);
	expect_order(table, "new");
	latency_table__free(table);
}

static void values_beyond_the_limit_are_in_the_last_row(void **state)
{
	struct latency_table *table = latency_table__new(2);
	const struct latency_row **rows;
	size_t count;

	(void)state;
	add(table, "a", 2);
	add(table, "b", 1);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof(key), "more-%d", i);
		add(table, key, 1000);
	}
	add(table, "b", 1);
	add(table, "b", 1);
	expect_order(table, "b a (other)");
	rows = latency_table__sorted(table, &count);
	assert_int_equal(rows[0]->count, 3);
	assert_int_equal(rows[2]->count, 100);
	assert_int_equal(rows[2]->durations.sum_ns, 100000);
	free(rows);
	latency_table__free(table);
}

static void what_a_row_counts(void **state)
{
	static const struct latency_value values[] = {
		{.is_timed = true, .duration_ns = 7},
		{.is_timed = true, .has_failed = true, .duration_ns = 9},
		{.is_timed = false, .has_failed = true},
		{.is_timed = false},
	};
	struct latency_table *table = latency_table__new(1);
	struct latency_row total;
	const struct latency_row **rows;
	size_t count;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(latency_table__add(table, "key", 4, &values[i]), 0);
	add(table, "other", 100);
	rows = latency_table__sorted(table, &count);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0]->count, 4);
	assert_int_equal(rows[0]->untimed, 2);
	assert_int_equal(rows[0]->failures, 2);
	assert_int_equal(rows[0]->durations.count, 2);
	assert_int_equal(rows[0]->durations.sum_ns, 16);
	assert_int_equal(latency_table__total(table, &total), 0);
	assert_int_equal(total.count, 5);
	assert_int_equal(total.untimed, 2);
	assert_int_equal(total.durations.sum_ns, 116);
	assert_int_equal(total.durations.max_ns, 100);
	histogram__clear(&total.durations);
	free(rows);
	latency_table__free(table);
}

/* Keys are bytes with zeros between the values: the values of "a", "" and "", "a" differ. */
static void keys_are_compared_whole(void **state)
{
	const struct latency_value value = {.is_timed = true, .duration_ns = 1};
	struct latency_table *table = latency_table__new(10);
	const struct latency_row **rows;
	size_t count;

	(void)state;
	assert_int_equal(latency_table__add(table, "a\0", 3, &value), 0);
	assert_int_equal(latency_table__add(table, "\0a", 3, &value), 0);
	assert_int_equal(latency_table__add(table, "a\0", 3, &value), 0);
	rows = latency_table__sorted(table, &count);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0]->count, 2);
	free(rows);
	latency_table__free(table);
}

/* What is promised for 10,000 rows whose durations spread over ten octaves. */
static void memory_of_many_rows(void **state)
{
	struct latency_table *table = latency_table__new(10000);
	char key[32];

	(void)state;
	for (int row = 0; row < 10000; row++) {
		snprintf(key, sizeof(key), "command-%d", row);
		for (int octave = 15; octave < 25; octave++)
			add(table, key, 1ULL << octave);
	}
	assert_in_range(latency_table__bytes(table), 10 << 20, 64 << 20);
	latency_table__free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_by_their_sums),
		cmocka_unit_test(values_beyond_the_limit_are_in_the_last_row),
		cmocka_unit_test(what_a_row_counts),
		cmocka_unit_test(keys_are_compared_whole),
		cmocka_unit_test(memory_of_many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
