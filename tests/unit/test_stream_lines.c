// SPDX-License-Identifier: BSD-2-Clause
/* What the lines of the stream look like, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "stream_fixture.h"

#define IDS                                                                                        \
	"\"correlation_id\":\"request-7\",\"execution_id\":\"10111213-1415-1617-1819-1a1b1c1d1e1f\""
#define STEP_ID "\"20212223-2425-2627-2829-2a2b2c2d2e2f\""
#define SLUG    "\"command_slug\":\"fragment.update\""
#define USER    "\"user_id\":\"local-default\""
/* The records' stamp is five seconds of the monotonic clock, which began at 12:00. */
#define COMMON                                                                                     \
	",\"timestamp\":\"2026-01-31T12:00:05.000000000Z\",\"monotonic_ns\":5000000000,"           \
	"\"source\":{\"pid\":4711,\"tid\":4712,\"cpu\":3,"                                         \
	"\"uid\":1000,\"comm\":\"runner\",\"cgroup_id\":99}"

/* One event of each kind, seed's fields and what is said beyond them. */
static const struct expected {
	enum event_kind kind;
	const char *seed, *more;
} expected_lines[] = {
	{EVENT_COMMAND_STARTED,
	 "{\"event\":\"command.execution.started\"," IDS "," SLUG ",\"dry_run\":false," USER
	 ",\"request_source\":\"api\"",
	 ",\"arguments_count\":2"},
	{EVENT_STEP_EXECUTED,
	 "{\"event\":\"dsl.step.executed\"," IDS ",\"step_id\":" STEP_ID
	 ",\"step_type\":\"DatabaseUpdateStep\"," SLUG
	 ",\"fragment_id\":123,\"duration_ms\":45.2,\"mutations_count\":3,"
	 "\"dry_run\":false,\"outcome\":\"success\"," USER,
	 ",\"step\":{\"name\":\"set-title\",\"index\":1,\"depth\":0,\"parent_step_id\":null}"},
	{EVENT_TOOL_COMPLETED,
	 "{\"event\":\"tool.invocation.completed\"," IDS "," SLUG "," USER ",\"step_id\":" STEP_ID
	 ",\"invocation_id\":\"30313233-3435-3637-3839-3a3b3c3d3e3f\",\"tool_slug\":\"shell\","
	 "\"duration_ms\":0.0005,\"outcome\":\"success\",\"exit_status\":null",
	 ""},
	{EVENT_FRAGMENT_CHANGED,
	 "{\"event\":\"fragment.changed\"," IDS "," SLUG "," USER ",\"step_id\":" STEP_ID
	 ",\"fragment_id\":123,\"operation\":\"updated\"",
	 ""},
	{EVENT_COMMAND_COMPLETED,
	 "{\"event\":\"command.execution.completed\"," IDS "," SLUG
	 ",\"total_duration_ms\":1250.8,\"steps_executed\":1,\"steps_successful\":1,"
	 "\"steps_failed\":0,\"dry_run\":false,\"outcome\":\"success\"," USER,
	 ",\"complete\":true,\"steps_lost\":0,\"steps_skipped\":0"},
	{EVENT_VALIDATION_FAILED,
	 "{\"event\":\"command.validation.failed\",\"correlation_id\":\"request-8\","
	 "\"execution_id\":\"10111213-1415-1617-1819-1a1b1c1d1e1f\"," SLUG "," USER
	 ",\"request_source\":\"api\",\"reason\":\"invalid_argument\"",
	 ",\"invalid_fields\":[\"title\",\"body\"]"},
};

/* A record of each kind, in the order of the table. */
static void feed_one_of_each(struct stream *stream)
{
	struct tool_span tool = records__tool();
	struct fragment_span fragment = records__fragment();
	struct rejected_span rejected = records__rejected();

	feed_started(stream);
	feed_step(stream);
	feed(stream, records__plain(PROBE_TOOL_DONE, &tool, sizeof(tool)));
	feed(stream, records__plain(PROBE_FRAGMENT_CHANGED, &fragment, sizeof(fragment)));
	feed_completed(stream, 1);
	feed(stream, records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected)));
}

static void expect_lines(struct stream *stream, bool seed_fields_only)
{
	size_t count = sizeof(expected_lines) / sizeof(*expected_lines);
	const char *at;
	char line[1024];

	_Static_assert(sizeof(expected_lines) / sizeof(*expected_lines) == EVENT_KINDS_COUNT - 1,
		       "an event has no line");
	feed_one_of_each(stream);
	at = written(stream);
	for (size_t i = 0; i < count; i++) {
		const char *end = strchr(at, '\n');
		const struct expected *expected = &expected_lines[i];

		assert_non_null(end);
		snprintf(line, sizeof(line), "%s%s%s}", expected->seed,
			 seed_fields_only ? "" : COMMON, seed_fields_only ? "" : expected->more);
		if (strlen(line) != (size_t)(end - at) || strncmp(at, line, strlen(line)) != 0)
			fail_msg("%.*s\ninstead of\n%s", (int)(end - at), at, line);
		assert_int_equal(stream__counts(stream)->events[expected->kind], 1);
		at = end + 1;
	}
	assert_int_equal(*at, 0);
	assert_int_equal(stream__events_total(stream), count);
	assert_int_equal(lost_at_all(stream), 0);
}

static void every_event_with_all_fields(void **state)
{
	struct stream *stream = json_stream();

	(void)state;
	expect_lines(stream, false);
	stream__free(stream);
}

static void every_event_with_the_seeds_fields(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;

	(void)state;
	options.seed_fields_only = true;
	stream = stream_with(&options);
	expect_lines(stream, true);
	stream__free(stream);
}

static void started_by_a_schedule_and_by_a_command(void **state)
{
	static const struct member members[] = {
		{"schedule.schedule_id", "-5"},
		{"schedule.schedule_run_id", "12"},
		{"schedule.planned_run_at", "\"2026-01-31T11:00:00.000000000Z\""},
		{"parent_execution_id", "\"40414243-4445-4647-4849-4a4b4c4d4e4f\""},
		{"dry_run", "true"},
	};
	struct stream *stream = json_stream();
	struct command_span command = records__command();

	(void)state;
	command.head.flags = SPAN_SCHEDULED | SPAN_DRY_RUN;
	command.schedule_id = -5;
	command.schedule_run_id = 12;
	command.planned_run_at_s = 1769857200;
	records__id(command.parent_execution_id, 0x40);
	EXPECT_MEMBERS(line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
							    sizeof(command))),
		       members);
	stream__free(stream);
}

/* The event of a failure says what one needs to know: no join with other events is needed. */
static void completed_after_a_failure(void **state)
{
	static const struct member members[] = {
		{"steps_skipped", "4"},
		{"parent_execution_id", "\"40414243-4445-4647-4849-4a4b4c4d4e4f\""},
		{"failed_step", "{\"step_id\":\"50515253-5455-5657-5859-5a5b5c5d5e5f\","
				"\"step_type\":\"DatabaseUpdateStep\",\"name\":\"first\"}"},
	};
	struct command_span command = records__command_done(4);
	struct step_span step = records__step();
	struct stream *stream = json_stream();

	(void)state;
	command.outcome = OUTCOME_FAILURE;
	command.steps_skipped = 4;
	records__id(command.parent_execution_id, 0x40);
	feed_started(stream);
	feed_step(stream);
	step.outcome = OUTCOME_FAILURE;
	for (uint8_t i = 0; i < 2; i++) {
		records__id(step.step_id, (uint8_t)(0x50 + i));
		strcpy(step.name, i ? "second" : "first");
		feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	}
	written(stream);
	EXPECT_MEMBERS(
		line_of(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command))),
		members);
	stream__free(stream);
}

/* A success names no failed step; a failure without one says so. */
static void completed_without_a_failed_step(void **state)
{
	static const char *const texts[] = {[OUTCOME_SUCCESS] = "-", [OUTCOME_FAILURE] = "null"};
	struct stream *stream = json_stream();

	(void)state;
	for (uint8_t outcome = OUTCOME_SUCCESS; outcome <= OUTCOME_FAILURE; outcome++) {
		const struct member members[] = {{"failed_step", texts[outcome]},
						 {"parent_execution_id", "-"}};
		struct command_span command = records__command_done(0);

		command.outcome = outcome;
		feed_started(stream);
		written(stream);
		EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_COMMAND_DONE, &command,
							      sizeof(command))),
			       members);
	}
	stream__free(stream);
}

/* Each of the three is null unless the runner has set it. */
static void schedules_that_are_known_in_part(void **state)
{
	static const struct {
		int64_t id, run_id, second;
		const char *schedule;
	} rows[] = {
		{0, 0, 0,
		 "{\"schedule_id\":null,\"schedule_run_id\":null,\"planned_run_at\":null}"},
		{7, 0, 0, "{\"schedule_id\":7,\"schedule_run_id\":null,\"planned_run_at\":null}"},
		{0, 8, 0, "{\"schedule_id\":null,\"schedule_run_id\":8,\"planned_run_at\":null}"},
		{0, 0, 9,
		 "{\"schedule_id\":null,\"schedule_run_id\":null,"
		 "\"planned_run_at\":\"1970-01-01T00:00:09.000000000Z\"}"},
	};
	struct stream *stream = json_stream();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct member member = {"schedule", rows[i].schedule};
		struct command_span command = records__command();

		command.head.flags = SPAN_SCHEDULED;
		command.schedule_id = rows[i].id;
		command.schedule_run_id = rows[i].run_id;
		command.planned_run_at_s = rows[i].second;
		expect_members(line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
								    sizeof(command))),
			       &member, 1);
	}
	stream__free(stream);
}

static void planned_times_from_anywhere(void **state)
{
	static const struct {
		int64_t second;
		const char *text;
	} rows[] = {
		{0, "null"},
		{1, "\"1970-01-01T00:00:01.000000000Z\""},
		{4102444800, "\"2100-01-01T00:00:00.000000000Z\""},
		{-1, "null"},
		{INT64_MIN, "null"},
		{INT64_MAX, "null"},
	};
	struct stream *stream = json_stream();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct member member = {"schedule.planned_run_at", rows[i].text};
		struct command_span command = records__command();

		command.head.flags = SPAN_SCHEDULED;
		command.planned_run_at_s = rows[i].second;
		expect_members(line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
								    sizeof(command))),
			       &member, 1);
	}
	stream__free(stream);
}

static void step_with_everything_to_say(void **state)
{
	static const struct member members[] = {
		{"fragment_id", "null"},
		{"duration_ms", "null"},
		{"outcome", "\"failure\""},
		{"error_category", "\"timeout\""},
		{"items", "{\"in\":7,\"out\":5}"},
		{"ai", "{\"cache\":\"miss\",\"prompt_tokens\":100,\"completion_tokens\":20}"},
		{"step.depth", "2"},
		{"step.parent_step_id", "\"50515253-5455-5657-5859-5a5b5c5d5e5f\""},
	};
	struct stream *stream = json_stream();
	struct step_span step = records__step();

	(void)state;
	feed_started(stream);
	written(stream);
	step.child.head.flags = SPAN_ITEMS;
	step.child.head.start_ns = 0;
	step.outcome = 2;
	step.error_category = 2;
	step.items_in = 7;
	step.items_out = 5;
	step.ai_cache = 2;
	step.prompt_tokens = 100;
	step.completion_tokens = 20;
	step.depth = 2;
	records__id(step.parent_step_id, 0x50);
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       members);
	stream__free(stream);
}

/* A failure always names a category. An aborted or cancelled span names the one that it has. */
static void error_categories(void **state)
{
	static const struct {
		uint8_t outcome, category;
		const char *text;
	} rows[] = {
		{1, 0, "-"},           {1, 8, "-"},
		{3, 8, "-"},           {2, 8, "\"database\""},
		{2, 0, "\"general\""}, {2, 200, "\"general\""},
		{4, 1, "\"general\""}, {5, 9, "\"cancelled\""},
		{4, 0, "-"},           {5, 200, "-"},
		{2, 10, "\"limit\""},
	};
	struct stream *stream = json_stream();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct member member = {"error_category", rows[i].text};
		struct command_span command = records__command_done(0);
		struct step_span step = records__step();

		feed_started(stream);
		written(stream);
		step.outcome = command.outcome = rows[i].outcome;
		step.error_category = command.error_category = rows[i].category;
		expect_members(
			line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
			&member, 1);
		expect_members(line_of(stream, records__plain(PROBE_COMMAND_DONE, &command,
							      sizeof(command))),
			       &member, 1);
	}
	stream__free(stream);
}

static void tool_of_a_command_with_its_exit_status(void **state)
{
	static const struct member members[] = {
		{"step_id", "null"},
		{"exit_status", "-9"},
		{"outcome", "\"failure\""},
		{"error_category", "-"},
	};
	struct stream *stream = json_stream();
	struct tool_span tool = records__tool();

	(void)state;
	feed_started(stream);
	written(stream);
	tool.child.head.flags = SPAN_EXIT_STATUS;
	tool.exit_status = -9;
	tool.outcome = 2;
	memset(tool.step_id, 0, sizeof(tool.step_id));
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_TOOL_DONE, &tool, sizeof(tool))),
		       members);
	stream__free(stream);
}

static void without_a_correlation_id_the_execution_id_serves(void **state)
{
	static const struct member member = {"correlation_id",
					     "\"10111213-1415-1617-1819-1a1b1c1d1e1f\""};
	struct stream *stream = json_stream();
	struct command_span command = records__command();
	struct rejected_span rejected = records__rejected();

	(void)state;
	command.correlation_id[0] = rejected.correlation_id[0] = 0;
	expect_members(line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
							    sizeof(command))),
		       &member, 1);
	expect_members(line_of(stream, records__introducing(PROBE_COMMAND_REJECTED, &rejected,
							    sizeof(rejected))),
		       &member, 1);
	stream__free(stream);
}

static void invalid_fields_are_names(void **state)
{
	static const struct {
		const char *field, *text;
	} rows[] = {
		{"", "[]"},
		{",", "[]"},
		{",,,", "[]"},
		{"title", "[\"title\"]"},
		{"a,b", "[\"a\",\"b\"]"},
		{",a,,b,", "[\"a\",\"b\"]"},
		{"a\",b", "[\"a\\\"\",\"b\"]"},
	};
	struct stream *stream = json_stream();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct member member = {"invalid_fields", rows[i].text};
		struct rejected_span rejected = records__rejected();

		memset(rejected.invalid_fields, 0, sizeof(rejected.invalid_fields));
		memcpy(rejected.invalid_fields, rows[i].field, strlen(rows[i].field));
		expect_members(line_of(stream, records__introducing(PROBE_COMMAND_REJECTED,
								    &rejected, sizeof(rejected))),
			       &member, 1);
	}
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_with_all_fields),
		cmocka_unit_test(every_event_with_the_seeds_fields),
		cmocka_unit_test(started_by_a_schedule_and_by_a_command),
		cmocka_unit_test(schedules_that_are_known_in_part),
		cmocka_unit_test(completed_after_a_failure),
		cmocka_unit_test(completed_without_a_failed_step),
		cmocka_unit_test(planned_times_from_anywhere),
		cmocka_unit_test(step_with_everything_to_say),
		cmocka_unit_test(error_categories),
		cmocka_unit_test(tool_of_a_command_with_its_exit_status),
		cmocka_unit_test(without_a_correlation_id_the_execution_id_serves),
		cmocka_unit_test(invalid_fields_are_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
