// SPDX-License-Identifier: BSD-2-Clause
/* What top counts of commands and steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdbool.h>

#include "steptrace/top/rate.h"
#include "top_fixture.h"

static const struct top_row *found;
static const char *wanted;

static void look_at(void *context, struct top_row *row)
{
	(void)context;
	if (strcmp(row->text, wanted) == 0)
		found = row;
}

/* NULL: there is none. */
static struct top_row *row_named(const struct top_row *command, const char *text)
{
	found = NULL;
	wanted = text;
	top_rows__each(top.rows, command, look_at, NULL);
	return (struct top_row *)(uintptr_t)found;
}

static const struct top_numbers *numbers(const struct top_row *command, const char *text)
{
	const struct top_row *row;

	top__update(&top, stream, top_now_ns);
	row = row_named(command, text);
	if (!row)
		fail_msg("there is no row '%s'", text);
	return &row->shown;
}

/* ---- what ended */

static void commands_and_their_steps(void **state)
{
	const struct top_numbers *shown;
	const struct top_row *command;

	(void)state;
	begin_top(10);
	for (int i = 0; i < 4; i++) {
		feed_begin("triage", 4 * TOP_SECOND);
		feed_step_named("NotifyStep", "tell", 30, OUTCOME_SUCCESS);
		feed_step_named("NotifyStep", "", 40, OUTCOME_FAILURE);
		feed_end("triage", 1000 + (uint64_t)i, i ? OUTCOME_SUCCESS : OUTCOME_FAILURE);
	}
	shown = numbers(NULL, "triage");
	assert_int_equal(shown->count, 4);
	assert_int_equal(shown->failures, 1);
	assert_int_equal(shown->timed, 4);
	assert_int_equal(shown->max_ns, 1003);
	assert_int_equal(shown->p50_ns, 1003); /* the middle of the bucket from 1000 on */
	assert_int_equal(shown->open, 0);
	command = row_named(NULL, "triage");
	assert_int_equal(numbers(command, "tell NotifyStep")->max_ns, 30);
	assert_int_equal(numbers(command, "NotifyStep")->failures, 4);
	assert_null(row_named(command, "(other)"));
	end_top();
}

static void an_end_without_a_beginning_has_no_duration(void **state)
{
	struct command_span command;

	(void)state;
	begin_top(10);
	next_id = 1;
	command = command_named("late");
	command.outcome = OUTCOME_SUCCESS;
	feed(stream,
	     records__with_context(PROBE_COMMAND_DONE, &command, sizeof(command), &command));
	assert_int_equal(numbers(NULL, "late")->count, 1);
	assert_int_equal(numbers(NULL, "late")->timed, 0);
	end_top();
}

static void aborted_ones_are_failures(void **state)
{
	struct termination termination = termination__vanished(RECORD_PID, 6 * TOP_SECOND);

	(void)state;
	begin_top(10);
	feed_begin("doomed", 4 * TOP_SECOND);
	feed_step_begin("FatalStep", "", 5 * TOP_SECOND);
	stream__abort_process(stream, &termination);
	assert_int_equal(numbers(NULL, "doomed")->failures, 1);
	assert_int_equal(numbers(NULL, "doomed")->open, 0);
	assert_int_equal(numbers(row_named(NULL, "doomed"), "FatalStep")->failures, 1);
	end_top();
}

/* ---- limits */

static void further_commands_are_in_other(void **state)
{
	(void)state;
	begin_top(2);
	feed_execution("a", 1, OUTCOME_SUCCESS);
	feed_execution("b", 1, OUTCOME_SUCCESS);
	for (int i = 0; i < 3; i++) {
		feed_begin("c", 4 * TOP_SECOND);
		feed_step_named("S", "", 1, OUTCOME_SUCCESS);
		feed_end("c", 1, OUTCOME_SUCCESS);
	}
	feed_begin("d", 4 * TOP_SECOND);
	assert_int_equal(numbers(NULL, "(other)")->count, 3);
	assert_int_equal(numbers(NULL, "(other)")->open, 1);
	assert_int_equal(numbers(row_named(NULL, "(other)"), "(other)")->count, 3);
	assert_null(row_named(NULL, "c"));
	end_top();
}

static void further_steps_are_in_other_steps_of_their_command(void **state)
{
	(void)state;
	begin_top(2);
	feed_begin("a", 4 * TOP_SECOND);
	for (char type[] = "A"; type[0] < 'F'; type[0]++)
		feed_step_named(type, "", 5, OUTCOME_SUCCESS);
	assert_int_equal(numbers(row_named(NULL, "a"), "B")->count, 1);
	assert_int_equal(numbers(row_named(NULL, "a"), "(other)")->count, 3);
	assert_null(row_named(row_named(NULL, "a"), "C"));
	end_top();
}

static void memory_is_bounded(void **state)
{
	size_t bytes;

	(void)state;
	begin_top(5);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1000; i++) {
			char slug[16];

			snprintf(slug, sizeof(slug), "command-%d", i);
			feed_begin(slug, 4 * TOP_SECOND);
			feed_step_named(slug, "", 100, OUTCOME_SUCCESS);
			feed_end(slug, 100, OUTCOME_SUCCESS);
		}
		if (!round)
			bytes = top_rows__bytes(top.rows);
	}
	assert_int_equal(top_rows__bytes(top.rows), bytes);
	assert_true(bytes < 64 * 1024);
	end_top();
}

/* ---- what is open */

static void the_oldest_open_one(void **state)
{
	const struct top_numbers *shown;

	(void)state;
	begin_top(10);
	feed_begin("hanging", 8 * TOP_SECOND);
	feed_begin("hanging", 6 * TOP_SECOND);
	feed_step_begin("WaitStep", "wait", 7 * TOP_SECOND);
	shown = numbers(NULL, "hanging");
	assert_int_equal(shown->count, 0);
	assert_int_equal(shown->open, 2);
	assert_int_equal(shown->age_ns, 5 * TOP_SECOND);
	assert_false(shown->is_age_more);
	shown = numbers(row_named(NULL, "hanging"), "wait WaitStep");
	assert_int_equal(shown->open, 1);
	assert_int_equal(shown->age_ns, 4 * TOP_SECOND);
	feed_end("hanging", 1, OUTCOME_SUCCESS);
	assert_int_equal(numbers(NULL, "hanging")->open, 1);
	assert_int_equal(numbers(NULL, "hanging")->age_ns, 3 * TOP_SECOND);
	end_top();
}

/* Its first boundary was a step. A stamp of its beginning is there if another tracer was attached;
 * one that lies after that boundary is wrong. */
static void one_that_began_before_the_attach(void **state)
{
	static const struct {
		uint64_t start_ns, age_ns;
		bool is_more;
	} cases[] = {{0, 6, true}, {3, 8, false}, {9, 6, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command_span command;
		struct step_span step;

		begin_top(10);
		next_id = 1;
		command = command_named("earlier");
		command.head.start_ns = cases[i].start_ns * TOP_SECOND;
		step = step_named("S", "");
		feed(stream, records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command));
		assert_int_equal(numbers(NULL, "earlier")->open, 1);
		assert_int_equal(numbers(NULL, "earlier")->age_ns, cases[i].age_ns * TOP_SECOND);
		assert_int_equal(numbers(NULL, "earlier")->is_age_more, cases[i].is_more);
		end_top();
	}
}

/* ---- rates */

static void rates(void **state)
{
	struct rate rate = {.counts = {0}};

	(void)state;
	for (uint64_t tenth = 1000; tenth < 1200; tenth++)
		rate__add(&rate, tenth * TOP_SECOND / 10);
	assert_true(rate__per_second(&rate, TOP_SECOND, 120 * TOP_SECOND) == 10);
	assert_true(rate__per_second(&rate, TOP_SECOND, 122 * TOP_SECOND + 500000000) < 6);
	assert_true(rate__per_second(&rate, TOP_SECOND, 126 * TOP_SECOND) == 0);
	rate__add(&rate, TOP_SECOND); /* too late */
	assert_true(rate__per_second(&rate, TOP_SECOND, 126 * TOP_SECOND) == 0);
}

static void the_rate_of_a_short_time(void **state)
{
	struct rate rate = {.counts = {0}};

	(void)state;
	for (int i = 0; i < 10; i++)
		rate__add(&rate, 10 * TOP_SECOND + 100);
	assert_true(rate__per_second(&rate, 10 * TOP_SECOND, 10 * TOP_SECOND + 500000000) == 20);
	assert_true(rate__per_second(&rate, 10 * TOP_SECOND, 10 * TOP_SECOND) == 0);
}

static void the_rate_of_the_whole_time(void **state)
{
	(void)state;
	begin_top(10);
	top_options.is_once = true;
	for (int i = 0; i < 30; i++)
		feed_execution("a", 1, OUTCOME_SUCCESS);
	assert_true(numbers(NULL, "a")->rate == 3);
	end_top();
}

/* ---- foreign text */

/* A text that fills its member has no zero behind it. */
static void text_that_ends_with_its_member(void **state)
{
	struct command_span command;
	char expected[65];

	(void)state;
	begin_top(10);
	next_id = 1;
	command = command_named("");
	memset(command.slug, 'x', sizeof(command.slug));
	memset(expected, 'x', 64);
	expected[64] = 0;
	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
	assert_int_equal(numbers(NULL, expected)->open, 1);
	end_top();
}

static void text_for_a_terminal(void **state)
{
	(void)state;
	begin_top(10);
	feed_execution("a\033[31m\n\xff", 1, OUTCOME_SUCCESS);
	assert_int_equal(numbers(NULL, "a\\x1b[31m\\n\\xff")->count, 1);
	end_top();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_their_steps),
		cmocka_unit_test(an_end_without_a_beginning_has_no_duration),
		cmocka_unit_test(aborted_ones_are_failures),
		cmocka_unit_test(further_commands_are_in_other),
		cmocka_unit_test(further_steps_are_in_other_steps_of_their_command),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(the_oldest_open_one),
		cmocka_unit_test(one_that_began_before_the_attach),
		cmocka_unit_test(rates),
		cmocka_unit_test(the_rate_of_a_short_time),
		cmocka_unit_test(the_rate_of_the_whole_time),
		cmocka_unit_test(text_that_ends_with_its_member),
		cmocka_unit_test(text_for_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
