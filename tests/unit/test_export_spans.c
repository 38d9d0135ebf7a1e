// SPDX-License-Identifier: BSD-2-Clause
/* Spans of one execution: how they nest, what is moved, and into how many lanes they are laid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/export/spans.h"

/* Adds a span with a name of one letter. */
static void add(struct spans *spans, char name, uint64_t begin_ns, uint64_t end_ns, uint32_t level,
		uint64_t id, uint64_t parent)
{
	const struct span span = {
		.begin_ns = begin_ns,
		.end_ns = end_ns,
		.level = level,
		.id = id,
		.parent = parent,
		.is_instant = level == UINT32_MAX && begin_ns == end_ns,
		.body = &name,
		.body_bytes = 1,
	};

	assert_int_equal(spans__add(spans, &span), 0);
}

static void put(void *context, const struct span *span, bool is_begin)
{
	char word[64];

	snprintf(word, sizeof(word), "%c%c%llu ", is_begin ? (span->is_instant ? '.' : '+') : '-',
		 span->body[0], (unsigned long long)(is_begin ? span->begin_ns : span->end_ns));
	strcat(context, word);
}

static void assert_lane(const struct spans *spans, int lane, const char *expected)
{
	char text[4096] = "";

	assert_int_equal(spans__walk(spans, lane, put, text), 0);
	assert_string_equal(text, expected);
}

static void assert_moved(const struct spans *spans, char name, int64_t by_ns)
{
	for (size_t i = 0; i < spans->count; i++)
		if (spans->items[i].body[0] == name)
			assert_int_equal(spans->items[i].begin_ns - spans->items[i].given_ns,
					 (uint64_t)by_ns);
}

/* A span comes where it ends: children first. */
static void test_nested(void **state)
{
	struct spans spans = {.count = 0};

	(void)state;
	add(&spans, 't', 20, 30, UINT32_MAX, 0, 11);
	add(&spans, 'a', 15, 40, 2, 11, 10);
	add(&spans, 'f', 45, 45, UINT32_MAX, 0, 10);
	add(&spans, 's', 10, 50, 1, 10, SPANS_COMMAND_ID);
	add(&spans, 'r', 50, 60, 1, 12, SPANS_COMMAND_ID);
	add(&spans, 'c', 5, 60, 0, SPANS_COMMAND_ID, 0);
	assert_int_equal(spans__lay_out(&spans), 1);
	assert_lane(&spans, 0, "+c5 +s10 +a15 +t20 -t30 -a40 .f45 -s50 +r50 -r60 -c60 ");
	assert_lane(&spans, -1, "");
	spans__free(&spans);
}

/* Delays of the end, in both forms. */
static void test_moved(void **state)
{
	struct spans spans = {.count = 0};

	(void)state;
	add(&spans, 'a', 90, 200, 1, 10, SPANS_COMMAND_ID);
	add(&spans, 'x', 195, 250, 2, 12, 11);
	add(&spans, 'b', 195, 300, 1, 11, SPANS_COMMAND_ID);
	add(&spans, 'c', 100, 300, 0, SPANS_COMMAND_ID, 0);
	assert_int_equal(spans__lay_out(&spans), 1);
	assert_lane(&spans, 0, "+c100 +a100 -a200 +b200 +x200 -x250 -b300 -c300 ");
	assert_moved(&spans, 'a', 10);
	assert_moved(&spans, 'b', 5);
	assert_moved(&spans, 'x', 5);
	assert_moved(&spans, 'c', 0);
	spans__free(&spans);
}

/* The stamps of the ends of s and c are late: they seem to begin after the end of a child. */
static void test_extended(void **state)
{
	struct spans spans = {.count = 0};

	(void)state;
	add(&spans, 'a', 100, 110, 2, 11, 10);
	add(&spans, 'b', 120, 160, 2, 12, 10);
	add(&spans, 's', 130, 400, 1, 10, SPANS_COMMAND_ID);
	add(&spans, 'c', 410, 900, 0, SPANS_COMMAND_ID, 0);
	assert_int_equal(spans__lay_out(&spans), 1);
	assert_lane(&spans, 0, "+c100 +s100 +a100 -a110 +b120 -b160 -s400 -c900 ");
	assert_moved(&spans, 'c', -310);
	assert_moved(&spans, 's', -30);
	assert_moved(&spans, 'a', 0);
	spans__free(&spans);
}

/* Longer than any delay: the two did run at the same time. A child goes with its parent. */
static void test_overlap(void **state)
{
	struct spans spans = {.count = 0};

	(void)state;
	add(&spans, 'a', 1000, 5000000, 1, 10, SPANS_COMMAND_ID);
	add(&spans, 'b', 2000, 6000000, 1, 11, SPANS_COMMAND_ID);
	add(&spans, 'd', 3000, 4000000, 2, 12, 11);
	add(&spans, 'c', 0, 6000000, 0, SPANS_COMMAND_ID, 0);
	assert_int_equal(spans__lay_out(&spans), 2);
	assert_lane(&spans, 0, "+c0 +a1000 -a5000000 -c6000000 ");
	assert_lane(&spans, 1, "+b2000 +d3000 -d4000000 -b6000000 ");
	spans__free(&spans);
}

/* All of them overlap: what has no lane is an instant. */
static void test_too_many_lanes(void **state)
{
	struct spans spans = {.count = 0};
	int lanes, without_lane = 0;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		add(&spans, 'a', i * 10, 10000000 + i * 2000000, 1, 10 + i, SPANS_COMMAND_ID);
	lanes = spans__lay_out(&spans);
	assert_int_equal(lanes, SPANS_LANES_MAX);
	for (size_t i = 0; i < spans.count; i++)
		without_lane += spans.items[i].lane < 0;
	assert_int_equal(without_lane, 100 - SPANS_LANES_MAX);
	spans__free(&spans);
}

/* Random spans: in each lane, every end belongs to the beginning that came last. */
struct check {
	const struct span *stack[1000];
	size_t depth, seen;
	uint64_t now;
};

static void check(void *context, const struct span *span, bool is_begin)
{
	struct check *check = context;
	uint64_t at = is_begin ? span->begin_ns : span->end_ns;

	assert_true(at >= check->now);
	check->now = at;
	check->seen += is_begin;
	if (is_begin && !span->is_instant)
		check->stack[check->depth++] = span;
	else if (!is_begin)
		assert_ptr_equal(check->stack[--check->depth], span);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 300; seed++) {
		struct spans spans = {.count = 0};
		size_t count = 1 + seed % 97, seen = 0;
		int lanes;

		srandom(seed);
		for (size_t i = 0; i < count; i++) {
			uint64_t begin = (uint64_t)random() % 40,
				 end = begin + (uint64_t)random() % 9;

			add(&spans, 'a', begin * 700000, end * 700000, (uint32_t)random() % 4,
			    (uint64_t)random() % 20, (uint64_t)random() % 20);
		}
		lanes = spans__lay_out(&spans);
		for (int lane = 0; lane < lanes; lane++) {
			struct check one = {.depth = 0};

			assert_int_equal(spans__walk(&spans, lane, check, &one), 0);
			assert_int_equal(one.depth, 0);
			seen += one.seen;
		}
		for (size_t i = 0; i < spans.count; i++)
			seen += spans.items[i].lane < 0;
		assert_int_equal(seen, count);
		spans__free(&spans);
	}
}

static void test_nothing(void **state)
{
	struct spans spans = {.count = 0};

	(void)state;
	assert_int_equal(spans__lay_out(&spans), 0);
	assert_lane(&spans, 0, "");
	spans__free(&spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),         cmocka_unit_test(test_moved),
		cmocka_unit_test(test_extended),       cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_too_many_lanes), cmocka_unit_test(test_random),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
