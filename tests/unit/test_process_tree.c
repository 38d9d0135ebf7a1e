// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/attach/process_tree.h"

static void a_name_may_be_anything(void **state)
{
	static const struct {
		const char *stat;
		pid_t parent; /* 0: refused */
	} cases[] = {
		{"17 (sh) S 4 17 17 0 -1", 4},
		{"17 (a b) R 5 17 17 0 -1", 5},
		{"17 (x) S 9 (y) R 6 17 17 0", 6},
		{"17 (\n) ) D 7 1", 7},
		{"17 () Z 8", 8},
		{"", 0},
		{"17 (sh", 0},
		{"17 (sh) S", 0},
		{"17 (sh) S x", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct process_link link = {.parent = -1};

		assert_int_equal(process_link__parse(&link, cases[i].stat), cases[i].parent != 0);
		if (cases[i].parent)
			assert_int_equal(link.parent, cases[i].parent);
	}
}

/* The members 22 (start time) and 28 (start of the stack) of a real line, and others. */
static uint64_t born(const char *name, int flags, const char *started, const char *stack)
{
	struct process_link link = {.parent = -1};
	char stat[512];

	snprintf(stat, sizeof(stat),
		 "17 (%s) S 4 17 17 0 -1 %d 5 0 0 0 1 2 0 0 20 0 1 0 %s 8192 217 "
		 "18446744073709551615 1 1 %s 0 0 0 0",
		 name, flags, started, stack);
	assert_true(process_link__parse(&link, stat));
	return link.born;
}

static void another_process_or_program_is_told(void **state)
{
	const uint64_t first = born("a b) S", 64, "4711", "140736414613360");

	(void)state;
	assert_int_equal(born("sh", 65, "4711", "140736414613360"), first);
	assert_int_not_equal(born("a b) S", 64, "4712", "140736414613360"), first);
	assert_int_not_equal(born("a b) S", 64, "4711", "140736414613376"), first);
	assert_int_not_equal(born("a b) S", 64, "4711", "0"), first);
	assert_int_not_equal(born("a b) S", 64, "4711", "0"), born("a b) S", 64, "4712", "0"));
}

/*	1 - 10 - 20 - 30
 *	     \- 21
 *	40 and 41: each is the parent of the other */
static void who_is_below_whom(void **state)
{
	struct process_link links[] = {{1, 0, 0},   {10, 1, 0},  {20, 10, 0}, {21, 10, 0},
				       {30, 20, 0}, {40, 41, 0}, {41, 40, 0}};
	const struct process_tree tree = {links, sizeof(links) / sizeof(links[0])};

	(void)state;
	assert_true(process_tree__is_below(&tree, 20, 10));
	assert_true(process_tree__is_below(&tree, 30, 10));
	assert_true(process_tree__is_below(&tree, 30, 1));
	assert_true(process_tree__is_below(&tree, 40, 41));
	assert_false(process_tree__is_below(&tree, 10, 10));
	assert_false(process_tree__is_below(&tree, 10, 20));
	assert_false(process_tree__is_below(&tree, 21, 20));
	assert_false(process_tree__is_below(&tree, 40, 10));
	assert_false(process_tree__is_below(&tree, 99, 1));
	assert_false(process_tree__is_below(&tree, 10, 0));
	assert_false(process_tree__is_below(&(struct process_tree){.count = 0}, 10, 1));
}

static void the_real_one(void **state)
{
	struct process_tree tree;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		for (;;)
			pause();
	assert_int_equal(process_tree__read(&tree), 0);
	assert_true(process_tree__is_below(&tree, child, getpid()));
	assert_false(process_tree__is_below(&tree, getpid(), child));
	process_tree__free(&tree);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_may_be_anything),
		cmocka_unit_test(another_process_or_program_is_told),
		cmocka_unit_test(who_is_below_whom),
		cmocka_unit_test(the_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
