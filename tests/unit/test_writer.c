// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "steptrace/output/writer.h"

/* A sink that keeps the bytes it gets, or returns an error. */
static char kept[16384];
static size_t kept_bytes, calls;
static int refusal;       /* the error that write returns; 0: none */
static size_t taken_part; /* bytes that write accepts before it returns the error */

static int fake_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		      struct error *err)
{
	(void)sink;
	calls++;
	*written = refusal ? taken_part : bytes;
	assert_true(kept_bytes + *written < sizeof(kept));
	memcpy(kept + kept_bytes, lines, *written);
	kept_bytes += *written;
	return refusal ? error__set(err, refusal, "refused") : 0;
}

static const struct sink_ops fake_ops = {.write = fake_write};
static struct sink sink;
static struct writer writer;
static struct lines lines;
static const struct missing_lines nothing;

static int set_up(void **state)
{
	(void)state;
	sink = (struct sink){.ops = &fake_ops};
	writer = (struct writer){.format = FORMAT_JSON};
	kept_bytes = calls = taken_part = 0;
	refusal = 0;
	return writer__open(&writer, &sink, true) || lines__init(&lines, 4096) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	writer__close(&writer);
	lines__free(&lines);
	return 0;
}

static void add(enum event_kind kind, const char *text)
{
	const struct line_mark mark = {.kind = (uint8_t)kind, .execution_id = {1}};

	json__word(&lines.text, text);
	json__raw(&lines.text, "\n");
	assert_int_equal(lines__mark(&lines, &mark), 0);
}

static void put(const struct missing_lines *missing)
{
	writer__put(&writer, &lines, missing);
	lines__clear(&lines);
}

/* The text written since the last call. */
static const char *written(void)
{
	kept[kept_bytes] = 0;
	kept_bytes = 0;
	return kept;
}

static struct missing_lines steps_missing(uint64_t count)
{
	return (struct missing_lines){
		.lost.events[EVENT_STEP_EXECUTED] = count, .since_ns = 1, .until_ns = 2};
}

static void lines_are_written_unchanged(void **state)
{
	(void)state;
	add(EVENT_STEP_EXECUTED, "{\"a\":1}");
	add(EVENT_STEP_EXECUTED, "{\"a\":2}");
	put(&nothing);
	assert_string_equal(written(), "{\"a\":1}\n{\"a\":2}\n");
	assert_int_equal(calls, 1);
	assert_int_equal(writer__timeout_ms(&writer), -1);
}

/* The first missing lines are reported immediately, even if no other line follows. Lines that are
 * missing within the same second are reported together at its end. */
static void missing_lines_are_reported_once_a_second(void **state)
{
	struct missing_lines missing = steps_missing(3);
	int patience;

	(void)state;
	writer__add_missing(&writer, &missing);
	assert_int_equal(writer__timeout_ms(&writer), 0);
	writer__tick(&writer);
	assert_non_null(strstr(written(), "\"kind\":\"dsl.step.executed\",\"lost\":3"));
	assert_int_equal(writer__timeout_ms(&writer), -1);

	for (int i = 0; i < 5; i++) {
		add(EVENT_STEP_EXECUTED, "{\"a\":1}");
		put(&missing);
		writer__tick(&writer);
		assert_string_equal(written(), "{\"a\":1}\n");
	}
	patience = writer__timeout_ms(&writer);
	assert_in_range(patience, 1, 1000);
	writer.reported_ns -= 1000000000;
	writer__tick(&writer);
	assert_non_null(strstr(written(), "\"lost\":15"));
	writer__tick(&writer);
	assert_string_equal(written(), "");
}

/* If a trace.lost line itself is missing, a later line reports its losses again: the sum, and the
 * earliest time. */
static void a_missing_trace_lost_is_repeated(void **state)
{
	struct line_mark mark = {.kind = EVENT_NONE,
				 .lost = 5,
				 .lost_since_ns = 7000000000,
				 .lost_kind = EVENT_COMMAND_STARTED,
				 .lost_reason = LOSS_BUFFER_FULL};
	struct missing_lines missing = {.since_ns = 0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		json__raw(&lines.text, "{}\n");
		assert_int_equal(lines__mark(&lines, &mark), 0);
		mark.lost_since_ns = 6000000000;
	}
	assert_int_equal(missing_lines__add_lines(&missing, &lines, 0, 9000000000), 0);
	lines__clear(&lines);
	writer__add_missing(&writer, &missing);
	refusal = -ENOSPC;
	writer__tick(&writer);
	refusal = 0;
	writer.reported_ns -= 1000000000;
	writer__tick(&writer);
	assert_non_null(strstr(written(), "\"kind\":\"command.execution.started\",\"lost\":10,"
					  "\"since\":\"1970-01-01T00:00:06.000000000Z\","
					  "\"until\":\"1970-01-01T00:00:09.000000000Z\","
					  "\"reason\":\"buffer_full\""));
	writer.reported_ns -= 1000000000;
	writer__tick(&writer);
	assert_string_equal(written(), "");
}

/* The sink says how many lines it has accepted. The others are lost, and a trace.lost is written
 * before any further line. */
static void a_sink_that_fails_and_recovers(void **state)
{
	const char *text, *told;

	(void)state;
	refusal = -ENOSPC;
	taken_part = strlen("{\"a\":1}\n");
	add(EVENT_COMMAND_STARTED, "{\"a\":1}");
	add(EVENT_STEP_EXECUTED, "{\"a\":2}");
	add(EVENT_STEP_EXECUTED, "{\"a\":3}");
	put(&nothing);
	assert_string_equal(written(), "{\"a\":1}\n");
	assert_int_equal(writer.lost, 2);
	assert_false(writer.failed);

	taken_part = 0;
	add(EVENT_STEP_EXECUTED, "{\"a\":4}");
	put(&nothing);
	assert_string_equal(written(), "");
	assert_int_equal(writer.lost, 3);

	refusal = 0;
	add(EVENT_COMMAND_COMPLETED, "{\"b\":1,\"complete\":true,\"steps_lost\":0}");
	put(&nothing);
	text = written();
	told = strstr(text, "\"lost\":3");
	assert_non_null(told);
	assert_non_null(strstr(told, "{\"b\":1,\"complete\":false,\"steps_lost\":3}\n"));
	assert_int_equal(writer.lost, 3);
}

static void an_output_that_may_not_drop_fails(void **state)
{
	(void)state;
	writer.drops = false;
	refusal = -EPIPE;
	add(EVENT_STEP_EXECUTED, "{}");
	put(&nothing);
	assert_true(writer.failed);
	assert_string_equal(writer.err.text, "refused");
	calls = 0;
	add(EVENT_STEP_EXECUTED, "{}");
	put(&nothing);
	writer__tick(&writer);
	assert_int_equal(calls, 0);
	assert_int_equal(writer.lost, 2);
	assert_int_equal(writer__timeout_ms(&writer), -1);
}

static void lines_are_batched_if_the_sink_asks_for_it(void **state)
{
	(void)state;
	sink.gather_ns = 1000000000;
	for (int i = 0; i < 3; i++) {
		add(EVENT_STEP_EXECUTED, "{}");
		put(&nothing);
	}
	assert_int_equal(calls, 0);
	assert_in_range(writer__timeout_ms(&writer), 1, 1001);
	writer__tick(&writer);
	assert_int_equal(calls, 0);
	writer.gathered_ns -= 1000000000;
	assert_int_equal(writer__timeout_ms(&writer), 0);
	writer__tick(&writer);
	assert_string_equal(written(), "{}\n{}\n{}\n");
	assert_int_equal(writer__timeout_ms(&writer), -1);
}

/* An output without its trace.stopped counts as failed. */
static void an_end_that_cannot_be_written(void **state)
{
	const struct stream_counts counts = {.events[EVENT_STEP_EXECUTED] = 1};
	const struct trace_totals totals = {.hits = 1, .reason = "count"};

	(void)state;
	refusal = -ENOSPC;
	writer__end(&writer, &nothing, &counts, &totals, 5);
	assert_true(writer.failed);
	assert_string_equal(writer.err.text, "refused");
}

/* The totals of an output are those of the stream, minus the lines that this output lost. */
static void totals_at_the_end(void **state)
{
	struct stream_counts counts = {.events[EVENT_STEP_EXECUTED] = 10};
	struct trace_totals totals = {.hits = 10, .reason = "count"};
	struct missing_lines missing = steps_missing(4);
	const char *text;

	(void)state;
	refusal = -ENOSPC;
	add(EVENT_STEP_EXECUTED, "{}");
	put(&nothing);
	refusal = 0;
	writer__end(&writer, &missing, &counts, &totals, 5);
	text = written();
	assert_non_null(strstr(text, "\"kind\":\"dsl.step.executed\",\"lost\":5"));
	assert_non_null(strstr(text, "\"hits\":10,\"events\":5"));
	assert_non_null(strstr(text, "\"not_written\":5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_written_unchanged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_lines_are_reported_once_a_second, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missing_trace_lost_is_repeated, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_sink_that_fails_and_recovers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_output_that_may_not_drop_fails, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(lines_are_batched_if_the_sink_asks_for_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_end_that_cannot_be_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(totals_at_the_end, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
