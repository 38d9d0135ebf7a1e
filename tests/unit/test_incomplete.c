// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/output/incomplete.h"

static struct incomplete *incomplete;
static struct lines lines, room;

static int set_up(void **state)
{
	(void)state;
	incomplete = incomplete__new();
	return incomplete && lines__init(&lines, 64) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	incomplete__free(incomplete);
	lines__free(&lines);
	lines__free(&room);
	return 0;
}

static uint64_t known_ns;
static uint32_t pid = 7;

/* Adds a line that belongs to the execution with that number. */
static void add(enum event_kind kind, uint32_t number, const char *text)
{
	struct line_mark mark = {.kind = (uint8_t)kind, .pid = pid, .known_ns = known_ns};

	memcpy(mark.execution_id, &number, sizeof(number));
	assert_int_equal(json__reserve(&lines.text, strlen(text) + 1), 0);
	json__word(&lines.text, text);
	json__raw(&lines.text, "\n");
	assert_int_equal(lines__mark(&lines, &mark), 0);
}

static void miss_all(void)
{
	incomplete__miss(incomplete, &lines, 0);
	lines__clear(&lines);
}

static void check(const char *expected)
{
	const struct lines *got = incomplete__correct(incomplete, &lines, &room);

	assert_int_equal(lines__count(got), lines__count(&lines));
	assert_int_equal(lines__bytes(got), strlen(expected));
	assert_memory_equal(got->text.base, expected, strlen(expected));
	lines__clear(&lines);
}

#define END(complete, lost)                                                                        \
	"{\"slug\":\"a,\\\"complete\\\":true\",\"complete\":" complete ",\"steps_lost\":" lost "}"

static void nothing_missed_nothing_changed(void **state)
{
	(void)state;
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	assert_ptr_equal(incomplete__correct(incomplete, &lines, &room), &lines);
	check(END("true", "0") "\n");
}

static void a_missed_step(void **state)
{
	(void)state;
	add(EVENT_STEP_EXECUTED, 1, "{}");
	add(EVENT_STEP_EXECUTED, 1, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 2, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	add(EVENT_STEP_EXECUTED, 1, END("true", "0"));
	check(END("true", "0") "\n" END("false", "2") "\n" END("true", "0") "\n");
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0")); /* forgotten */
	check(END("true", "0") "\n");
}

/* After a fork, two processes continue the same execution. */
static void two_processes_with_the_same_execution(void **state)
{
	(void)state;
	add(EVENT_STEP_EXECUTED, 1, "{}");
	miss_all();
	pid = 8;
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	check(END("true", "0") "\n");
	pid = 7;
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	check(END("false", "1") "\n");
}

static void a_missed_start(void **state)
{
	(void)state;
	add(EVENT_COMMAND_STARTED, 1, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	check(END("false", "0") "\n");
}

static void losses_of_the_stream_and_of_the_output_are_added(void **state)
{
	(void)state;
	for (uint32_t number = 1; number <= 3; number++)
		add(EVENT_STEP_EXECUTED, number, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 1, END("false", "41"));
	add(EVENT_COMMAND_COMPLETED, 2, END("false", "null"));
	add(EVENT_COMMAND_COMPLETED, 3, "{\"steps_executed\":5}");
	check(END("false", "42") "\n" END("false", "null") "\n{\"steps_executed\":5}\n");
}

static void missed_events_that_do_not_matter(void **state)
{
	(void)state;
	add(EVENT_TOOL_COMPLETED, 1, "{}");
	add(EVENT_FRAGMENT_CHANGED, 1, "{}");
	add(EVENT_VALIDATION_FAILED, 1, "{}");
	add(EVENT_NONE, 1, "{}");
	miss_all();
	add(EVENT_STEP_EXECUTED, 2, "{}");
	add(EVENT_COMMAND_COMPLETED, 2,
	    "{}"); /* the end is missed too, so the execution is forgotten */
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 2, END("true", "0"));
	check(END("true", "0") "\n" END("true", "0") "\n");
}

static void only_lines_after_the_offset_are_missed(void **state)
{
	(void)state;
	add(EVENT_STEP_EXECUTED, 1, "{\"written\":1}");
	add(EVENT_STEP_EXECUTED, 2, "{\"written\":0}");
	incomplete__miss(incomplete, &lines, strlen("{\"written\":1}\n"));
	lines__clear(&lines);
	add(EVENT_COMMAND_COMPLETED, 1, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 2, END("true", "0"));
	check(END("true", "0") "\n" END("false", "1") "\n");
}

/* When there are more executions than the limit, every execution that was known at that time counts
 * as incomplete. Later executions do not. */
static void more_executions_than_the_limit(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 65536; number++)
		add(EVENT_STEP_EXECUTED, number, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 70000, END("true", "0"));
	check(END("true", "0") "\n");
	add(EVENT_STEP_EXECUTED, 65536, "{}");
	miss_all();
	add(EVENT_STEP_EXECUTED, 8, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 65536, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 7, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 8, END("true", "0"));
	check(END("false", "null") "\n" END("false", "null") "\n" END("false", "null") "\n");

	known_ns = clock__now_ns() + 1;
	add(EVENT_STEP_EXECUTED, 70001, "{}");
	miss_all();
	add(EVENT_COMMAND_COMPLETED, 70001, END("true", "0"));
	add(EVENT_COMMAND_COMPLETED, 70002, END("true", "0"));
	check(END("false", "1") "\n" END("true", "0") "\n");
	known_ns = 0;
}

/* Adds and removes executions at random and compares with a plain array. */
static void random_changes_against_an_array(void **state)
{
	enum { EXECUTIONS = 700, ROUNDS = 60000 };
	static uint64_t missed[EXECUTIONS];
	char expected[200];

	(void)state;
	srand(20261127);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t number = (uint32_t)rand() % EXECUTIONS;

		if (rand() % 3) {
			add(EVENT_STEP_EXECUTED, number, "{}");
			miss_all();
			missed[number]++;
			continue;
		}
		snprintf(expected, sizeof(expected), END("%s", "%d") "\n",
			 missed[number] ? "false" : "true", (int)missed[number]);
		add(EVENT_COMMAND_COMPLETED, number, END("true", "0"));
		check(expected);
		missed[number] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_missed_nothing_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missed_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_processes_with_the_same_execution, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missed_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(losses_of_the_stream_and_of_the_output_are_added,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(missed_events_that_do_not_matter, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(only_lines_after_the_offset_are_missed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(more_executions_than_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_changes_against_an_array, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
