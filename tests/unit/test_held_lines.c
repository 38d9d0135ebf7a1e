// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/held_lines.h"

enum { EXECUTIONS = 7, LINE_BYTES_MAX = 5000, OPERATIONS = 20000 };

static uint64_t random_state = 1;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* One line of this length, with its newline, whose text and mark depend on the number. */
static void add_line(struct lines *lines, uint32_t number, size_t bytes)
{
	struct line_mark mark = {.kind = (uint8_t)(1 + number % (EVENT_KINDS_COUNT - 1)),
				 .is_aborted = number % 3 == 0,
				 .pid = number};

	assert_int_equal(json__reserve(&lines->text, bytes), 0);
	memset(lines->text.at, 'a' + (int)(number % 26), bytes);
	lines->text.at[bytes - 1] = '\n';
	lines->text.at += bytes;
	assert_int_equal(lines__mark(lines, &mark), 0);
}

static struct lines one_line(uint32_t number, size_t bytes)
{
	struct lines lines;

	assert_int_equal(lines__init(&lines, 64), 0);
	add_line(&lines, number, bytes);
	return lines;
}

static int hold(struct held_lines *held, struct held_store *store, uint32_t number, size_t bytes)
{
	struct lines lines = one_line(number, bytes);
	int code = held_lines__add(held, store, &lines);

	lines__free(&lines);
	return code;
}

static void expect_lines(const struct lines *lines, const struct lines *expected)
{
	assert_int_equal(lines__bytes(lines), lines__bytes(expected));
	assert_int_equal(lines__count(lines), lines__count(expected));
	assert_memory_equal(lines->text.base, expected->text.base, lines__bytes(expected));
	assert_memory_equal(lines->marks.base, expected->marks.base,
			    json__length(&expected->marks));
}

/* Lines of every length, also those that end where a block ends. */
static void lines_come_back_as_they_were(void **state)
{
	struct held_store store = {.limit_bytes = 64 << 20};
	struct held_lines held = {.first = NULL};
	struct lines expected = {.text = {0}}, lines = {.text = {0}};

	(void)state;
	for (uint32_t bytes = 1; bytes < 3 * HELD_BLOCK_BYTES; bytes++) {
		assert_int_equal(hold(&held, &store, bytes, bytes), 0);
		add_line(&expected, bytes, bytes);
	}
	add_line(&lines, 0, 10); /* the lines are appended */
	assert_int_equal(held_lines__move(&held, &store, &lines), 0);
	memmove(lines.text.base, lines.text.base + 10, lines__bytes(&lines) - 10);
	lines.text.at -= 10;
	memmove(lines.marks.base, lines.marks.base + sizeof(struct line_mark),
		json__length(&lines.marks) - sizeof(struct line_mark));
	lines.marks.at -= sizeof(struct line_mark);
	expect_lines(&lines, &expected);
	assert_int_equal(store.bytes + store.events, 0);
	assert_null(store.oldest);
	lines__free(&lines);
	lines__free(&expected);
}

static void several_lines_at_once(void **state)
{
	struct held_store store = {.limit_bytes = 1 << 20};
	struct held_lines held = {.first = NULL};
	struct lines some = one_line(1, 700), lines = {.text = {0}};

	(void)state;
	add_line(&some, 2, 2000);
	add_line(&some, 3, 5);
	assert_int_equal(held_lines__add(&held, &store, &some), 0);
	assert_int_equal(held.lines_count, 3);
	assert_int_equal(held_lines__move(&held, &store, &lines), 0);
	expect_lines(&lines, &some);
	lines__free(&lines);
	lines__free(&some);
}

static void what_is_counted(void **state)
{
	struct held_store store = {.limit_bytes = 1 << 20};
	struct held_lines held = {.first = NULL};

	(void)state;
	for (uint32_t number = 1; number <= 60; number++)
		assert_int_equal(hold(&held, &store, number, 40), 0);
	for (int kind = 1; kind < EVENT_KINDS_COUNT; kind++)
		assert_int_equal(held.counts.events[kind] + held.counts.aborted[kind], 10);
	assert_int_equal(store.events, 40); /* of three numbers, one is aborted */
	held_lines__clear(&held, &store);
	assert_int_equal(store.bytes + store.events + held.lines_count, 0);
}

/* What the store counts is what malloc() gives. */
static void a_block_has_the_size_that_is_counted(void **state)
{
	void *block = malloc(HELD_BLOCK_BYTES - 8);

	(void)state;
	assert_int_equal(malloc_usable_size(block) + 8, HELD_BLOCK_BYTES);
	free(block);
}

static void the_limit_is_exact(void **state)
{
	struct held_store store = {.limit_bytes = 3 * HELD_BLOCK_BYTES + 1};
	struct held_lines held[2] = {{.first = NULL}, {.first = NULL}};
	size_t lines = 0;

	(void)state;
	while (hold(&held[0], &store, 1, 100) == 0)
		lines++;
	assert_int_equal(store.bytes, 3 * HELD_BLOCK_BYTES);
	assert_int_equal(held[0].lines_count, lines);
	assert_true(lines * 100 > 2 * HELD_BLOCK_BYTES);
	assert_int_equal(hold(&held[1], &store, 2, 1), -ENOSPC);
	assert_int_equal(held[1].lines_count, 0);
	assert_ptr_equal(store.newest, &held[0]);
	held_lines__clear(&held[0], &store);
	assert_int_equal(hold(&held[1], &store, 2, 2 * HELD_BLOCK_BYTES), 0);
	assert_int_equal(hold(&held[1], &store, 2, HELD_BLOCK_BYTES), -ENOSPC);
	held_lines__clear(&held[1], &store);
}

static void the_oldest_is_the_one_with_the_first_line(void **state)
{
	struct held_store store = {.limit_bytes = 1 << 20};
	struct held_lines held[3] = {{.first = NULL}};

	(void)state;
	for (uint32_t number = 0; number < 6; number++)
		assert_int_equal(hold(&held[(number + 1) % 3], &store, number, 9), 0);
	assert_ptr_equal(store.oldest, &held[1]);
	held_lines__clear(&held[2], &store); /* in the middle */
	held_lines__clear(&held[1], &store);
	assert_ptr_equal(store.oldest, &held[0]);
	assert_ptr_equal(store.newest, &held[0]);
	assert_int_equal(hold(&held[1], &store, 1, 9), 0);
	assert_ptr_equal(store.newest, &held[1]);
	held_lines__clear(&held[0], &store);
	held_lines__clear(&held[1], &store);
	assert_null(store.oldest);
	assert_null(store.newest);
}

static uint64_t blocks_of_all(const struct held_lines *held)
{
	uint64_t count = 0;

	for (int i = 0; i < EXECUTIONS; i++)
		count += held[i].blocks_count;
	return count;
}

/* Random lines are added to, moved from and dropped from some executions. */
static void random_operations(void **state)
{
	struct held_store store = {.limit_bytes = 40 * HELD_BLOCK_BYTES};
	struct held_lines held[EXECUTIONS] = {{.first = NULL}};
	struct lines expected[EXECUTIONS] = {{.text = {0}}};
	int full = 0;

	(void)state;
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		size_t bytes = 1 + draw(LINE_BYTES_MAX), at = draw(EXECUTIONS);
		struct lines lines = {.text = {0}};

		if (draw(8)) {
			if (hold(&held[at], &store, i, bytes) == 0)
				add_line(&expected[at], i, bytes);
			else
				full++;
		} else if (draw(2)) {
			assert_int_equal(held_lines__move(&held[at], &store, &lines), 0);
			expect_lines(&lines, &expected[at]);
			lines__clear(&expected[at]);
			lines__free(&lines);
		} else {
			held_lines__clear(&held[at], &store);
			lines__clear(&expected[at]);
		}
		assert_true(store.bytes <= store.limit_bytes);
		assert_int_equal(store.bytes, blocks_of_all(held) * HELD_BLOCK_BYTES);
	}
	assert_true(full > 100);
	for (int i = 0; i < EXECUTIONS; i++) {
		held_lines__clear(&held[i], &store);
		lines__free(&expected[i]);
	}
	assert_int_equal(store.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_back_as_they_were),
		cmocka_unit_test(several_lines_at_once),
		cmocka_unit_test(what_is_counted),
		cmocka_unit_test(a_block_has_the_size_that_is_counted),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(the_oldest_is_the_one_with_the_first_line),
		cmocka_unit_test(random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
