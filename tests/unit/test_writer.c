// SPDX-License-Identifier: BSD-2-Clause
/* The writer of an output, with a sink that takes what it is told to take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/output/writer.h"

static struct fake {
	struct sink sink; /* must be the first member */
	char text[8192];
	size_t bytes;
	bool refuses;
	size_t untaken_bytes;
} fake;

static struct writer writer;
static struct lines lines;

static int fake_write(struct sink *sink, const char *text, size_t bytes, size_t *written,
		      struct error *err)
{
	(void)sink;
	if (fake.refuses)
		return error__set(err, -EIO, "refused");
	assert_true(fake.bytes + bytes < sizeof(fake.text));
	memcpy(fake.text + fake.bytes, text, bytes);
	fake.bytes += bytes;
	*written = bytes;
	return 0;
}

static size_t fake_untaken_bytes(const struct sink *sink)
{
	(void)sink;
	return fake.untaken_bytes;
}

static const struct sink_ops fake_ops = {.write = fake_write, .untaken_bytes = fake_untaken_bytes};

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&writer, 0, sizeof(writer));
	sink__init(&fake.sink, &fake_ops, "the fake");
	return writer__open(&writer, &fake.sink, true) || lines__init(&lines, 1024) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	writer__close(&writer);
	lines__free(&lines);
	return 0;
}

/* ---- lines in, lines out */

/* The text ends with ",\"complete\":true,\"steps_lost\":0}": 32 bytes. */
static void add(enum event_kind kind, bool is_aborted)
{
	struct line_mark mark = {
		.kind = (uint8_t)kind, .is_aborted = is_aborted, .execution_id = {7}, .pid = 7};

	assert_int_equal(json__reserve(&lines.text, 128), 0);
	json__raw(&lines.text, "{\"event\":\"e\",\"complete\":true,\"steps_lost\":0}\n");
	assert_int_equal(lines__mark(&lines, &mark), 0);
}

enum { LINE_BYTES = sizeof("{\"event\":\"e\",\"complete\":true,\"steps_lost\":0}\n") - 1 };

static void put(void)
{
	const struct missing_lines nothing = {.since_ns = 0};

	writer__put(&writer, &lines, &nothing);
	lines__clear(&lines);
}

/* Ends the output; returns its last line, parsed. */
static cJSON *end(const struct stream_counts *counts)
{
	const struct missing_lines nothing = {.since_ns = 0};
	const struct trace_totals totals = {.reason = "interrupted"};
	char *last;
	cJSON *parsed;

	writer__end(&writer, &nothing, counts, &totals, 1);
	fake.text[fake.bytes - 1] = 0; /* the newline */
	last = strrchr(fake.text, '\n');
	parsed = cJSON_Parse(last ? last + 1 : fake.text);
	assert_non_null(parsed);
	return parsed;
}

static int number(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	assert_non_null(value);
	return (int)value->valuedouble;
}

/* How often the text is in the output. */
static int times(const char *text)
{
	int count = 0;

	for (const char *at = fake.text; (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* ---- tests */

/* What the sink refused is in no total: neither events nor aborted ones. */
static void refused_lines_are_subtracted(void **state)
{
	struct stream_counts counts = {.events = {[EVENT_STEP_EXECUTED] = 3},
				       .aborted = {[EVENT_STEP_EXECUTED] = 3}};
	cJSON *stopped;

	(void)state;
	fake.refuses = true;
	add(EVENT_STEP_EXECUTED, false);
	add(EVENT_STEP_EXECUTED, true);
	add(EVENT_STEP_EXECUTED, true);
	put();
	fake.refuses = false;
	stopped = end(&counts);
	assert_int_equal(number(stopped, "events"), 2);
	assert_int_equal(number(stopped, "aborted_events"), 1);
	assert_int_equal(writer.lost, 3);
	cJSON_Delete(stopped);
}

/* The sink says later that the peer had not taken the last bytes: those of one line, and some of
 * the line before. */
static void lines_that_were_not_taken_are_lost(void **state)
{
	struct stream_counts counts = {.events = {[EVENT_STEP_EXECUTED] = 4}};
	cJSON *stopped;

	(void)state;
	fake.untaken_bytes = 3 * LINE_BYTES;
	for (int i = 0; i < 4; i++)
		add(EVENT_STEP_EXECUTED, false);
	put();
	assert_int_equal(writer.lost, 0);
	assert_int_equal(writer.untaken.count, 3);
	fake.sink.lost_bytes = LINE_BYTES + 1;
	fake.untaken_bytes = 0;
	writer__take_back(&writer);
	assert_int_equal(writer.lost, 2);
	assert_int_equal(fake.sink.lost_bytes, 0);
	stopped = end(&counts);
	assert_int_equal(number(stopped, "events"), 2);
	assert_int_equal(number(stopped, "lost"), 2);
	assert_int_equal(times("\"lost\":2,"), 2); /* trace.lost and trace.stopped */
	cJSON_Delete(stopped);
}

/* The end event of their execution says that they are missing. */
static void an_end_is_corrected_for_lines_that_were_not_taken(void **state)
{
	(void)state;
	fake.untaken_bytes = 1000;
	add(EVENT_COMMAND_STARTED, false);
	add(EVENT_STEP_EXECUTED, false);
	put();
	fake.sink.lost_bytes = LINE_BYTES;
	writer__take_back(&writer);
	add(EVENT_COMMAND_COMPLETED, false);
	put();
	assert_int_equal(times("\"complete\":false,\"steps_lost\":1"), 1);
	assert_int_equal(times("\"complete\":true"), 2);
}

/* Also a trace.lost may be lost. Then what it said is said again, and the events are lost once. */
static void a_report_that_was_not_taken_is_made_again(void **state)
{
	struct stream_counts counts = {.events = {[EVENT_STEP_EXECUTED] = 1}};
	cJSON *stopped;

	(void)state;
	fake.refuses = true;
	add(EVENT_STEP_EXECUTED, false);
	put();
	fake.refuses = false;
	fake.untaken_bytes = 1000;
	put(); /* nothing but the report */
	assert_int_equal(times("\"trace.lost\""), 1);
	fake.sink.lost_bytes = 1;
	writer__take_back(&writer);
	stopped = end(&counts);
	assert_int_equal(times("\"trace.lost\""), 2);
	assert_int_equal(number(stopped, "events"), 0);
	assert_int_equal(writer.lost, 1);
	cJSON_Delete(stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refused_lines_are_subtracted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_that_were_not_taken_are_lost, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_end_is_corrected_for_lines_that_were_not_taken,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_report_that_was_not_taken_is_made_again, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
