// SPDX-License-Identifier: BSD-2-Clause
/* Where tags were found, and when the whole memory of a process is searched again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "steptrace/inflight/search_plan.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

/* ---- pages */

/* Compares all runs with a list that 0 ends: from, to, from, to, ... */
static void expect_runs(const struct tag_pages *pages, const uint64_t *expected)
{
	uint64_t from, to;
	size_t at = 0;

	while (tag_pages__next(pages, &at, &from, &to)) {
		assert_int_equal(from, *expected++);
		assert_int_equal(to, *expected++);
	}
	assert_int_equal(*expected, 0);
}

static void adjacent_pages_are_one_run(void **state)
{
	struct tag_pages pages = {0};

	(void)state;
	tag_pages__add(&pages, 0x9ff8);
	tag_pages__add(&pages, 0x5008);
	tag_pages__add(&pages, 0x6000);
	tag_pages__add(&pages, 0x5ff8);
	tag_pages__add(&pages, 0x9000);
	expect_runs(&pages, (const uint64_t[]){0});
	tag_pages__settle(&pages);
	assert_int_equal(pages.count, 3);
	expect_runs(&pages, (const uint64_t[]){0x5000, 0x7000, 0x9000, 0xa000, 0});
	tag_pages__add(&pages, 0x7000);
	tag_pages__add(&pages, 0x5000);
	tag_pages__settle(&pages);
	expect_runs(&pages, (const uint64_t[]){0x5000, 0x8000, 0x9000, 0xa000, 0});
	tag_pages__free(&pages);
	expect_runs(&pages, (const uint64_t[]){0});
}

/* A page stays while a tag is in it at one of the looks between two searches. */
static void a_page_without_tags_is_forgotten(void **state)
{
	struct tag_pages pages = {0};

	(void)state;
	tag_pages__add(&pages, 0x5000);
	tag_pages__add(&pages, 0x7000);
	tag_pages__age(&pages);
	expect_runs(&pages, (const uint64_t[]){0x5000, 0x6000, 0x7000, 0x8000, 0});
	tag_pages__add(&pages, 0x7010);
	tag_pages__settle(&pages);
	tag_pages__age(&pages);
	expect_runs(&pages, (const uint64_t[]){0x7000, 0x8000, 0});
	tag_pages__age(&pages);
	expect_runs(&pages, (const uint64_t[]){0});
	tag_pages__free(&pages);
}

static void pages_are_limited(void **state)
{
	struct tag_pages pages = {0};

	(void)state;
	for (uint64_t i = 0; i < 2 * TAG_PAGES_MAX; i++)
		tag_pages__add(&pages, (2 * i + 1) * TAG_PAGE_BYTES);
	tag_pages__settle(&pages);
	assert_int_equal(pages.count, TAG_PAGES_MAX);
	tag_pages__free(&pages);
}

static void unused_pages_make_room(void **state)
{
	struct tag_pages pages = {0};

	(void)state;
	for (uint64_t i = 0; i < TAG_PAGES_MAX; i++)
		tag_pages__add(&pages, (2 * i + 1) * TAG_PAGE_BYTES);
	tag_pages__age(&pages);
	tag_pages__add(&pages, TAG_PAGE_BYTES); /* one of the old ones */
	tag_pages__add(&pages, 0);
	tag_pages__settle(&pages);
	assert_int_equal(pages.count, 2);
	expect_runs(&pages, (const uint64_t[]){0, 2 * TAG_PAGE_BYTES, 0});
	tag_pages__free(&pages);
}

/* ---- the plan: searches in turn may take 4 % of a processor, and those of new processes 1 % */

static struct search_plan plan;

static int begin(void **state)
{
	(void)state;
	plan = (struct search_plan){.share = 0.05};
	return 0;
}

static int end(void **state)
{
	(void)state;
	search_plan__close(&plan);
	return 0;
}

static const struct search_gaps no_gaps;

/* A look at the processes with the pids `first`, `first` + 1, ... Returns which were searched
 * wholly: bit 0 is the first one. */
static unsigned int look_at(uint64_t now_ns, pid_t first, unsigned int processes, uint64_t cost_ns)
{
	unsigned int searched = 0;

	search_plan__begin_look(&plan, now_ns);
	for (unsigned int i = 0; i < processes; i++) {
		struct planned_process *process = search_plan__process(&plan, first + (pid_t)i, 7);

		assert_non_null(process);
		if (!search_plan__is_due(&plan, process))
			continue;
		search_plan__searched(&plan, process, cost_ns, &no_gaps);
		searched |= 1u << i;
	}
	search_plan__end_look(&plan);
	return searched;
}

static unsigned int look(uint64_t now_ns, unsigned int processes, uint64_t cost_ns)
{
	return look_at(now_ns, 1, processes, cost_ns);
}

static void expect_period(uint64_t expected_ns)
{
	assert_in_range(search_plan__period_ns(&plan), expected_ns - MS, expected_ns + MS);
}

/* 1 ms at each look, ten times a second: 1 % of a processor. */
static void a_small_process_is_always_searched(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(look(S + i * 100 * MS, 1, MS), 1);
	expect_period(25 * MS);
}

/* 200 ms, every 100 ms: once in 5 s. */
static void a_large_one_has_its_share(void **state)
{
	unsigned int searches = 0;

	(void)state;
	assert_int_equal(look(S, 1, 200 * MS), 1);
	for (uint64_t i = 1; i <= 400; i++)
		searches += look(S + i * 100 * MS, 1, 200 * MS);
	assert_in_range(searches, 7, 8);
	expect_period(5 * S);
}

/* Three of 100 ms each: none a second time before all had their turn. */
static void each_has_its_turn(void **state)
{
	unsigned int turns[3] = {0}, all = 0;

	(void)state;
	assert_int_equal(look(S, 3, 100 * MS), 7);
	for (uint64_t i = 1; i <= 1200; i++) {
		unsigned int searched = look(S + i * 100 * MS, 3, 100 * MS);

		for (unsigned int process = 0; process < 3; process++)
			turns[process] += searched >> process & 1;
		for (unsigned int process = 0; process < 3; process++)
			assert_in_range(turns[process], all, all + 1);
		if (turns[0] > all && turns[1] > all && turns[2] > all)
			all++;
	}
	assert_in_range(all, 15, 16); /* 120 s at 4 %: 4.8 s */
	expect_period(7500 * MS);
}

/* Looks that are far apart: what is saved is enough for all, if all together need no more. */
static void rare_looks_search_all(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(look(S + i * 300 * S, 5, 650 * MS), 31);
}

static void a_new_process_does_not_wait(void **state)
{
	(void)state;
	assert_int_equal(look(S, 1, 10 * S), 1);
	assert_int_equal(look(2 * S, 1, 10 * S), 0);
	assert_int_equal(look(3 * S, 2, 10 * S), 2);
	assert_int_equal(look(4 * S, 2, 10 * S), 0);
}

/* A new process of 100 ms at each look, ten times a second: most of them wait, and the process that
 * is known has its turns. */
static void new_processes_without_end(void **state)
{
	unsigned int turns = 0, new = 0;

	(void)state;
	assert_int_equal(look(S, 1, 100 * MS), 1);
	for (uint64_t i = 1; i <= 1000; i++) {
		struct planned_process *process;

		search_plan__begin_look(&plan, S + i * 100 * MS);
		for (pid_t pid = 1; pid <= 2; pid++) {
			process = search_plan__process(&plan, pid, pid == 2 ? i : 7);
			if (!search_plan__is_due(&plan, process))
				continue;
			search_plan__searched(&plan, process, 100 * MS, &no_gaps);
			*(pid == 1 ? &turns : &new) += 1;
		}
		search_plan__end_look(&plan);
	}
	assert_in_range(turns, 38, 40); /* 100 s at 4 % */
	assert_in_range(new, 10, 11);
}

/* The pid has another process now, or the process executes another program. */
static void another_program_does_not_wait(void **state)
{
	struct planned_process *process;

	(void)state;
	assert_int_equal(look(S, 1, 10 * S), 1);
	search_plan__begin_look(&plan, 2 * S);
	process = search_plan__process(&plan, 1, 8);
	tag_pages__add(planned_process__pages(process), 0x5000);
	assert_true(search_plan__is_due(&plan, process));
	search_plan__searched(&plan, process, MS, &no_gaps);
	search_plan__end_look(&plan);
	search_plan__begin_look(&plan, 2 * S + MS);
	process = search_plan__process(&plan, 1, 8);
	assert_false(search_plan__is_due(&plan, process));
	expect_runs(planned_process__pages(process), (const uint64_t[]){0x5000, 0x6000, 0});
	search_plan__end_look(&plan);
	search_plan__begin_look(&plan, 3 * S);
	process = search_plan__process(&plan, 1, 9);
	assert_true(search_plan__is_due(&plan, process));
	expect_runs(planned_process__pages(process), (const uint64_t[]){0});
	search_plan__end_look(&plan);
}

static void a_process_that_is_gone_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(look(S, 2, 10 * S), 3);
	assert_int_equal(look(2 * S, 1, 10 * S), 0);
	assert_int_equal(look(3 * S, 2, 10 * S), 2);
}

/* What the last whole search could not see is known until the next one. */
static void gaps_are_kept(void **state)
{
	const struct search_gaps gaps = {.is_partial = true, .swapped_bytes = 4096, .left_out = 3};
	struct planned_process *process;

	(void)state;
	search_plan__begin_look(&plan, S);
	process = search_plan__process(&plan, 1, 7);
	assert_false(planned_process__gaps(process)->is_partial);
	search_plan__searched(&plan, process, S, &gaps);
	search_plan__end_look(&plan);
	search_plan__begin_look(&plan, 2 * S);
	process = search_plan__process(&plan, 1, 7);
	assert_memory_equal(planned_process__gaps(process), &gaps, sizeof(gaps));
	search_plan__end_look(&plan);
}

/* inflight --older-than 2s --watch: what is open for two seconds is found, whatever it costs. */
static void at_least_so_often(void **state)
{
	(void)state;
	plan.max_age_ns = 2 * S;
	assert_int_equal(look(S, 1, 10 * S), 1);
	assert_int_equal(look(2 * S, 1, 10 * S), 0);
	assert_int_equal(look(3 * S, 1, 10 * S), 1);
	assert_int_equal(look(4 * S, 1, 10 * S), 0);
	assert_int_equal(look(5 * S, 1, 10 * S), 1);
	assert_int_equal(search_plan__period_ns(&plan), 2 * S);
}

/* What was not used in an hour is no reason to search for minutes. */
static void little_is_saved(void **state)
{
	(void)state;
	assert_int_equal(look(S, 1, 200 * MS), 1);
	assert_int_equal(look(3600 * S, 1, 200 * MS), 1);
	assert_int_equal(look_at(3600 * S + MS, 100, 20, 200 * MS), 0x1f); /* new ones: 1 s */
	assert_int_equal(look_at(3600 * S + 2 * MS, 100, 20, 200 * MS), 0x20);
	assert_int_equal(look_at(3600 * S + 3 * MS, 100, 20, 200 * MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adjacent_pages_are_one_run),
		cmocka_unit_test(a_page_without_tags_is_forgotten),
		cmocka_unit_test(pages_are_limited),
		cmocka_unit_test(unused_pages_make_room),
		cmocka_unit_test_setup_teardown(a_small_process_is_always_searched, begin, end),
		cmocka_unit_test_setup_teardown(a_large_one_has_its_share, begin, end),
		cmocka_unit_test_setup_teardown(each_has_its_turn, begin, end),
		cmocka_unit_test_setup_teardown(rare_looks_search_all, begin, end),
		cmocka_unit_test_setup_teardown(a_new_process_does_not_wait, begin, end),
		cmocka_unit_test_setup_teardown(new_processes_without_end, begin, end),
		cmocka_unit_test_setup_teardown(gaps_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(another_program_does_not_wait, begin, end),
		cmocka_unit_test_setup_teardown(a_process_that_is_gone_is_forgotten, begin, end),
		cmocka_unit_test_setup_teardown(at_least_so_often, begin, end),
		cmocka_unit_test_setup_teardown(little_is_saved, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
