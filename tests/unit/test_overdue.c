// SPDX-License-Identifier: BSD-2-Clause
/* --overdue: which commands and steps are reported, each once for each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/inflight/overdue.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

enum { FIRST = 1, SECOND = 2 }; /* bits of the times */

static struct overdue *overdue;
static struct open_row row;

/* ---- the command line */

static void times_of_the_command_line(void **state)
{
	struct overdue_times times = {.count = 0};
	struct error err;

	(void)state;
	assert_int_equal(overdue_times__parse(&times, "5m,30s,1h", &err), 0);
	assert_int_equal(overdue_times__parse(&times, "30s,2s", &err), 0);
	assert_int_equal(times.count, 4);
	assert_int_equal(times.ns[0], 2 * S);
	assert_int_equal(times.ns[1], 30 * S);
	assert_int_equal(times.ns[2], 300 * S);
	assert_int_equal(times.ns[3], 3600 * S);
}

static void what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"fast",
		"1s,",
		",1s",
		"1s,,2",
		"-1s",
		"1 s",
		"1s;2s",
		"99999999999d",
		"1,2,3,4,5,6,7,8,9",
		"0000000000000000000000000000000000000000001s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct overdue_times times = {.count = 0};
		struct error err = {""};

		assert_int_not_equal(overdue_times__parse(&times, bad[i], &err), 0);
		assert_non_null(strstr(err.text, "--overdue"));
	}
}

/* ---- looks */

static void begin(const char *list)
{
	struct overdue_times times = {.count = 0};

	assert_int_equal(overdue_times__parse(&times, list, NULL), 0);
	overdue__free(overdue);
	overdue = overdue__new(&times);
	assert_non_null(overdue);
	memset(&row, 0, sizeof(row));
}

static struct age known(uint64_t ns)
{
	return (struct age){ns, true};
}

static struct age at_least(uint64_t ns)
{
	return (struct age){ns, false};
}

static void set_command(uint64_t address, uint64_t start_ns, struct age age)
{
	row = (struct open_row){.pid = 70, .command_age = age, .is_attached = true};
	row.command.span = (struct open_span){.address = address, .start_ns = start_ns};
}

static void set_step(uint64_t address, uint64_t start_ns, struct age age)
{
	row.has_step = true;
	row.step.span = (struct open_span){.address = address, .start_ns = start_ns};
	row.step_age = age;
}

/* A look that sees only the row. */
static struct overdue_news look(uint64_t now_ns)
{
	struct overdue_news news;

	overdue__begin_look(overdue, now_ns);
	news = overdue__check(overdue, &row);
	overdue__end_look(overdue, NULL, NULL);
	return news;
}

#define EXPECT(news, by_command, by_step)                                                          \
	do {                                                                                       \
		struct overdue_news got_ = (news);                                                 \
		assert_int_equal(got_.command, by_command);                                        \
		assert_int_equal(got_.step, by_step);                                              \
	} while (0)

static void once_for_each_time(void **state)
{
	static const struct {
		uint64_t age_ns;
		unsigned int news;
	} looks[] = {{1 * S, 0}, {2 * S - 1, 0},  {2 * S, FIRST},
		     {3 * S, 0}, {5 * S, SECOND}, {9 * S, 0}};

	(void)state;
	begin("2s,5s");
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		set_command(0x1000, 7 * S, known(looks[i].age_ns));
		EXPECT(look(7 * S + looks[i].age_ns), looks[i].news, 0);
	}
}

static void several_times_in_one_look(void **state)
{
	(void)state;
	begin("2s,5s");
	set_command(0x1000, 7 * S, known(60 * S));
	set_step(0x2000, 66 * S, known(3 * S));
	EXPECT(look(67 * S), FIRST | SECOND, FIRST);
	EXPECT(look(67 * S), 0, 0);
}

static void the_command_before_its_step(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 7 * S, known(2 * S));
	set_step(0x2000, 8 * S, known(1 * S));
	EXPECT(look(9 * S), FIRST, 0);
	set_command(0x1000, 7 * S, known(3 * S));
	set_step(0x2000, 8 * S, known(2 * S));
	EXPECT(look(10 * S), 0, FIRST);
	/* The next step at the same place. */
	set_command(0x1000, 7 * S, known(6 * S));
	set_step(0x2000, 11 * S, known(2 * S));
	EXPECT(look(13 * S), 0, FIRST);
}

static void a_command_with_two_open_steps(void **state)
{
	struct overdue_news news;

	(void)state;
	begin("2s");
	overdue__begin_look(overdue, 10 * S);
	set_command(0x1000, 7 * S, known(3 * S));
	set_step(0x2000, 7 * S, known(3 * S));
	news = overdue__check(overdue, &row);
	EXPECT(news, FIRST, FIRST);
	set_step(0x3000, 8 * S, known(2 * S));
	news = overdue__check(overdue, &row);
	EXPECT(news, 0, FIRST);
	overdue__end_look(overdue, NULL, NULL);
}

static void the_same_place_in_another_process(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 7 * S, known(2 * S));
	EXPECT(look(9 * S), FIRST, 0);
	row.pid = 71;
	EXPECT(look(9 * S), FIRST, 0);
}

static void what_has_ended_is_forgotten(void **state)
{
	(void)state;
	begin("2s");
	for (uint64_t start = 1; start <= 100; start++) {
		set_command(0x1000 * start, start * S, known(1));
		look(start * S);
	}
	assert_in_range(overdue__count(overdue), 1, 4);
}

/* A look may miss a command that is open: the memory was read while the runner changed it. */
static void one_look_that_missed_it(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 7 * S, known(2 * S));
	EXPECT(look(9 * S), FIRST, 0);
	overdue__begin_look(overdue, 10 * S);
	overdue__end_look(overdue, NULL, NULL);
	set_command(0x1000, 7 * S, known(4 * S));
	EXPECT(look(11 * S), 0, 0);
}

/* ---- looks that search only a part of the memory */

static bool nothing_was_searched(void *context, uint32_t pid)
{
	*(uint32_t *)context = pid;
	return false;
}

static void look_at_a_part(uint64_t now_ns)
{
	uint32_t asked = 0;

	overdue__begin_look(overdue, now_ns);
	overdue__end_look(overdue, nothing_was_searched, &asked);
	assert_int_equal(asked, 70);
}

static void what_was_reported_is_not_forgotten(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 7 * S, known(2 * S));
	EXPECT(look(9 * S), FIRST, 0);
	for (unsigned int i = 0; i < 10; i++)
		look_at_a_part((10 + i) * S);
	set_command(0x1000, 7 * S, known(13 * S));
	EXPECT(look(20 * S), 0, 0);
	for (unsigned int i = 0; i < 10; i++)
		look_at_a_part((21 + i) * S);
	for (unsigned int i = 0; i < 3; i++) {
		overdue__begin_look(overdue, (40 + i) * S);
		overdue__end_look(overdue, NULL, NULL);
	}
	assert_int_equal(overdue__count(overdue), 0);
}

static void the_first_look_is_not_forgotten(void **state)
{
	(void)state;
	begin("5s");
	set_command(0x1000, 0, at_least(0));
	EXPECT(look(10 * S), 0, 0);
	for (unsigned int i = 0; i < 4; i++)
		look_at_a_part((11 + i) * S);
	set_command(0x1000, 0, at_least(0));
	EXPECT(look(15 * S), FIRST, 0);
	assert_int_equal(row.command_age.ns, 5 * S);
}

/* What was not reported and has a start time is found again as it was. */
static void the_others_are_forgotten(void **state)
{
	(void)state;
	begin("1h");
	set_command(0x1000, 7 * S, known(2 * S));
	EXPECT(look(9 * S), 0, 0);
	for (unsigned int i = 0; i < 3; i++) {
		overdue__begin_look(overdue, (10 + i) * S);
		overdue__end_look(overdue, nothing_was_searched, &(uint32_t){0});
	}
	assert_int_equal(overdue__count(overdue), 0);
}

/* ---- without a start time */

static void at_least_since_the_first_look(void **state)
{
	(void)state;
	begin("2s,5s");
	set_command(0x1000, 0, at_least(0));
	set_step(0x2000, 0, at_least(1 * S));
	EXPECT(look(100 * S), 0, 0);
	set_command(0x1000, 0, at_least(0));
	set_step(0x2000, 0, at_least(0)); /* its thread has run */
	EXPECT(look(102 * S), FIRST, FIRST);
	assert_int_equal(row.command_age.ns, 2 * S);
	assert_false(row.command_age.is_known);
	assert_int_equal(row.step_age.ns, 2 * S);
	set_command(0x1000, 0, at_least(5 * S));
	set_step(0x2000, 0, at_least(5 * S));
	EXPECT(look(103 * S), SECOND, SECOND);
	assert_int_equal(row.command_age.ns, 5 * S);
}

static void a_known_age_is_not_raised(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 7 * S, known(1 * S));
	EXPECT(look(8 * S), 0, 0);
	EXPECT(look(20 * S), 0, 0);
	assert_int_equal(row.command_age.ns, 1 * S);
}

static void another_command_at_the_same_place(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 0, at_least(0));
	row.command.steps_count = 5;
	EXPECT(look(100 * S), 0, 0);
	row.command.steps_count = 4; /* fewer steps: it has begun again */
	EXPECT(look(103 * S), 0, 0);
	row.command.steps_count = 6;
	EXPECT(look(105 * S), FIRST, 0);
}

static void another_step_at_the_same_place(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 50 * S, known(1));
	set_step(0x2000, 0, at_least(0));
	row.step.index = 3;
	EXPECT(look(100 * S), 0, 0);
	row.step.index = 4;
	EXPECT(look(103 * S), 0, 0);
	EXPECT(look(105 * S), 0, FIRST);
}

static void other_texts_at_the_same_place(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 0, at_least(0));
	strcpy(row.command.correlation_id, "first");
	EXPECT(look(100 * S), 0, 0);
	strcpy(row.command.correlation_id, "second");
	EXPECT(look(103 * S), 0, 0);
	EXPECT(look(105 * S), FIRST, 0);
}

/* No tracer is attached, so one short command after another has no start time. */
static void not_attached(void **state)
{
	(void)state;
	begin("2s");
	for (uint64_t now = 100; now < 110; now++) {
		set_command(0x1000, 0, at_least(0));
		row.is_attached = false;
		EXPECT(look(now * S), 0, 0);
	}
	set_command(0x1000, 0, at_least(0));
	EXPECT(look(110 * S), 0, 0);
	EXPECT(look(111 * S + S / 2), FIRST, 0);
}

/* ---- steps within steps */

static void set_outer(uint64_t address, uint64_t start_ns)
{
	row.outer_steps_count = 1;
	row.outer_steps[0] = (struct outer_step){.address = address, .start_ns = start_ns};
}

/* A loop whose steps come one after the other: between them, it is the innermost step. */
static void an_outer_step_is_reported_once(void **state)
{
	(void)state;
	begin("2s");
	set_command(0x1000, 5 * S, known(5 * S));
	set_step(0x2000, 7 * S, known(3 * S));
	EXPECT(look(10 * S), FIRST, FIRST);
	for (uint64_t now = 11; now < 20; now++) {
		set_command(0x1000, 5 * S, known((now - 5) * S));
		set_step(0x3000, now * S, known(1));
		set_outer(0x2000, 7 * S);
		EXPECT(look(now * S), 0, 0);
	}
	set_command(0x1000, 5 * S, known(15 * S));
	set_step(0x2000, 7 * S, known(13 * S));
	EXPECT(look(20 * S), 0, 0);
}

/* ---- a row from another process */

static void rows_that_make_no_sense(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	assert_true(open_row__is_valid(&row));
	row.outer_steps_count = OPEN_ROW_STEPS_MAX + 1;
	assert_false(open_row__is_valid(&row));
	row.outer_steps_count = 0;
	row.threads_count = OPEN_ROW_THREADS_MAX + 1;
	assert_false(open_row__is_valid(&row));
	row.threads_count = 0;
	memset(row.command.slug, 'x', sizeof(row.command.slug));
	assert_false(open_row__is_valid(&row));
	row.command.slug[0] = 0;
	assert_true(open_row__is_valid(&row));
	memset(row.threads[1].comm, 'x', sizeof(row.threads[1].comm));
	row.threads_count = 1;
	assert_true(open_row__is_valid(&row));
	row.threads_count = 2;
	assert_false(open_row__is_valid(&row));
}

static int free_all(void **state)
{
	(void)state;
	overdue__free(overdue);
	overdue = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_the_command_line),
		cmocka_unit_test(what_is_no_time),
		cmocka_unit_test_teardown(once_for_each_time, free_all),
		cmocka_unit_test_teardown(several_times_in_one_look, free_all),
		cmocka_unit_test_teardown(the_command_before_its_step, free_all),
		cmocka_unit_test_teardown(a_command_with_two_open_steps, free_all),
		cmocka_unit_test_teardown(the_same_place_in_another_process, free_all),
		cmocka_unit_test_teardown(what_has_ended_is_forgotten, free_all),
		cmocka_unit_test_teardown(one_look_that_missed_it, free_all),
		cmocka_unit_test_teardown(what_was_reported_is_not_forgotten, free_all),
		cmocka_unit_test_teardown(the_first_look_is_not_forgotten, free_all),
		cmocka_unit_test_teardown(the_others_are_forgotten, free_all),
		cmocka_unit_test_teardown(at_least_since_the_first_look, free_all),
		cmocka_unit_test_teardown(a_known_age_is_not_raised, free_all),
		cmocka_unit_test_teardown(another_command_at_the_same_place, free_all),
		cmocka_unit_test_teardown(another_step_at_the_same_place, free_all),
		cmocka_unit_test_teardown(other_texts_at_the_same_place, free_all),
		cmocka_unit_test_teardown(not_attached, free_all),
		cmocka_unit_test_teardown(an_outer_step_is_reported_once, free_all),
		cmocka_unit_test(rows_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
