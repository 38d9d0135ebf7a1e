// SPDX-License-Identifier: BSD-2-Clause
/* Records go in, tables come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>

#include "steptrace/latency/latency.h"
#include "stream_fixture.h"

static struct latency_options options;
static struct latency latency;
static struct stream *stream;

static const char *program(void *context, uint32_t pid)
{
	(void)context;
	return pid == RECORD_PID ? "/usr/bin/runner" : NULL;
}

static void begin(const char *by, enum stream_format format, unsigned int columns)
{
	struct stream_options for_stream = options_for(format);
	struct error err;

	options = (struct latency_options){
		.source = {.program = program},
		.rows_limit = 3,
		.is_json = format == FORMAT_JSON,
	};
	assert_int_equal(row_keys__parse(by, &options.keys, &err), 0);
	assert_int_equal(latency__open(&latency, &options), 0);
	for_stream.clock.monotonic_ns += 1000000000;
	for_stream.clock.realtime_ns += 1000000000;
	for_stream.text.columns = columns;
	for_stream.on_event = latency__on_event;
	for_stream.on_event_context = &latency;
	for_stream.leaves_out_lines = true;
	stream = stream_with(&for_stream);
	latency__on_time(&latency, stream, 1000000000, false);
}

static void end(void)
{
	stream__free(stream);
	latency__close(&latency);
}

/* The table at the end: two seconds after the beginning. */
static const char *reported(void)
{
	latency__on_time(&latency, stream, 3000000000, true);
	assert_int_equal(latency.reports_failed, 0);
	return written(stream);
}

/* ---- keys */

static void a_row_for_each_combination(void **state)
{
	(void)state;
	begin("command,step,name,outcome,user,source,uid,exe,pid", FORMAT_REPORT, 0);
	feed_started(stream);
	feed_step_taking(stream, "MapStep", 250, OUTCOME_SUCCESS);
	feed_step_taking(stream, "MapStep", 250, OUTCOME_FAILURE);
	feed_completed(stream, 2);
	assert_string_equal(
		reported(),
		"COMMAND          STEP     NAME       OUTCOME  USER           SOURCE  UID   "
		"EXE              PID     COUNT   RATE/s  FAILED      P50      P90      P99    "
		"P99.9      MAX      SUM    SHARE\n"
		"fragment.update  MapStep  set-title  failure  local-default  api     1000  "
		"/usr/bin/runner  4711        1      0.5       1   250 ns   250 ns   250 ns   "
		"250 ns   250 ns   250 ns   50.0 %\n"
		"fragment.update  MapStep  set-title  success  local-default  api     1000  "
		"/usr/bin/runner  4711        1      0.5       0   250 ns   250 ns   250 ns   "
		"250 ns   250 ns   250 ns   50.0 %\n");
	end();
}

static void without_a_key_of_steps_it_is_about_commands(void **state)
{
	(void)state;
	begin("outcome", FORMAT_REPORT, 80);
	feed_started(stream);
	feed_step_taking(stream, "MapStep", 250, OUTCOME_FAILURE);
	feed_completed(stream, 1);
	assert_string_equal(
		reported(),
		"OUTCOME    COUNT   RATE/s  FAILED      P50      P99      MAX      SUM  "
		"  SHARE\n"
		"success        1      0.5       0   1.25 s   1.25 s   1.25 s   1.25 s  "
		"100.0 %\n");
	end();
}

static void keys_that_are_none(void **state)
{
	static const char *const texts[] = {"",           "stepp",     "step,", ",step",
					    "step,,name", "step,step", "ste"};
	struct row_keys keys;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(row_keys__parse(texts[i], &keys, &err), -EINVAL);
}

/* ---- text */

/* An aborted step has no outcome of its own. It took from its start to the end of its process. */
static void what_the_process_left_open(void **state)
{
	struct step_span step = records__step();
	struct termination termination = termination__vanished(RECORD_PID, 5100001000);
	const char *text;

	(void)state;
	begin("step,outcome", FORMAT_REPORT, 0);
	feed_started(stream);
	step.child.head.end_ns = 0;
	feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)));
	stream__abort_process(stream, &termination);
	text = reported();
	assert_non_null(strstr(text, "DatabaseUpdateStep  aborted        1      0.5       1   "
				     "100 ms"));
	end();
}

static void rows_beyond_the_limit(void **state)
{
	static const char *const types[] = {"A", "B", "C", "D", "E"};
	const char *text;

	(void)state;
	begin("step", FORMAT_REPORT, 0);
	feed_started(stream);
	for (size_t i = 0; i < 5; i++)
		feed_step_taking(stream, types[i], 100 - i, OUTCOME_SUCCESS);
	text = reported();
	assert_non_null(strstr(text, "\n(other)        2 "));
	assert_null(strstr(text, "\nD"));
	end();
}

static void values_that_are_not_known(void **state)
{
	struct step_span step = records__step();

	(void)state;
	begin("name", FORMAT_REPORT, 60);
	feed_started(stream);
	memset(step.name, 0, sizeof(step.name));
	step.child.head.start_ns = 0;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	assert_string_equal(reported(),
			    "NAME    COUNT  FAILED      P50      P99      MAX      SUM\n"
			    "-           1       0        -        -        -        -\n");
	end();
}

/* Text of the traced process: it is escaped, and cut on a terminal. */
static void foreign_text(void **state)
{
	const char *text;

	(void)state;
	begin("step", FORMAT_REPORT, 0);
	feed_started(stream);
	feed_step_taking(stream, "a\033[31mb\nc\xff", 1, OUTCOME_SUCCESS);
	text = reported();
	assert_null(strchr(text, '\033'));
	assert_int_equal(strchr(strchr(text, '\n') + 1, '\n')[1], 0); /* two lines */
	end();
}

/* A text that fills its member has no zero behind it. What follows is not part of it. */
static void text_that_ends_with_its_member(void **state)
{
	struct step_span step = records__step();
	const char *text;
	char row[128];

	(void)state;
	begin("step,name", FORMAT_REPORT, 0);
	feed_started(stream);
	memset(step.type, 't', sizeof(step.type));
	memset(step.name, 'n', sizeof(step.name));
	step.suspended_ns = UINT64_MAX / 255 * 'x';
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	text = strchr(reported(), '\n') + 1;
	memset(row, 't', 48);
	memset(row + 48, ' ', 2);
	memset(row + 50, 'n', 64);
	assert_memory_equal(text, row, 114);
	assert_int_equal(text[114], ' ');
	end();
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (unsigned int columns = 60; columns < 240; columns++) {
		begin("command,step,name,user", FORMAT_REPORT, columns);
		feed_started(stream);
		feed_step_taking(stream, "AStepWithAVeryLongTypeThatIsTooWideForMostTerminals",
				 123456, OUTCOME_SUCCESS);
		for (const char *line = reported(); *line; line = strchr(line, '\n') + 1) {
			size_t bytes = strcspn(line, "\n"), width = 0;

			for (size_t i = 0; i < bytes; i++)
				width += ((unsigned char)line[i] & 0xc0) != 0x80;
			if (width > columns)
				fail_msg("%zu of %u columns: %.*s", width, columns, (int)bytes,
					 line);
		}
		end();
	}
}

static void histograms(void **state)
{
	const char *text;

	(void)state;
	begin("step", FORMAT_REPORT, 0);
	options.has_histograms = true;
	feed_started(stream);
	for (int i = 0; i < 80; i++)
		feed_step_taking(stream, "S", 1100, OUTCOME_SUCCESS);
	for (int i = 0; i < 9; i++)
		feed_step_taking(stream, "S", 5000, OUTCOME_SUCCESS);
	text = strchr(strchr(reported(), '\n') + 1, '\n') + 1;
	assert_string_equal(text, "     1.02 us |████████████████████████████████████████| 80\n"
				  "     2.05 us |                                        | 0\n"
				  "     4.10 us |████▌                                   | 9\n");
	end();
}

static void steps_that_were_not_seen(void **state)
{
	(void)state;
	begin("command", FORMAT_REPORT, 0);
	feed_started(stream);
	feed_completed(stream, 5);
	assert_non_null(strstr(reported(), "\n5 steps were not seen: their commands count them\n"));
	assert_null(strstr(reported(), "not seen"));
	end();
}

static void nothing_ended(void **state)
{
	(void)state;
	begin("command", FORMAT_REPORT, 0);
	assert_string_equal(reported(), "no command ended\n");
	end();
	begin("step", FORMAT_REPORT, 0);
	assert_string_equal(reported(), "no step ended\n");
	end();
}

/* ---- intervals */

static void each_interval_has_its_own_values(void **state)
{
	const char *text;

	(void)state;
	begin("step", FORMAT_REPORT, 0);
	options.interval_ns = 500000000;
	feed_started(stream);
	feed_step_taking(stream, "First", 100, OUTCOME_SUCCESS);
	latency__on_time(&latency, stream, 1400000000, false);
	assert_string_equal(written(stream), "");
	latency__on_time(&latency, stream, 1500000000, false);
	assert_non_null(strstr(written(stream), "First        1      2.0 "));
	feed_step_taking(stream, "Second", 100, OUTCOME_SUCCESS);
	latency__on_time(&latency, stream, 2000000000, true);
	text = written(stream);
	assert_null(strstr(text, "First"));
	assert_int_equal(text[0], '\n'); /* between two tables */
	assert_non_null(strstr(text, "Second        1      2.0 "));
	end();
}

/* ---- JSON */

static void a_row_as_json(void **state)
{
	(void)state;
	begin("step,outcome,user", FORMAT_JSON, 0);
	feed_started(stream);
	feed_step_taking(stream, "A\"\n", 1000, OUTCOME_SUCCESS);
	feed_step_taking(stream, "A\"\n", 3000, OUTCOME_SUCCESS);
	assert_string_equal(
		reported(),
		"{\"event\":\"latency.row\",\"timestamp\":\"2026-01-31T12:00:03.000000000Z\","
		"\"monotonic_ns\":3000000000,\"interval_ms\":2000,\"of\":\"step\","
		"\"by\":{\"step_type\":\"A\\\"\\n\",\"outcome\":\"success\","
		"\"user_id\":\"local-default\"},"
		"\"other\":false,\"count\":2,\"untimed\":0,\"failures\":0,\"sum_ms\":0.004,"
		"\"min_ms\":0.001,\"max_ms\":0.003,\"p50_ms\":0.001,\"p90_ms\":0.003,"
		"\"p99_ms\":0.003,\"p999_ms\":0.003,\"buckets\":[[0.001,0.001008,1],"
		"[0.002976,0.003008,1]]}\n");
	end();
}

static void the_other_row_as_json(void **state)
{
	(void)state;
	begin("step,pid", FORMAT_JSON, 0);
	feed_started(stream);
	options.rows_limit = 3;
	for (char type[] = "A"; type[0] < 'F'; type[0]++)
		feed_step_taking(stream, type, 1, OUTCOME_SUCCESS);
	assert_non_null(strstr(
		reported(), "\"by\":{\"step_type\":null,\"pid\":null},\"other\":true,\"count\":2"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_for_each_combination),
		cmocka_unit_test(without_a_key_of_steps_it_is_about_commands),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(what_the_process_left_open),
		cmocka_unit_test(rows_beyond_the_limit),
		cmocka_unit_test(values_that_are_not_known),
		cmocka_unit_test(foreign_text),
		cmocka_unit_test(text_that_ends_with_its_member),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(histograms),
		cmocka_unit_test(steps_that_were_not_seen),
		cmocka_unit_test(nothing_ended),
		cmocka_unit_test(each_interval_has_its_own_values),
		cmocka_unit_test(a_row_as_json),
		cmocka_unit_test(the_other_row_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
