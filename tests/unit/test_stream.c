// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "foreign_text.h"
#include "records.h"
#include "refused_memory.h"
#include "steptrace/output/batch.h"
#include "steptrace/stream/stream.h"

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

static struct stream_options options_for(enum stream_format format)
{
	return (struct stream_options){
		.format = format,
		.clock = {.monotonic_ns = 0, .realtime_ns = 1769860800000000000},
	};
}

static struct stream *stream_with(const struct stream_options *options)
{
	struct stream *stream = NULL;

	assert_int_equal(stream__new(options, &stream), 0);
	return stream;
}

static struct stream *json_stream(void)
{
	struct stream_options options = options_for(FORMAT_JSON);

	return stream_with(&options);
}

static void feed(struct stream *stream, struct record_bytes bytes)
{
	assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
}

static void feed_started(struct stream *stream)
{
	struct command_span command = records__command();

	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
}

static void feed_step(struct stream *stream)
{
	struct step_span step = records__step();

	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
}

static void feed_completed(struct stream *stream, uint64_t steps)
{
	struct command_span command = records__command_done(steps);

	feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
}

/* The lines since the last time, which are now written. */
static const char *written(struct stream *stream)
{
	struct json *lines = &stream__lines(stream)->text;

	assert_int_equal(json__reserve(lines, 1), 0);
	*lines->at = 0;
	lines__clear(stream__lines(stream));
	return lines->base;
}

static uint64_t lost(const struct stream *stream, enum loss_reason reason)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		sum += stream__counts(stream)->lost[kind][reason];
	return sum;
}

static uint64_t lost_at_all(const struct stream *stream)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
		sum += lost(stream, (enum loss_reason)reason);
	return sum;
}

/* ---- what the lines look like */

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
	 ",\"complete\":true,\"steps_lost\":0"},
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

static void every_event_for_a_person(void **state)
{
	static const char expected[] =
		"12:00:05.000000     4711  fragment.update       started  api  by local-default\n"
		"12:00:05.000000     4711  fragment.update         DatabaseUpdateStep    set-title"
		"             45.200 ms  3 rows\n"
		"12:00:05.000000     4711  fragment.update         tool shell"
		"                                     500 ns\n"
		"12:00:05.000000     4711  fragment.update         fragment 123 updated\n"
		"12:00:05.000000     4711  fragment.update       done     success"
		"                           1250.800 ms  1 step\n"
		"12:00:05.000000     4711  fragment.update       rejected invalid_argument: "
		"title,,body\n";
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct stream *stream = stream_with(&options);

	(void)state;
	feed_one_of_each(stream);
	assert_string_equal(written(stream), expected);
	stream__free(stream);
}

/* The one line that this record makes, parsed. */
static cJSON *line_of(struct stream *stream, struct record_bytes bytes)
{
	const char *line;
	cJSON *event;

	feed(stream, bytes);
	line = written(stream);
	assert_non_null(strchr(line, '\n'));
	assert_int_equal(strchr(line, '\n')[1], 0);
	event = cJSON_Parse(line);
	if (!event)
		fail_msg("not JSON: %s", line);
	return event;
}

/* The member at "step.name", as JSON text; "-" where there is none. To be freed. */
static char *member_text(const cJSON *event, const char *path)
{
	char name[64];

	while (event && *path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		event = cJSON_GetObjectItemCaseSensitive(event, name);
		path += length + (path[length] == '.');
	}
	return event ? cJSON_PrintUnformatted(event) : strdup("-");
}

static void expect_member(const cJSON *event, const char *path, const char *text)
{
	char *found = member_text(event, path);

	if (strcmp(found, text) != 0)
		fail_msg("%s is %s instead of %s", path, found, text);
	free(found);
}

struct member {
	const char *path, *text;
};

static void expect_members(cJSON *event, const struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_member(event, members[i].path, members[i].text);
	cJSON_Delete(event);
}

#define EXPECT_MEMBERS(event, members)                                                             \
	expect_members(event, members, sizeof(members) / sizeof(*(members)))

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

static void planned_times_from_anywhere(void **state)
{
	static const struct {
		int64_t second;
		const char *text;
	} rows[] = {
		{0, "\"1970-01-01T00:00:00.000000000Z\""},
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

/* A failure always names a category; nothing else does. */
static void error_categories(void **state)
{
	static const struct {
		uint8_t outcome, category;
		const char *text;
	} rows[] = {
		{1, 0, "-"},           {1, 8, "-"},
		{3, 8, "-"},           {2, 8, "\"database\""},
		{2, 0, "\"general\""}, {2, 200, "\"general\""},
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

/* ---- the life of an execution */

static void nested_details_for_a_person(void **state)
{
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct stream *stream = stream_with(&options);
	struct step_span step = records__step();
	const char *line;

	(void)state;
	feed_started(stream);
	written(stream);
	step.child.head.flags = SPAN_ITEMS;
	step.child.head.end_ns = step.child.head.start_ns + 12345678901;
	step.depth = UINT16_MAX; /* is bounded on the screen */
	step.outcome = 2;
	step.error_category = 8;
	step.items_in = 1;
	step.ai_cache = 3;
	step.mutations_count = 1;
	feed(stream, records__at(records__plain(PROBE_STEP_DONE, &step, sizeof(step)),
				 step.child.head.end_ns));
	line = written(stream);
	assert_non_null(strstr(line, "12.346 s   1 row  1 item to 0  cache hit  0 tokens"
				     "  failure: database\n"));
	assert_true(strlen(line) < 200);
	stream__free(stream);
}

/* Whatever the runner's text holds, a terminal is only told to print it. */
static void nothing_for_a_terminal_to_execute(void **state)
{
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct stream *stream = stream_with(&options);
	const char *line;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		struct command_span command = records__command();

		snprintf(command.slug, sizeof(command.slug), "a%cb\xc2%c", byte, byte);
		feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
		line = written(stream);
		for (const uint8_t *at = (const uint8_t *)line; *at != '\n'; at++) {
			size_t count = foreign_text__character(at, 4);

			assert_true(count > 0 && *at >= 0x20 && *at != 0x7f);
			assert_false(count == 2 && at[0] == 0xc2 && at[1] < 0xa0);
			at += count - 1;
		}
	}
	stream__free(stream);
}

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
	assert_int_equal(lost(stream, LOSS_NOT_WRITTEN), 2);
	assert_int_equal(stream__counts(stream)->lost[EVENT_STEP_EXECUTED][LOSS_NOT_WRITTEN], 1);
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

/* ---- whatever the runner says */

static void expect_text_member(const cJSON *event, const char *path, const void *field,
			       size_t bytes)
{
	char expected[3 * 128 + 1];
	const cJSON *member = event;
	char name[32];

	while (*path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		member = cJSON_GetObjectItemCaseSensitive(member, name);
		path += length + (path[length] == '.');
	}
	foreign_text__expected(field, bytes, expected);
	assert_non_null(member);
	assert_string_equal(cJSON_GetStringValue(member), expected);
}

#define EXPECT_TEXT(event, path, field) expect_text_member(event, path, field, sizeof(field))

static void random_bytes(uint64_t *seed, void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)random__next(seed);
}

static struct command_span random_command(uint64_t *seed)
{
	struct command_span command;
	struct span_head head = records__head(sizeof(command), 1);

	random_bytes(seed, &command, sizeof(command));
	memcpy(&command, &head, offsetof(struct span_head, flags));
	random_bytes(seed, &command.head.execution_id, 16);
	command.outcome = (uint8_t)(random__next(seed) % 3 + 1);
	random__text(seed, command.slug, sizeof(command.slug));
	random__text(seed, command.user_id, sizeof(command.user_id));
	random__text(seed, command.request_source, sizeof(command.request_source));
	random__text(seed, command.correlation_id, sizeof(command.correlation_id));
	command.correlation_id[0] = 'x';
	return command;
}

static struct step_span random_step(uint64_t *seed, const struct command_span *command)
{
	struct step_span step;
	struct span_head head = records__head(sizeof(step), 2);

	random_bytes(seed, &step, sizeof(step));
	memcpy(&step, &head, offsetof(struct span_head, flags));
	memcpy(step.child.head.execution_id, command->head.execution_id, 16);
	step.outcome = (uint8_t)(random__next(seed) % 3 + 1);
	random__text(seed, step.type, sizeof(step.type));
	random__text(seed, step.name, sizeof(step.name));
	return step;
}

static void expect_command_texts(const cJSON *event, const struct command_span *command)
{
	EXPECT_TEXT(event, "correlation_id", command->correlation_id);
	EXPECT_TEXT(event, "command_slug", command->slug);
	EXPECT_TEXT(event, "user_id", command->user_id);
}

static void expect_integer(const char *line, const char *name, const char *format, ...)
{
	char expected[96];
	va_list args;

	snprintf(expected, sizeof(expected), "\"%s\":", name);
	va_start(args, format);
	vsnprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), format, args);
	va_end(args);
	if (!strstr(line, expected))
		fail_msg("no %s in %s", expected, line);
}

/* Text by what a parser reads back; integers, which a parser may round, by their digits. */
static void expect_step(struct stream *stream, const struct step_span *step,
			const struct command_span *command)
{
	const char *line = written(stream);
	cJSON *event = cJSON_Parse(line);

	if (!event)
		fail_msg("not JSON: %s", line);
	expect_command_texts(event, command);
	EXPECT_TEXT(event, "step_type", step->type);
	EXPECT_TEXT(event, "step.name", step->name);
	expect_integer(line, "mutations_count", "%" PRIu64 ",", step->mutations_count);
	expect_integer(line, "index", "%u,", step->index);
	expect_integer(line, "depth", "%u,", step->depth);
	if (step->child.head.flags & SPAN_FRAGMENT_ID)
		expect_integer(line, "fragment_id", "%" PRId64 ",", step->fragment_id);
	if (step->child.head.flags & SPAN_ITEMS)
		expect_integer(line, "items", "{\"in\":%" PRIu32 ",\"out\":%" PRIu32 "}",
			       step->items_in, step->items_out);
	cJSON_Delete(event);
}

static void random_spans_come_out_as_they_are(void **state)
{
	struct stream *stream = json_stream();
	uint64_t seed = 77;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct command_span command = random_command(&seed);
		struct step_span step = random_step(&seed, &command);
		cJSON *event;

		event = line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
							     sizeof(command)));
		expect_command_texts(event, &command);
		EXPECT_TEXT(event, "request_source", command.request_source);
		cJSON_Delete(event);
		feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
		expect_step(stream, &step, &command);
		event = line_of(stream,
				records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
		expect_command_texts(event, &command);
		cJSON_Delete(event);
	}
	assert_int_equal(lost_at_all(stream), 0);
	stream__free(stream);
}

/* A record of any probe, with any bytes; half of them with a head that is right. */
static struct record_bytes random_record(uint64_t *seed)
{
	static const size_t span_bytes[] = {392, 392, 472, 240, 240, 160, 160, 88};
	static const uint8_t kinds[] = {1, 1, 5, 2, 2, 3, 3, 4};
	unsigned int probe = random__next(seed) % PROBES_COUNT;
	struct span_head head = records__head(span_bytes[probe], kinds[probe]);
	uint8_t span[512];

	random_bytes(seed, span, sizeof(span));
	head.execution_id[0] = (uint8_t)(random__next(seed) % 4);
	if (random__next(seed) % 2)
		memcpy(span, &head, sizeof(head));
	if (probe == PROBE_COMMAND_START || probe == PROBE_COMMAND_REJECTED)
		return records__introducing(probe, span, span_bytes[probe]);
	if (random__next(seed) % 4 == 0) {
		struct command_span command = records__command();

		memcpy(command.head.execution_id, head.execution_id, 16);
		return records__with_context(probe, span, span_bytes[probe], &command);
	}
	return records__plain(probe, span, span_bytes[probe]);
}

static void every_record_is_an_event_or_a_loss(void **state)
{
	static const enum stream_format formats[] = {FORMAT_JSON, FORMAT_COMPACT};

	(void)state;
	for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
		struct stream_options options = options_for(formats[f]);
		struct stream *stream;
		uint64_t seed = 5, records = 0;

		options.events_limit = 2000;
		stream = stream_with(&options);
		for (int i = 0; i < 30000; i++) {
			struct record_bytes bytes = random_record(&seed);
			const struct steptrace_record *record = (const void *)bytes.bytes;

			records += probes[record->probe].event != EVENT_NONE;
			feed(stream, bytes);
			lines__clear(stream__lines(stream));
		}
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			records += stream__counts(stream)->lost[EVENT_NONE][reason];
		assert_int_equal(stream__events_total(stream), 2000);
		assert_true(lost(stream, LOSS_INVALID) && lost(stream, LOSS_UNATTRIBUTED) &&
			    lost(stream, LOSS_NOT_WRITTEN));
		assert_int_equal(stream__events_total(stream) + lost_at_all(stream), records);
		stream__free(stream);
	}
}

/* The longest lines there can be fit the room that is kept for one. */
static void the_longest_lines(void **state)
{
	struct stream *stream = json_stream();
	struct command_span command = records__command();
	struct rejected_span rejected = records__rejected();
	struct step_span step = records__step();
	size_t front = offsetof(struct command_span, slug);

	(void)state;
	memset((char *)&command + front, 1, sizeof(command) - front);
	memset(command.parent_execution_id, 0xff, 16);
	command.head.flags = UINT32_MAX;
	command.schedule_id = command.schedule_run_id = INT64_MIN;
	cJSON_Delete(line_of(stream,
			     records__introducing(PROBE_COMMAND_START, &command, sizeof(command))));
	memset(rejected.slug, 1, sizeof(rejected) - offsetof(struct rejected_span, slug));
	for (size_t i = 1; i < sizeof(rejected.invalid_fields); i += 2)
		rejected.invalid_fields[i] = ',';
	cJSON_Delete(line_of(
		stream, records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected))));
	memset(step.type, 1, sizeof(step.type) + sizeof(step.name));
	step.child.head.flags = UINT32_MAX;
	step.fragment_id = INT64_MIN;
	step.mutations_count = UINT64_MAX;
	step.child.head.start_ns = 1;
	step.child.head.end_ns = 1ULL << 60;
	step.items_in = step.items_out = step.prompt_tokens = step.completion_tokens = UINT32_MAX;
	step.ai_cache = 2;
	step.outcome = 2;
	step.error_category = 4;
	memset(step.parent_step_id, 0xff, 16);
	cJSON_Delete(
		line_of(stream, records__at(records__plain(PROBE_STEP_DONE, &step, sizeof(step)),
					    step.child.head.end_ns)));
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_with_all_fields),
		cmocka_unit_test(every_event_with_the_seeds_fields),
		cmocka_unit_test(every_event_for_a_person),
		cmocka_unit_test(started_by_a_schedule_and_by_a_command),
		cmocka_unit_test(planned_times_from_anywhere),
		cmocka_unit_test(step_with_everything_to_say),
		cmocka_unit_test(error_categories),
		cmocka_unit_test(tool_of_a_command_with_its_exit_status),
		cmocka_unit_test(without_a_correlation_id_the_execution_id_serves),
		cmocka_unit_test(invalid_fields_are_names),
		cmocka_unit_test(nested_details_for_a_person),
		cmocka_unit_test(nothing_for_a_terminal_to_execute),
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
		cmocka_unit_test(lines_are_taken_as_they_are),
		cmocka_unit_test(unwritten_lines_of_our_own_are_not_counted),
		cmocka_unit_test(losses_from_elsewhere_are_added),
		cmocka_unit_test(many_lines_between_two_writes),
		cmocka_unit_test(random_spans_come_out_as_they_are),
		cmocka_unit_test(every_record_is_an_event_or_a_loss),
		cmocka_unit_test(the_longest_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
