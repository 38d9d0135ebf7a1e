// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "refused_memory.h"
#include "steptrace/recording/recorded_line.h"
#include "steptrace/recording/recorded_value.h"

static struct recorded_line reader;
static struct recorded_event event;

/* The line is in memory of exactly its size, so that a sanitizer sees a byte too many. */
static int read_line(const char *line)
{
	static char *copy;
	size_t bytes = strlen(line);

	free(copy);
	copy = malloc(bytes ? bytes : 1);
	assert_non_null(copy);
	memcpy(copy, line, bytes);
	return recorded_line__read(&reader, &event, copy, bytes);
}

static void expect_text(struct recorded_text text, const char *expected)
{
	assert_non_null(text.text);
	assert_int_equal(text.bytes, strlen(expected));
	assert_memory_equal(text.text, expected, text.bytes);
}

static const char step_line[] =
	"{\"event\":\"dsl.step.executed\",\"correlation_id\":\"c\",\"execution_id\":\"x\","
	"\"step_id\":\"s\",\"step_type\":\"AiGenerateStep\",\"command_slug\":\"triage\","
	"\"fragment_id\":-9223372036854775808,\"duration_ms\":45.200001,\"mutations_count\":3,"
	"\"dry_run\":false,\"outcome\":\"failure\",\"user_id\":\"mia\","
	"\"timestamp\":\"2026-11-24T09:28:39.378381680Z\",\"monotonic_ns\":18446744073709551615,"
	"\"source\":{\"pid\":23005,\"tid\":23006,\"cpu\":1,\"uid\":0,\"comm\":\"spans\","
	"\"cgroup_id\":1},\"step\":{\"name\":\"ask\",\"index\":7,\"depth\":2,"
	"\"parent_step_id\":null},\"error_category\":\"network\","
	"\"cpu\":{\"on_cpu_ms\":1.5,\"runnable_ms\":0,\"blocked_ms\":{\"disk\":0.000001,"
	"\"lock\":2},\"switches\":{\"voluntary\":4,\"involuntary\":5},\"threads_ms\":9},"
	"\"ai\":{\"cache\":\"hit\",\"prompt_tokens\":11,\"completion_tokens\":22}}";

static void expect_step(void)
{
	assert_int_equal(event.kind, RECORDED_STEP_EXECUTED);
	assert_int_equal(event.outcome, RECORDED_FAILURE);
	expect_text(event.step_type, "AiGenerateStep");
	expect_text(event.step_name, "ask");
	expect_text(event.comm, "spans");
	expect_text(event.ai_cache, "hit");
	assert_true(event.fragment_id == INT64_MIN);
	assert_true(event.monotonic_ns == UINT64_MAX);
	assert_int_equal(event.duration_ns, 45200001);
	assert_true(event.timestamp_ns == 1795512519378381680);
	assert_int_equal(event.pid, 23005);
	assert_int_equal(event.cpu, 1);
	assert_int_equal(event.step_index, 7);
	assert_int_equal(event.on_cpu_ns, 1500000);
	assert_int_equal(event.blocked_disk_ns, 1);
	assert_int_equal(event.blocked_lock_ns, 2000000);
	assert_int_equal(event.switches_involuntary, 5);
	assert_int_equal(event.completion_tokens, 22);
	assert_true(RECORDED_HAS(&event, runnable_ns));
	assert_false(RECORDED_HAS(&event, parent_step_id));
	assert_false(RECORDED_HAS(&event, blocked_pipe_ns));
	assert_null(event.parent_step_id.text);
	assert_false(reader.is_odd);
}

static void a_line_of_steptrace(void **state)
{
	(void)state;
	assert_int_equal(read_line(step_line), 0);
	assert_false(reader.is_slow);
	expect_step();
}

/* As Python or jq writes it: the same values, by the other way. */
static void a_line_with_blanks(void **state)
{
	char spaced[4 * sizeof(step_line)], *to = spaced;

	(void)state;
	for (const char *at = step_line; *at; at++) {
		*to++ = *at;
		if (*at == ':' && at[1] != '2' && at[1] != '3')
			*to++ = ' ';
		if (*at == ',')
			to = stpcpy(to, " \t\r");
	}
	*to = 0;
	assert_int_equal(read_line(spaced), 0);
	assert_true(reader.is_slow);
	expect_step();
}

static void what_is_no_event(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"null",
		"[]",
		"\"event\"",
		"{",
		"{\"event\"",
		"{\"event\":",
		"{}x",
		"{\"event\":\"a\"",
		"{\"event\":\"a\",}",
		"{\"event\":\"a\"}{\"event\":\"a\"}",
		"{\"event\":\"a\"} {}",
		"{\"event\":tru}",
		"{\"event\":01}",
		"{\"event\":1.}",
		"{\"event\":1e}",
		"{\"event\":-}",
		"{\"event\":\"\\x\"}",
		"{\"event\":\"\\u12\"}",
		"{\"event\":\"\\ud800\"}",
		"{\"event\":\"\\ud800\\u0041\"}",
		"{\"event\":\"\\u0000\"}",
		"{\"event\":\"\xff\"}",
		"{\"event\":\"\xc3\"}",
		"{\"event\":\"\xed\xa0\x80\"}",
		"{\"event\":\"a\nb\"}",
		"{'event':'a'}",
		"{\"a\":[1,2}",
		"{\"a\":{\"b\":1]}",
		"{\"a\" \"b\"}",
		"{\"\xff\":1}",
		"{a:1}",
		"{\"event\":\"a\",\"x\":[1,]}",
		"{\"event\":\"a\",\"x\":nul}",
		"{\"event\":\"dsl.step{\"event\":\"dsl.step.executed\"}.executed\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_line(lines[i]), -EBADMSG);
	assert_int_equal(read_line("{}"), -ENOENT);
	assert_int_equal(read_line("{\"event\":null}"), -ENOENT);
	assert_int_equal(read_line("{\"event\":5}"), -ENOENT);
	assert_int_equal(read_line("{\"a\":{\"event\":\"trace.lost\"}}"), -ENOENT);
}

static void too_deep(void **state)
{
	enum { DEPTH = 100000 };
	char *line = malloc(2 * DEPTH + 64);
	size_t bytes = (size_t)sprintf(line, "{\"event\":\"a\",\"x\":");

	(void)state;
	memset(line + bytes, '[', DEPTH);
	memset(line + bytes + DEPTH, ']', DEPTH);
	line[bytes + 2 * DEPTH] = '}';
	assert_int_equal(recorded_line__read(&reader, &event, line, bytes + 2 * DEPTH + 1),
			 -EBADMSG);
	free(line);
}

static void newer_versions_pass(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"new\":[{\"a\":[]},1e9,true],\"event\":\"moon.phase\","
				   "\"step\":{\"new\":{},\"name\":\"n\"},\"outcome\":\"odd\"}"),
			 0);
	assert_int_equal(event.kind, RECORDED_OTHER);
	assert_int_equal(event.outcome, RECORDED_NO_OUTCOME);
	expect_text(event.event_name, "moon.phase");
	expect_text(event.step_name, "n");
	assert_false(reader.is_odd);
}

static void escapes(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"\\u0065vent\":\"a\",\"command_slug\":"
				   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00z\","
				   "\"user_id\":\"\\u001b[0m\"}"),
			 0);
	expect_text(event.event_name, "a");
	expect_text(event.command_slug, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
	expect_text(event.user_id, "\x1b[0m");
}

/* The field is missing then, and the line is odd; the rest of the line counts. */
static void other_types_are_odd(void **state)
{
	static const char *const fields[] = {
		"\"duration_ms\":\"5\"",
		"\"duration_ms\":-1",
		"\"duration_ms\":1e30",
		"\"duration_ms\":{}",
		"\"duration_ms\":[1]",
		"\"duration_ms\":true",
		"\"command_slug\":5",
		"\"command_slug\":[]",
		"\"command_slug\":true",
		"\"mutations_count\":1.5",
		"\"mutations_count\":-1",
		"\"mutations_count\":18446744073709551616",
		"\"mutations_count\":\"12a\"",
		"\"mutations_count\":\"\"",
		"\"fragment_id\":9223372036854775808",
		"\"fragment_id\":-9223372036854775809",
		"\"dry_run\":1",
		"\"dry_run\":\"true\"",
		"\"timestamp\":5",
		"\"timestamp\":\"yesterday\"",
		"\"step\":5",
		"\"source\":[]",
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		snprintf(line, sizeof(line),
			 "{\"event\":\"dsl.step.executed\",%s,\"pid\":1,"
			 "\"user_id\":\"u\"}",
			 fields[i]);
		assert_int_equal(read_line(line), 0);
		assert_true(reader.is_odd);
		assert_int_equal(event.duration_ns + event.mutations_count + event.timestamp_ns, 0);
		assert_false(RECORDED_HAS(&event, fragment_id) || RECORDED_HAS(&event, dry_run) ||
			     RECORDED_HAS(&event, command_slug));
		expect_text(event.user_id, "u");
	}
}

static void safe_integers(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"event\":\"a\",\"mutations_count\":\"18446744073709551615\","
				   "\"fragment_id\":\"-9223372036854775808\"}"),
			 0);
	assert_true(event.mutations_count == UINT64_MAX && event.fragment_id == INT64_MIN);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{"0", 0},
		{"0.000001", 1},
		{"1e-06", 1},
		{"3.9e-05", 39},
		{"45.200000000000003", 45200000},
		{"0.0000004", 0},
		{"0.0000005", 1},
		{"0.00000049999999999999999999999", 0},
		{"1E+3", 1000000000},
		{"0e99999999999", 0},
		{"1e-99999999999", 0},
		{"-0", 0},
		{"18446744073709.551615", UINT64_MAX},
		{"12345678901234.5", 12345678901234500000ull},
		{"0.00000000000000000000000000000000000001e38", 1000000},
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *end = rows[i].text + strlen(rows[i].text);

		assert_ptr_equal(recorded_number__end(rows[i].text, end), end);
		assert_true(recorded_number__u64(rows[i].text, end, 6, &ns));
		assert_true(ns == rows[i].ns);
	}
}

static void number_limits(void **state)
{
	static const char large[] = "18446744073709.551616", power[] = "1.8e19", half[] = "15e-1";
	uint64_t value;

	(void)state;
	assert_false(recorded_number__u64(large, large + strlen(large), 6, &value));
	assert_true(recorded_number__u64(power, power + strlen(power), 0, &value));
	assert_true(value == 18000000000000000000ull);
	assert_false(recorded_number__u64(half, half + strlen(half), 0, &value));
}

static void timestamps(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2000-02-29T23:59:59.5Z", 951868799500000000},
		{"2026-11-24T09:28:38.620678778Z", 1795512518620678778},
		{"2100-03-01T00:00:00.000000001Z", 4107542400000000001},
	};
	static const char *const bad[] = {
		"",
		"2026-11-24T09:28:38.620678778",
		"2026-13-24T09:28:38Z",
		"2026-02-30T09:28:38Z",
		"2100-02-29T00:00:00Z",
		"1969-12-31T23:59:59Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T09:60:00Z",
		"2026-11-24T09:28:38.Z",
		"2026-11-24T09:28:38.1234567890Z",
		"2026-11-24T09:28:38+01:00",
		"2026-11-24T09:28:38Zx",
		"20x6-11-24T09:28:38Z",
		"2600-01-01T00:00:00Z",
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(recorded_time__read(good[i].text, strlen(good[i].text), &ns));
		assert_true(ns == good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(recorded_time__read(bad[i], strlen(bad[i]), &ns));
}

/* The last one counts, as in Python and jq. */
static void fields_that_repeat(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"event\":\"a\",\"event\":\"trace.lost\",\"lost\":4,"
				   "\"lost\":5,\"kind\":\"k\",\"kind\":null}"),
			 0);
	assert_int_equal(event.kind, RECORDED_TRACE_LOST);
	assert_int_equal(event.lost, 5);
	assert_false(RECORDED_HAS(&event, lost_kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_steptrace),
		cmocka_unit_test(a_line_with_blanks),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(newer_versions_pass),
		cmocka_unit_test(escapes),
		cmocka_unit_test(other_types_are_odd),
		cmocka_unit_test(safe_integers),
		cmocka_unit_test(numbers),
		cmocka_unit_test(number_limits),
		cmocka_unit_test(timestamps),
		cmocka_unit_test(fields_that_repeat),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	recorded_line__free(&reader);
	return failed;
}
