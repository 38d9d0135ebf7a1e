// SPDX-License-Identifier: BSD-2-Clause
/* Compact lines: what they say, their columns, and that a terminal only prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"
#include "foreign_text.h"
#include "steptrace/stream/trace_events.h"
#include "stream_fixture.h"

static struct stream *text_stream(unsigned int columns)
{
	struct stream_options options = options_for(FORMAT_COMPACT);

	options.text.columns = columns;
	return stream_with(&options);
}

static void feed_tool(struct stream *stream, const struct tool_span *tool)
{
	feed(stream, records__plain(PROBE_TOOL_DONE, tool, sizeof(*tool)));
}

static void feed_fragment(struct stream *stream, const struct fragment_span *fragment)
{
	feed(stream, records__plain(PROBE_FRAGMENT_CHANGED, fragment, sizeof(*fragment)));
}

static void feed_rejected(struct stream *stream, const struct rejected_span *rejected)
{
	feed(stream, records__introducing(PROBE_COMMAND_REJECTED, rejected, sizeof(*rejected)));
}

static void feed_step_as(struct stream *stream, unsigned int probe, const struct step_span *step)
{
	feed(stream, records__plain(probe, step, sizeof(*step)));
}

static void feed_one_of_each(struct stream *stream)
{
	static const struct trace_facts facts = {.host = "h"};
	struct tool_span tool = records__tool();
	struct fragment_span fragment = records__fragment();
	struct rejected_span rejected = records__rejected();

	assert_int_equal(trace_events__started(stream, &facts), 0);
	feed_started(stream);
	feed_tool(stream, &tool);
	feed_fragment(stream, &fragment);
	feed_step(stream);
	feed_completed(stream, 1);
	feed_rejected(stream, &rejected);
}

static void expect(const char *found, const char *expected)
{
	if (strcmp(found, expected) != 0)
		fail_msg("\n%sinstead of\n%s", found, expected);
}

/* The part of a line behind the command's name. */
static const char *said(struct stream *stream)
{
	static const char slug[] = "  fragment.update   ";
	const char *line = written(stream), *at = strstr(line, slug);

	assert_non_null(at);
	return at + strlen(slug);
}

static void every_event_in_a_file(void **state)
{
	struct stream *stream = text_stream(0);

	(void)state;
	feed_one_of_each(stream);
	expect(written(stream),
	       "TIME (UTC)           PID  ID        COMMAND           EVENT"
	       "                         DURATION\n"
#define FRONT "12:00:05.000000     4711  1c1d1e1f  fragment.update   "
	       FRONT "started  api  req request-7  by local-default\n" FRONT
	       "    tool shell                  500 ns\n" FRONT "    fragment 123 updated\n" FRONT
	       "  set-title DatabaseUpdateStep  45.2 ms  3 rows\n" FRONT
	       "done  success                   1.25 s  1 step\n" FRONT
	       "rejected  invalid_argument: title,,body"
	       "  req request-8  by local-default\n");
	stream__free(stream);
}

/* ---- the columns */

static unsigned int widest_line(const char *text)
{
	unsigned int widest = 0;

	while (*text) {
		size_t bytes = strcspn(text, "\n");
		unsigned int columns = (unsigned int)printable__columns(text, bytes);

		widest = columns > widest ? columns : widest;
		text += bytes + 1;
	}
	return widest;
}

/* Whatever the texts are, no line is wider than the terminal; the failure and the duration are
 * still there. */
static void lines_fit_the_terminal(void **state)
{
	static const unsigned int widths[] = {60, 72, 80, 99, 100, 119, 120, 132, 200, 240};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		struct stream *stream = text_stream(widths[i]);
		struct step_span step = records__step();
		const char *text;

		memset(step.name, 'n', sizeof(step.name));
		memset(step.type, 'T', sizeof(step.type));
		step.depth = 3;
		step.outcome = OUTCOME_FAILURE;
		step.error_category = 8;
		feed_one_of_each(stream);
		feed_started(stream);
		feed_step_as(stream, PROBE_STEP_DONE, &step);
		text = written(stream);
		assert_in_range(widest_line(text), 1, widths[i]);
		assert_int_equal(strstr(text, "…") != NULL, widths[i] < 240);
		if (widths[i] >= 80 && !strstr(text, "45.2 ms  failure: database"))
			fail_msg("\n%s", text);
		stream__free(stream);
	}
}

/* Wide and combining characters, escapes: columns are counted, not bytes. */
static void columns_of_foreign_text(void **state)
{
	static const char *const slugs[] = {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
					    "e\xcc\x81tude", "a\nb\x1b[2J", "\xff\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(slugs) / sizeof(slugs[0]); i++) {
		struct stream *stream = text_stream(100);
		struct command_span command = records__command();
		const char *line, *at;

		snprintf(command.slug, sizeof(command.slug), "%s", slugs[i]);
		feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
		line = written(stream);
		at = strstr(line, "started");
		assert_non_null(at);
		assert_int_equal(printable__columns(line, (size_t)(at - line)), 51);
		stream__free(stream);
	}
}

/* ---- what they say */

static void what_is_missing_is_not_named(void **state)
{
	struct stream *stream = text_stream(0);
	struct command_span command = records__command();

	(void)state;
	memset(command.user_id, 0, sizeof(command.user_id));
	memset(command.request_source, 0, sizeof(command.request_source));
	memset(command.correlation_id, 0, sizeof(command.correlation_id));
	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
	expect(said(stream), "started\n");
	stream__free(stream);
}

static void a_request_is_shortened(void **state)
{
	static const struct {
		const char *id, *shown;
	} rows[] = {
		{"req-42", "req-42"},
		{"5e0c7c1a-0d6f-4a54-9e0c-0123456789ab", "456789ab"},
		{"5e0c7c1a-0d6f-4a54-9e0c-0123456789aX", "5e0c7c1a-0d6f-4a54-9e0c…"},
		{"twenty-four-characters-!", "twenty-four-characters-!"},
		{"twenty-five-characters-!!", "twenty-five-characters-…"},
		{"twenty-two-characters-\xc3\xa9\xc3\xa9", "twenty-two-characters-…"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *stream = text_stream(0);
		struct rejected_span rejected = records__rejected();
		char expected[128];

		snprintf(rejected.correlation_id, sizeof(rejected.correlation_id), "%s",
			 rows[i].id);
		feed_rejected(stream, &rejected);
		snprintf(expected, sizeof(expected),
			 "rejected  invalid_argument: title,,body  req %s  by local-default\n",
			 rows[i].shown);
		expect(said(stream), expected);
		stream__free(stream);
	}
}

static void every_detail_of_a_step(void **state)
{
	struct stream *stream = text_stream(0);
	struct step_span step = records__step();

	(void)state;
	feed_started(stream);
	written(stream);
	step.child.head.flags = SPAN_ITEMS;
	step.depth = UINT16_MAX; /* the indentation is limited */
	step.outcome = OUTCOME_FAILURE;
	step.error_category = 8;
	step.items_in = 1;
	step.ai_cache = 3;
	step.mutations_count = 1;
	feed_step_as(stream, PROBE_STEP_DONE, &step);
	expect(said(stream), "                  set-title DatabaseUpdateStep  45.2 ms"
			     "  failure: database"
			     "  1 row  1 item to 0  cache hit, 0 tokens  req request-7\n");
	stream__free(stream);
}

/* The clock of the stream says 5 seconds after 1769860800 for every record. */
static void the_time_in_a_queue(void **state)
{
	static const struct {
		const char *queue;
		uint64_t enqueued_at_ns;
		const char *shown;
	} rows[] = {
		{"high", 1769860801000000000, "  queued 4.00 s"},
		{"high", 1769860804987500000, "  queued 12.5 ms"},
		{"high", 1769860804999999999, "  queued 1 ns"},
		{"high", 1769860805000000000, ""}, /* it did not wait */
		{"high", 1769860805000000001, ""}, /* the clocks disagree */
		{"high", UINT64_MAX, ""},
		{"high", 0, ""}, /* not known */
		{"", 1769860801000000000, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_span command = records__command();
		struct stream *stream = text_stream(0);
		char expected[96];

		strcpy(command.queue, rows[i].queue);
		command.enqueued_at_ns = rows[i].enqueued_at_ns;
		feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
		snprintf(expected, sizeof(expected),
			 "started  api%s  req request-7  by local-default\n", rows[i].shown);
		expect(said(stream), expected);
		stream__free(stream);
	}
}

/* A step of 45.2 ms and its command of 1250.8 ms. */
static void the_suspended_time(void **state)
{
	static const struct {
		uint32_t flags;
		uint64_t ns;
		const char *step, *command;
	} rows[] = {
		{SPAN_SUSPENDED, 5200000, " 40.0 ms  suspended 5.20 ms  3 rows\n",
		 " 1.25 s  1 step  suspended 5.20 ms\n"},
		{SPAN_SUSPENDED, 0, " 45.2 ms  3 rows\n", " 1.25 s  1 step\n"},
		{SPAN_SUSPENDED, UINT64_MAX, " ?  3 rows\n", " ?  1 step\n"},
		{0, 5200000, " 45.2 ms  3 rows\n", " 1.25 s  1 step\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_span command = records__command_done(1);
		struct stream *stream = text_stream(0);
		struct step_span step = records__step();
		const char *line;

		step.child.head.flags = command.head.flags = rows[i].flags;
		step.suspended_ns = command.suspended_ns = rows[i].ns;
		feed_started(stream);
		written(stream);
		feed_step_as(stream, PROBE_STEP_DONE, &step);
		line = said(stream);
		assert_non_null(strstr(line, rows[i].step));
		feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
		line = said(stream);
		if (!strstr(line, rows[i].command))
			fail_msg("%s in %s", rows[i].command, line);
		stream__free(stream);
	}
}

/* In a file, long details do not move the duration to the left. */
static void durations_stay_in_their_column(void **state)
{
	struct stream *stream = text_stream(0);
	struct step_span step = records__step();

	(void)state;
	memset(step.name, 0, sizeof(step.name));
	step.outcome = OUTCOME_FAILURE;
	feed_started(stream);
	written(stream);
	feed_step_as(stream, PROBE_STEP_DONE, &step);
	expect(said(stream),
	       "  DatabaseUpdateStep           45.2 ms  failure  3 rows  req request-7\n");
	stream__free(stream);
}

static void durations_with_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *shown;
	} rows[] = {
		{0, "  0 ns"},          {999, " 999 ns"},        {1000, " 1.00 us"},
		{9994, " 9.99 us"},     {9995, " 10.0 us"},      {99949, " 99.9 us"},
		{99950, " 100 us"},     {999499, " 999 us"},     {999500, " 1.00 ms"},
		{45200000, " 45.2 ms"}, {1250800000, " 1.25 s"}, {86400000000000, " 86400 s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *stream = text_stream(0);
		struct step_span step = records__step();
		const char *line;

		feed_started(stream);
		step.mutations_count = 0;
		step.child.head.end_ns = step.child.head.start_ns + rows[i].ns;
		feed(stream, records__at(records__plain(PROBE_STEP_DONE, &step, sizeof(step)),
					 step.child.head.end_ns));
		line = written(stream);
		if (!strstr(line, rows[i].shown))
			fail_msg("%s in %s", rows[i].shown, line);
		stream__free(stream);
	}
}

/* step 1 { step 1.1 { tool, fragment } }, and a tool of the command itself */
static void tools_stand_at_the_depth_of_their_step(void **state)
{
	struct stream *stream = text_stream(0);
	struct step_span outer = records__step(), inner = records__step();
	struct fragment_span fragment = records__fragment();
	struct tool_span tool = records__tool();

	(void)state;
	inner.depth = 1;
	records__id(inner.step_id, 0x60);
	memcpy(inner.parent_step_id, outer.step_id, 16);
	feed_started(stream);
	feed_step_as(stream, PROBE_STEP_START, &outer);
	feed_step_as(stream, PROBE_STEP_START, &inner);
	written(stream);
	memcpy(tool.step_id, inner.step_id, 16);
	memcpy(fragment.step_id, inner.step_id, 16);
	feed_tool(stream, &tool);
	expect(said(stream), "      tool shell                500 ns\n");
	feed_fragment(stream, &fragment);
	expect(said(stream), "      fragment 123 updated\n");
	memcpy(tool.step_id, outer.step_id, 16);
	feed_tool(stream, &tool);
	expect(said(stream), "    tool shell                  500 ns\n");
	memset(tool.step_id, 0, 16);
	feed_tool(stream, &tool);
	expect(said(stream), "  tool shell                    500 ns\n");
	records__id(tool.step_id, 0x70); /* a step whose beginning was not seen */
	feed_tool(stream, &tool);
	expect(said(stream), "    tool shell                  500 ns\n");
	stream__free(stream);
}

static void the_exit_status_of_a_tool(void **state)
{
	static const struct {
		uint32_t flags;
		int32_t status;
		uint8_t outcome;
		const char *shown;
	} rows[] = {
		{0, 7, OUTCOME_SUCCESS, "500 ns\n"},
		{SPAN_EXIT_STATUS, 0, OUTCOME_SUCCESS, "500 ns  exit 0\n"},
		{SPAN_EXIT_STATUS, 3, OUTCOME_FAILURE, "500 ns  failure  exit 3  req request-7\n"},
		{SPAN_EXIT_STATUS, -1, OUTCOME_SKIPPED, "500 ns  skipped  exit -1\n"},
	};
	struct stream *stream = text_stream(0);

	(void)state;
	feed_started(stream);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tool_span tool = records__tool();

		tool.child.head.flags = rows[i].flags;
		tool.exit_status = rows[i].status;
		tool.outcome = rows[i].outcome;
		written(stream);
		feed_tool(stream, &tool);
		expect(strstr(said(stream), "500 ns"), rows[i].shown);
	}
	stream__free(stream);
}

/* What was not seen: a recording that began in the middle, and steps that were lost. */
static void steps_that_were_not_seen(void **state)
{
	static const struct {
		bool start_seen;
		uint64_t steps, seen;
		const char *shown;
	} rows[] = {
		{true, 2, 2, "  2 steps\n"},
		{true, 2, 1, "  2 steps  (1 step not seen)\n"},
		{true, 7, 1, "  7 steps  (6 steps not seen)\n"},
		{false, 2, 2, "  2 steps  (beginning not seen)\n"},
		{false, 7, 2, "  7 steps  (beginning and 5 steps not seen)\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_span command = records__command_done(rows[i].steps);
		struct stream *stream = text_stream(0);
		struct step_span step = records__step();

		if (rows[i].start_seen)
			feed_started(stream);
		for (uint64_t seen = 0; seen < rows[i].seen; seen++)
			feed(stream,
			     records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command));
		written(stream);
		feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
		expect(strstr(said(stream), "  1.25 s") + strlen("  1.25 s"), rows[i].shown);
		stream__free(stream);
	}
}

static void an_aborted_command_names_its_request(void **state)
{
	const struct termination killed = {
		.record = {.time_ns = record_time_ns, .pid = RECORD_PID, .tid = RECORD_PID},
		.cause = TERMINATION_KILLED,
		.number = SIGKILL};
	struct stream *stream = text_stream(0);
	struct step_span step = records__step();
	const char *lines;

	(void)state;
	feed_started(stream);
	feed_step_as(stream, PROBE_STEP_START, &step);
	written(stream);
	stream__abort_process(stream, &killed);
	lines = written(stream);
	assert_non_null(strstr(lines, "set-title DatabaseUpdateStep"));
	assert_non_null(strstr(lines, "  aborted  req request-7\n"));
	assert_non_null(strstr(lines, "done  aborted"));
	assert_non_null(strstr(lines, "  SIGKILL in set-title  req request-7  1 step\n"));
	stream__free(stream);
}

/* Four threads of one process at once. */
static void executions_differ_by_their_ids(void **state)
{
	struct stream *stream = text_stream(0);
	char seen[4][16] = {""};

	(void)state;
	for (uint8_t thread = 0; thread < 4; thread++) {
		struct command_span command = records__command();

		command.head.execution_id[15] = thread;
		feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
		assert_int_equal(sscanf(written(stream), "%*s 4711 %8[0-9a-f] ", seen[thread]), 1);
		for (uint8_t other = 0; other < thread; other++)
			assert_string_not_equal(seen[thread], seen[other]);
	}
	assert_string_equal(seen[3], "1c1d1e03");
	stream__free(stream);
}

static void whole_ids(void **state)
{
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct rejected_span rejected = records__rejected();
	struct stream *stream;

	(void)state;
	options.text = (struct text_style){.columns = 80, .has_ids = true};
	stream = stream_with(&options);
	feed_started(stream);
	assert_non_null(strstr(written(stream), "  execution 10111213-1415-1617-1819-1a1b1c1d1e1f"
						"  req request-7  thread 4712\n"));
	feed_rejected(stream, &rejected);
	assert_non_null(strstr(written(stream), "  execution 10111213-1415-1617-1819-1a1b1c1d1e1f"
						"  req request-8  thread 4712\n"));
	stream__free(stream);
}

/* ---- for a terminal */

static void colours_only_where_they_are_wanted(void **state)
{
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct step_span step = records__step();
	struct stream *stream;
	const char *text;

	(void)state;
	step.outcome = OUTCOME_FAILURE;
	for (int wanted = 0; wanted < 2; wanted++) {
		options.text = (struct text_style){.columns = 100, .has_colours = wanted};
		stream = stream_with(&options);
		feed_one_of_each(stream);
		feed_started(stream);
		feed_step_as(stream, PROBE_STEP_DONE, &step);
		text = written(stream);
		assert_int_equal(strstr(text, "\033[1mTIME") != NULL, wanted);
		assert_int_equal(strstr(text, "\033[31m  set-title") != NULL, wanted);
		assert_int_equal(strstr(text, "\033[33mrejected") != NULL, wanted);
		assert_int_equal(strstr(text, "…\033[0m\n") != NULL, wanted);
		assert_int_equal(strchr(text, '\033') != NULL, wanted);
		stream__free(stream);
	}
}

/* Whatever bytes the runner's text contains, a terminal only prints them. */
static void nothing_for_a_terminal_to_execute(void **state)
{
	struct stream *stream = text_stream(0);
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

/* Every field full of the characters with the longest escapes, on the widest terminal. */
static void the_longest_line_fits_its_room(void **state)
{
	struct stream_options options = options_for(FORMAT_COMPACT);
	struct command_span command = records__command();
	struct rejected_span rejected = records__rejected();
	struct step_span step = records__step();
	struct stream *stream;

	(void)state;
	memset(command.slug, 0xff, sizeof(command.slug));
	memset(command.user_id, 0xff, sizeof(command.user_id));
	memset(command.request_source, 0xff, sizeof(command.request_source));
	memset(command.correlation_id, 0xff, sizeof(command.correlation_id));
	memset(rejected.slug, 0xff, sizeof(rejected) - offsetof(struct rejected_span, slug));
	memset(step.type, 0xff, sizeof(step.type) + sizeof(step.name));
	step.outcome = OUTCOME_FAILURE;
	options.text = (struct text_style){.columns = 100000, .has_colours = true, .has_ids = true};
	stream = stream_with(&options);
	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
	assert_in_range(strlen(written(stream)), 1000, EVENT_LINE_BYTES / 2);
	feed_step_as(stream, PROBE_STEP_DONE, &step);
	assert_in_range(strlen(written(stream)), 1000, EVENT_LINE_BYTES / 2);
	feed_rejected(stream, &rejected);
	assert_in_range(strlen(written(stream)), 1000, EVENT_LINE_BYTES / 2);
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_a_file),
		cmocka_unit_test(lines_fit_the_terminal),
		cmocka_unit_test(columns_of_foreign_text),
		cmocka_unit_test(what_is_missing_is_not_named),
		cmocka_unit_test(a_request_is_shortened),
		cmocka_unit_test(every_detail_of_a_step),
		cmocka_unit_test(the_time_in_a_queue),
		cmocka_unit_test(the_suspended_time),
		cmocka_unit_test(durations_stay_in_their_column),
		cmocka_unit_test(durations_with_three_digits),
		cmocka_unit_test(tools_stand_at_the_depth_of_their_step),
		cmocka_unit_test(the_exit_status_of_a_tool),
		cmocka_unit_test(steps_that_were_not_seen),
		cmocka_unit_test(an_aborted_command_names_its_request),
		cmocka_unit_test(executions_differ_by_their_ids),
		cmocka_unit_test(whole_ids),
		cmocka_unit_test(colours_only_where_they_are_wanted),
		cmocka_unit_test(nothing_for_a_terminal_to_execute),
		cmocka_unit_test(the_longest_line_fits_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
