// SPDX-License-Identifier: BSD-2-Clause
/* What the lines say of members that the header got after its first version: the queue, the
 * suspended time, and the outcomes "aborted" and "cancelled" of the runner itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <string.h>

#include "stream_fixture.h"

static cJSON *started_line(struct stream *stream, const struct command_span *command)
{
	return line_of(stream,
		       records__introducing(PROBE_COMMAND_START, command, sizeof(*command)));
}

/* The stream's clock says 5 seconds after 1769860800 for every record. */
static void queues(void **state)
{
	static const struct {
		const char *name;
		uint32_t attempt;
		uint64_t enqueued_at_ns;
		const char *text; /* "-": the member is absent */
	} rows[] = {
		{"", 0, 0, "-"},
		{"", 2, 1769860801000000000, "-"},
		{"high", 2, 1769860801000000000,
		 "{\"name\":\"high\",\"attempt\":2,\"wait_ms\":4000}"},
		{"high", 1, 1769860804999999999,
		 "{\"name\":\"high\",\"attempt\":1,\"wait_ms\":1e-06}"},
		{"high", 1, 1769860805000000000, "{\"name\":\"high\",\"attempt\":1,\"wait_ms\":0}"},
		{"high", 1, 1769860805000000001,
		 "{\"name\":\"high\",\"attempt\":1,\"wait_ms\":null}"}, /* the clocks disagree */
		{"high", 1, UINT64_MAX, "{\"name\":\"high\",\"attempt\":1,\"wait_ms\":null}"},
		{"high", 0, 0, "{\"name\":\"high\",\"attempt\":null,\"wait_ms\":null}"},
	};
	struct stream *stream = json_stream();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct member member = {"queue", rows[i].text};
		struct command_span command = records__command();

		strcpy(command.queue, rows[i].name);
		command.attempt = rows[i].attempt;
		command.enqueued_at_ns = rows[i].enqueued_at_ns;
		expect_members(started_line(stream, &command), &member, 1);
	}
	stream__free(stream);
}

/* Suspended for 5.2 of 45.2 ms, and for 250.8 of 1250.8 ms. */
static void suspended_spans(void **state)
{
	static const struct member of_step[] = {{"duration_ms", "40"}, {"suspended_ms", "5.2"}};
	static const struct member of_command[] = {{"total_duration_ms", "1000"},
						   {"suspended_ms", "250.8"}};
	struct stream *stream = json_stream();
	struct command_span command = records__command_done(1);
	struct step_span step = records__step();

	(void)state;
	feed_started(stream);
	written(stream);
	step.child.head.flags = SPAN_SUSPENDED;
	step.suspended_ns = 5200000;
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       of_step);
	command.head.flags = SPAN_SUSPENDED;
	command.suspended_ns = 250800000;
	EXPECT_MEMBERS(
		line_of(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command))),
		of_command);
	stream__free(stream);
}

static void without_a_start_the_suspended_time_is_not_known(void **state)
{
	static const struct member members[] = {{"duration_ms", "null"}, {"suspended_ms", "null"}};
	struct stream *stream = json_stream();
	struct step_span step = records__step();

	(void)state;
	feed_started(stream);
	written(stream);
	step.child.head.flags = SPAN_SUSPENDED;
	step.child.head.start_ns = 0;
	step.suspended_ns = 5200000;
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       members);
	stream__free(stream);
}

static void feed_step_with(struct stream *stream, uint8_t outcome)
{
	static const char *const names[] = {
		"", "\"success\"", "\"failure\"", "\"skipped\"", "\"aborted\"", "\"cancelled\""};
	const struct member member = {"outcome", names[outcome]};
	struct step_span step = records__step();

	step.outcome = outcome;
	expect_members(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       &member, 1);
}

/* The steps that the runner itself calls aborted or cancelled are executed steps, none is lost, and
 * the command has no object `aborted`. */
static void outcomes_of_the_runner(void **state)
{
	static const struct member members[] = {
		{"outcome", "\"cancelled\""}, {"error_category", "\"cancelled\""},
		{"steps_executed", "5"},      {"steps_successful", "1"},
		{"steps_failed", "1"},        {"complete", "true"},
		{"steps_lost", "0"},          {"aborted", "-"},
	};
	struct stream *stream = json_stream();
	struct command_span command = records__command_done(1);

	(void)state;
	feed_started(stream);
	written(stream);
	for (uint8_t outcome = OUTCOME_SUCCESS; outcome < OUTCOMES_COUNT; outcome++)
		feed_step_with(stream, outcome);
	command.steps_failed = command.steps_skipped = command.steps_aborted = 1;
	command.steps_cancelled = 1;
	command.outcome = OUTCOME_CANCELLED;
	command.error_category = 9;
	EXPECT_MEMBERS(
		line_of(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command))),
		members);
	stream__free(stream);
}

/* A runner with the first header: its spans end before these members. */
static void an_older_runner_says_nothing_of_them(void **state)
{
	static const struct member of_start[] = {{"queue", "-"}};
	static const struct member of_step[] = {{"duration_ms", "45.2"}, {"suspended_ms", "-"}};
	static const struct member of_end[] = {
		{"total_duration_ms", "1250.8"}, {"steps_executed", "1"}, {"suspended_ms", "-"}};
	struct stream *stream = json_stream();
	struct command_span command = records__command(), done = records__command_done(1);
	struct step_span step = records__step();
	size_t command_bytes = offsetof(struct command_span, steps_aborted);

	(void)state;
	memset((char *)&command + command_bytes, 0xff, sizeof(command) - command_bytes);
	memset((char *)&done + command_bytes, 0xff, sizeof(done) - command_bytes);
	step.suspended_ns = UINT64_MAX;
	command.head.size_bytes = done.head.size_bytes = (uint16_t)command_bytes;
	step.child.head.size_bytes = (uint16_t)offsetof(struct step_span, suspended_ns);
	EXPECT_MEMBERS(started_line(stream, &command), of_start);
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       of_step);
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_COMMAND_DONE, &done, sizeof(done))),
		       of_end);
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues),
		cmocka_unit_test(suspended_spans),
		cmocka_unit_test(without_a_start_the_suspended_time_is_not_known),
		cmocka_unit_test(outcomes_of_the_runner),
		cmocka_unit_test(an_older_runner_says_nothing_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
