// SPDX-License-Identifier: BSD-2-Clause
/* What is claimed of a command whose process ended: nothing that may be wrong because of a loss,
 * and nothing because of what a process of another user says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <string.h>

#include "stream_fixture.h"

static struct stream *stream;

static int set_up(void **state)
{
	(void)state;
	stream = json_stream();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stream__free(stream);
	return 0;
}

/* Another stream in place of the one of set_up(). */
static void use(const struct stream_options *options)
{
	stream__free(stream);
	stream = stream_with(options);
}

static struct step_span step_number(uint8_t id)
{
	struct step_span step = records__step();

	records__id(step.step_id, id);
	return step;
}

static void feed_step_start(uint8_t id)
{
	struct step_span step = step_number(id);

	feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)));
}

/* Records whose outcome makes no sense: only the stream knows that they are lost. */
static void lose_step_end(void)
{
	struct step_span step = step_number(0x20);

	step.outcome = 77;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
}

static void lose_command_end(void)
{
	struct command_span command = records__command_done(0);

	command.outcome = 77;
	feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
}

/* The lines that the end of the process makes. */
static const char *lines_of_death(uint32_t pid)
{
	const struct process_end end = {
		.record = {.pid = pid,
			   .tid = pid,
			   .time_ns = record_time_ns + 1000000,
			   .probe = PROCESS_ENDED},
		.status = 9,
	};
	struct termination termination;

	written(stream);
	assert_int_equal(termination__of_record(&end, sizeof(end), &termination), 0);
	stream__abort_process(stream, &termination);
	return written(stream);
}

static int count(const char *text, const char *word)
{
	int times = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		times++;
	return times;
}

/* What a step has done is known when it ends by itself, and not before. */
static void an_aborted_step_has_no_results(void **state)
{
	struct step_span step = step_number(0x20);
	const char *lines;

	(void)state;
	step.child.head.flags |= SPAN_ITEMS;
	step.items_in = step.items_out = 9;
	step.ai_cache = 1;
	step.mutations_count = 3;
	feed_started(stream);
	feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)));
	lines = lines_of_death(RECORD_PID);
	assert_int_equal(count(lines, "dsl.step.executed"), 1);
	assert_int_equal(count(lines, "\"mutations_count\":0"), 1);
	assert_int_equal(count(lines, "\"items\""), 0);
	assert_int_equal(count(lines, "\"ai\""), 0);
}

/* ---- losses that only the stream knows of */

static void a_lost_end_of_a_step(void **state)
{
	const char *lines;

	(void)state;
	feed_started(stream);
	feed_step_start(0x20);
	lose_step_end();
	lines = lines_of_death(RECORD_PID);
	assert_int_equal(count(lines, "dsl.step.executed"), 0);
	assert_int_equal(count(lines, "command.execution.completed"), 1);
	assert_int_equal(count(lines, "\"complete\":false,\"steps_lost\":null"), 1);
}

static void a_lost_end_of_a_command(void **state)
{
	(void)state;
	feed_started(stream);
	lose_command_end();
	assert_string_equal(lines_of_death(RECORD_PID), "");
}

/* Of a command that began later nothing was lost. */
static void earlier_losses_raise_no_doubt(void **state)
{
	const char *lines;

	(void)state;
	lose_step_end();
	lose_command_end();
	feed_started(stream);
	feed_step_start(0x20);
	lines = lines_of_death(RECORD_PID);
	assert_int_equal(count(lines, "dsl.step.executed"), 1);
	assert_int_equal(count(lines, "\"complete\":true,\"steps_lost\":0"), 1);
}

/* For every reason why a record may be lost. */
static void any_loss_raises_a_doubt(void **state)
{
	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++) {
		feed_started(stream);
		stream__add_loss(stream, EVENT_STEP_EXECUTED, (enum loss_reason)reason, 1);
		assert_int_equal(count(lines_of_death(RECORD_PID), "\"complete\":false"), 1);
		feed_started(stream);
		stream__add_loss(stream, EVENT_COMMAND_COMPLETED, (enum loss_reason)reason, 1);
		assert_string_equal(lines_of_death(RECORD_PID), "");
		tear_down(state);
		set_up(state);
	}
}

/* Where a filter drops steps, the command's own counters do not say how many were lost. */
static void filtered_steps_and_a_loss(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);

	(void)state;
	options.steps_left_out = true;
	for (int is_lost = 0; is_lost < 2; is_lost++) {
		const char *lines;

		use(&options);
		lose_step_end();
		feed_started(stream);
		feed_step(stream);
		if (is_lost)
			lose_step_end();
		written(stream);
		feed_completed(stream, 5);
		lines = written(stream);
		assert_int_equal(count(lines, "\"complete\":true,\"steps_lost\":0"), !is_lost);
		assert_int_equal(count(lines, "\"complete\":false,\"steps_lost\":null"), is_lost);
	}
}

/* ---- --count */

static void aborted_events_count_as_well(void **state)
{
	static const struct {
		uint64_t limit;
		int steps, commands;
	} cases[] = {{1, 0, 0}, {2, 1, 0}, {3, 2, 0}, {4, 2, 1}, {5, 2, 1}};
	struct stream_options options = options_for(FORMAT_JSON);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *lines;

		options.events_limit = cases[i].limit;
		use(&options);
		feed_started(stream);
		feed_step_start(0x20);
		feed_step_start(0x40);
		lines = lines_of_death(RECORD_PID);
		assert_int_equal(count(lines, "dsl.step.executed"), cases[i].steps);
		assert_int_equal(count(lines, "command.execution.completed"), cases[i].commands);
		assert_int_equal(stream__events_total(stream),
				 1 + cases[i].steps + cases[i].commands);
		assert_int_equal(lost_at_all(stream), 0); /* no probe was hit for them */
	}
}

/* ---- a command that another process ends */

enum { CHILD_PID = 5000, SAME_USER = 1000, OTHER_USER = 1001 };

/* The end of the command in another process. */
static void end_in_another_process(uint32_t pid, uint32_t uid)
{
	struct command_span command = records__command_done(0);
	struct record_bytes bytes =
		records__with_context(PROBE_COMMAND_DONE, &command, sizeof(command), &command);
	struct steptrace_record *record = (void *)bytes.bytes;
	struct steptrace_process *process =
		(void *)(bytes.bytes + sizeof(*record) + sizeof(command));

	record->pid = record->tid = pid;
	assert_int_equal(process->uid, SAME_USER);
	process->uid = uid;
	feed(stream, bytes);
}

static void a_fork_may_end_the_command(void **state)
{
	(void)state;
	feed_started(stream);
	end_in_another_process(CHILD_PID, SAME_USER);
	assert_string_equal(lines_of_death(RECORD_PID), "");
}

static void another_user_may_not(void **state)
{
	const char *lines;

	(void)state;
	feed_started(stream);
	end_in_another_process(CHILD_PID, OTHER_USER);
	lines = lines_of_death(RECORD_PID);
	assert_int_equal(count(lines, "\"outcome\":\"aborted\""), 1);
	assert_int_equal(count(lines, "\"complete\":true"), 1);
}

/* The next command gets the memory of the one before, but none of what was known of it. */
static void the_next_command_begins_anew(void **state)
{
	const char *lines;

	(void)state;
	feed_started(stream);
	feed_step(stream);
	end_in_another_process(CHILD_PID, SAME_USER);
	lines_of_death(RECORD_PID);
	feed_started(stream);
	feed_step_start(0x20);
	lines_of_death(RECORD_PID);
	feed_started(stream);
	feed_step_start(0x40);
	lines = lines_of_death(RECORD_PID);
	assert_int_equal(count(lines, "\"outcome\":\"aborted\""), 2);
	assert_int_equal(count(lines, "\"steps_executed\":1,\"steps_successful\":0"), 1);
	assert_int_equal(count(lines, "\"complete\":true,\"steps_lost\":0"), 1);
}

/* ---- what is said to be open */

struct seen {
	int executions, steps;
};

static void see_execution(void *context, const struct execution *execution)
{
	(void)execution;
	((struct seen *)context)->executions++;
}

static void see_step(void *context, const struct execution *execution,
		     const struct begun_step *step)
{
	(void)execution;
	(void)step;
	((struct seen *)context)->steps++;
}

static void expect_open(int executions, int steps)
{
	struct seen seen = {0};
	const struct open_visitor visitor = {see_execution, see_step, &seen};

	stream__each_open(stream, &visitor);
	assert_int_equal(seen.executions, executions);
	assert_int_equal(seen.steps, steps);
}

static void open_until_the_end(void **state)
{
	struct command_span done = records__command_done(0);

	(void)state;
	expect_open(0, 0);
	feed_started(stream);
	feed_step_start(0x21);
	expect_open(1, 1);
	feed(stream, records__plain(PROBE_COMMAND_DONE, &done, sizeof(done)));
	expect_open(0, 0);
}

static void not_open_after_a_loss(void **state)
{
	(void)state;
	feed_started(stream);
	feed_step_start(0x21);
	lose_step_end(); /* perhaps of this step */
	expect_open(1, 0);
	lose_command_end();
	expect_open(0, 0);
}

/* A runner with an older header reports no other end. */
static void not_open_after_a_rejection(void **state)
{
	struct rejected_span rejected = records__rejected();

	(void)state;
	feed_started(stream);
	expect_open(1, 0);
	feed(stream, records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected)));
	expect_open(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_aborted_step_has_no_results, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_end_of_a_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_end_of_a_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(earlier_losses_raise_no_doubt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_loss_raises_a_doubt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(filtered_steps_and_a_loss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(aborted_events_count_as_well, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fork_may_end_the_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_user_may_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_command_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(open_until_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_open_after_a_loss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_open_after_a_rejection, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
