// SPDX-License-Identifier: BSD-2-Clause
/* What the stream knows of executions, what it counts as lost, and how its lines are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "refused_memory.h"
#include "steptrace/output/batch.h"
#include "stream_fixture.h"

/* ---- the life of an execution */

static void expect_completed(struct stream *stream, uint64_t steps, const char *complete,
			     const char *steps_lost)
{
	const struct member members[] = {{"complete", complete}, {"steps_lost", steps_lost}};
	struct command_span command = records__command_done(steps);

	written(stream);
	EXPECT_MEMBERS(
		line_of(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command))),
		members);
}

static void lost_steps_are_told(void **state)
{
	struct stream *stream = json_stream();

	(void)state;
	feed_started(stream);
	feed_step(stream);
	feed_step(stream);
	expect_completed(stream, 5, "false", "3");
	feed_started(stream);
	feed_step(stream);
	feed_step(stream);
	expect_completed(stream, 2, "true", "0");
	stream__free(stream);
}

/* As large as it may never become. */
static void feed_without_memory(struct stream *stream, struct record_bytes bytes)
{
	struct json *lines = &stream__lines(stream)->text, before = *lines;

	lines->at = lines->limit = lines->base + PTRDIFF_MAX / 2;
	assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), -ENOMEM);
	*lines = before;
}

/* A line that there was no memory for is lost like any other. */
static void lines_without_memory(void **state)
{
	struct command_span command = records__command();
	struct step_span step = records__step();
	struct stream *stream = json_stream();

	(void)state;
	feed_started(stream);
	feed_step(stream);
	feed_without_memory(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	expect_completed(stream, 2, "false", "1");
	feed_without_memory(stream,
			    records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
	feed_step(stream);
	expect_completed(stream, 1, "false", "0");
	assert_int_equal(lost(stream, LOSS_NOT_WRITTEN), 2);
	stream__free(stream);
}

/* Attached in the middle: the first record brings its command along. */
static void a_command_that_began_unseen(void **state)
{
	struct stream *stream = json_stream();
	struct command_span command = records__command();
	struct step_span step = records__step();
	cJSON *event;

	(void)state;
	event = line_of(stream,
			records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command));
	expect_member(event, "command_slug", "\"fragment.update\"");
	expect_member(event, "source.uid", "1000");
	cJSON_Delete(event);
	feed_step(stream); /* needs no context any more */
	assert_int_equal(lost_at_all(stream), 0);
	expect_completed(stream, 2, "false", "0");
	stream__free(stream);
}

static void an_end_of_which_nothing_else_was_seen(void **state)
{
	static const struct member members[] = {{"command_slug", "\"fragment.update\""},
						{"complete", "false"},
						{"steps_lost", "4"}};
	struct stream *stream = json_stream();
	struct command_span command = records__command_done(4);

	(void)state;
	EXPECT_MEMBERS(line_of(stream, records__with_context(PROBE_COMMAND_DONE, &command,
							     sizeof(command), &command)),
		       members);
	stream__free(stream);
}

static void an_ended_command_is_forgotten(void **state)
{
	struct stream *stream = json_stream();

	(void)state;
	feed_started(stream);
	feed_completed(stream, 0);
	feed_step(stream);
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	assert_int_equal(stream__events_total(stream), 2);
	stream__free(stream);
}

static void too_many_open_commands(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;

	(void)state;
	options.executions_limit = 2;
	stream = stream_with(&options);
	feed_started(stream);
	for (uint8_t i = 0; i < 2; i++) {
		struct command_span other = records__command();

		records__id(other.head.execution_id, (uint8_t)(0x80 + i));
		feed(stream, records__introducing(PROBE_COMMAND_START, &other, sizeof(other)));
	}
	assert_int_equal(stream__forgotten(stream), 1);
	feed_step(stream); /* of the first one */
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	stream__free(stream);
}

/* ---- what makes no line */

static void context_of_another_command_is_not_believed(void **state)
{
	struct stream *stream = json_stream();
	struct command_span command = records__command();
	struct step_span step = records__step();

	(void)state;
	command.head.execution_id[15] ^= 1;
	feed(stream, records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command));
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	assert_string_equal(written(stream), "");
	stream__free(stream);
}

static void steps_of_another_process_are_not_ours(void **state)
{
	struct stream *stream = json_stream();
	struct step_span step = records__step();
	struct record_bytes bytes = records__plain(PROBE_STEP_DONE, &step, sizeof(step));

	(void)state;
	feed_started(stream);
	((struct steptrace_record *)(void *)bytes.bytes)->pid++;
	feed(stream, bytes);
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	stream__free(stream);
}

static void nonsense_is_counted_by_reason(void **state)
{
	struct stream *stream = json_stream();
	struct step_span step = records__step();
	struct record_bytes bytes;

	(void)state;
	feed_started(stream);
	written(stream);
	step.outcome = 77;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step) - 1));
	step.child.head.layout = 2;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	records__open(&bytes, PROBES_COUNT, 0);
	feed(stream, bytes);
	bytes.size_bytes = 3;
	feed(stream, bytes);
	assert_string_equal(written(stream), "");
	assert_int_equal(stream__counts(stream)->lost[EVENT_STEP_EXECUTED][LOSS_INVALID], 2);
	assert_int_equal(stream__counts(stream)->lost[EVENT_STEP_EXECUTED][LOSS_LAYOUT], 1);
	assert_int_equal(stream__counts(stream)->lost[EVENT_NONE][LOSS_INVALID], 2);
	stream__free(stream);
}

static void begin_probes_make_no_line_and_no_loss(void **state)
{
	struct stream *stream = json_stream();
	struct step_span step = records__step();
	struct tool_span tool = records__tool();

	(void)state;
	feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)));
	feed(stream, records__plain(PROBE_TOOL_START, &tool, sizeof(tool)));
	assert_string_equal(written(stream), "");
	assert_int_equal(lost_at_all(stream), 0);
	stream__free(stream);
}

static void after_the_limit_nothing_is_written(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;
	const char *lines;

	(void)state;
	options.events_limit = 2;
	stream = stream_with(&options);
	feed_started(stream);
	assert_false(stream__limit_reached(stream));
	feed_step(stream);
	assert_true(stream__limit_reached(stream));
	feed_step(stream);
	feed_completed(stream, 2);
	assert_int_equal(stream__events_total(stream), 2);
	assert_int_equal(lost_at_all(stream), 0);
	assert_int_equal(stream__counts(stream)->filtered[EVENT_STEP_EXECUTED], 1);
	assert_int_equal(stream__counts(stream)->filtered[EVENT_COMMAND_COMPLETED], 1);
	lines = written(stream);
	assert_non_null(strstr(lines, "dsl.step.executed"));
	assert_null(strstr(lines, "command.execution.completed"));
	stream__free(stream);
}

/* ---- lines that the output refused */

static size_t line_end(struct stream *stream, int line)
{
	struct json *lines = &stream__lines(stream)->text;
	const char *at = lines->base;

	for (; line > 0; line--)
		at = (const char *)memchr(at, '\n', (size_t)(lines->at - at)) + 1;
	return (size_t)(at - lines->base);
}

/* Of four lines so many are out, and the others are counted by kind. */
static void unwritten_lines_are_counted(void **state)
{
	(void)state;
	for (int kept = 0; kept <= 4; kept++) {
		struct line_counts lost = {.events = {0}};
		struct stream *stream = json_stream();
		struct batch *batch;
		size_t out;

		feed_started(stream);
		feed_step(stream);
		feed_step(stream);
		feed_completed(stream, 2);
		out = line_end(stream, kept);
		batch = batch__take(stream);
		assert_string_equal(written(stream), "");
		line_counts__count(&lost, &batch->lines, out);
		assert_int_equal(line_counts__total(&lost), 4 - kept);
		assert_int_equal(lost.events[EVENT_COMMAND_STARTED], kept < 1);
		assert_int_equal(lost.events[EVENT_STEP_EXECUTED],
				 kept < 2 ? 2 : (kept < 3 ? 1 : 0));
		assert_int_equal(lost.events[EVENT_COMMAND_COMPLETED], kept < 4);
		batch__let_go(batch);
		stream__free(stream);
	}
}

/* Lines about the stream itself are no events, and no losses. */
static void unwritten_lines_of_our_own_are_not_counted(void **state)
{
	static const struct line_mark own = {.kind = EVENT_NONE};
	struct line_counts lost = {.events = {0}};
	struct stream *stream = json_stream();
	struct batch *batch;

	(void)state;
	json__raw(&stream__lines(stream)->text, "{\"event\":\"trace.something\"}\n");
	assert_int_equal(lines__mark(stream__lines(stream), &own), 0);
	feed_started(stream);
	json__raw(&stream__lines(stream)->text, "{\"event\":\"trace.something\"}\n");
	assert_int_equal(lines__mark(stream__lines(stream), &own), 0);
	batch = batch__take(stream);
	line_counts__count(&lost, &batch->lines, 0);
	assert_int_equal(line_counts__total(&lost), 1);
	batch__let_go(batch);
	stream__free(stream);
}

/* Many lines are handed over, few are copied; the stream begins anew either way. */
static void lines_are_taken_as_they_are(void **state)
{
	(void)state;
	for (int lines = 1; lines <= 1000; lines += 999) {
		struct stream *stream = json_stream();
		struct batch *batch;
		size_t bytes;

		for (int i = 0; i < lines; i++)
			feed_started(stream);
		bytes = lines__bytes(stream__lines(stream));
		batch = batch__take(stream);
		assert_int_equal(lines__bytes(&batch->lines), bytes);
		assert_int_equal(lines__count(&batch->lines), lines);
		assert_true(batch__bytes(batch) >= bytes);
		assert_int_equal(lines__bytes(stream__lines(stream)), 0);
		feed_started(stream);
		assert_int_equal(lines__count(stream__lines(stream)), 1);
		batch__let_go(batch);
		stream__free(stream);
	}
}

static void losses_from_elsewhere_are_added(void **state)
{
	struct stream *stream = json_stream();

	(void)state;
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 7);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 2);
	assert_int_equal(stream__counts(stream)->lost[EVENT_STEP_EXECUTED][LOSS_BUFFER_FULL], 9);
	assert_int_equal(lost_at_all(stream), 9);
	stream__free(stream);
}

static void many_lines_between_two_writes(void **state)
{
	enum { STEPS = 5000 }; /* more than the buffer begins with */
	struct stream *stream = json_stream();
	const char *at;
	int count = 0;

	(void)state;
	feed_started(stream);
	for (int i = 0; i < STEPS; i++)
		feed_step(stream);
	feed_completed(stream, STEPS);
	at = written(stream);
	for (; (at = strchr(at, '\n')); at++)
		count++;
	assert_int_equal(count, STEPS + 2);
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_steps_are_told),
		cmocka_unit_test(lines_without_memory),
		cmocka_unit_test(a_command_that_began_unseen),
		cmocka_unit_test(an_end_of_which_nothing_else_was_seen),
		cmocka_unit_test(an_ended_command_is_forgotten),
		cmocka_unit_test(too_many_open_commands),
		cmocka_unit_test(context_of_another_command_is_not_believed),
		cmocka_unit_test(steps_of_another_process_are_not_ours),
		cmocka_unit_test(nonsense_is_counted_by_reason),
		cmocka_unit_test(begin_probes_make_no_line_and_no_loss),
		cmocka_unit_test(after_the_limit_nothing_is_written),
		cmocka_unit_test(unwritten_lines_are_counted),
		cmocka_unit_test(unwritten_lines_of_our_own_are_not_counted),
		cmocka_unit_test(lines_are_taken_as_they_are),
		cmocka_unit_test(losses_from_elsewhere_are_added),
		cmocka_unit_test(many_lines_between_two_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
