// SPDX-License-Identifier: BSD-2-Clause
/* The formats of steptrace export, from lines made by hand: cells, limits, parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "recorded_lines.h"
#include "steptrace/export/chrome.h"
#include "steptrace/export/csv.h"
#include "steptrace/export/csv_cell.h"
#include "steptrace/export/held_executions.h"

/* ---- cells */

static void assert_cell(const char *text, size_t bytes, const char *expected)
{
	struct json json;

	assert_int_equal(json__init(&json, JSON_TEXT_BYTES(bytes) + 2), 0);
	csv_cell__text(&json, text, bytes);
	*json.at = '\0';
	assert_string_equal(json.base, expected);
	json__free(&json);
}

static void test_cells(void **state)
{
	static const struct {
		const char *text, *cell;
	} cases[] = {
		{"", ""},
		{"buy milk", "buy milk"},
		{"milk, bread", "\"milk, bread\""},
		{"say \"hello\"", "\"say \"\"hello\"\"\""},
		{"=1+1", "'=1+1"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM", "'@SUM"},
		{"  =1", "\"'  =1\""},
		{"\t=1", "'\\t=1"},
		{"=1,2", "\"'=1,2\""},
		{"a=1", "a=1"},
		{" a", "\" a\""},
		{"two\nlines\r", "two\\nlines\\r"},
		{"\x1b[31m", "\\x1b[31m"},
		{"\xff", "\\xff"},
		{"\xc3\xa9", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_cell(cases[i].text, strlen(cases[i].text), cases[i].cell);
	assert_cell("a\0b", 3, "a\\x00b");
}

/* ---- documents */

#define IDS(n) "\"execution_id\":\"e" n "\",\"correlation_id\":\"c\",\"command_slug\":\"go\""
#define AT(ns) "\"timestamp\":\"2026-01-02T00:00:00.00000" ns "Z\""
#define STEP(n, ns)                                                                                \
	"{\"event\":\"dsl.step.executed\"," IDS(                                                   \
		n) ",\"step_id\":\"s\",\"step_type\":\"T\","                                       \
		   "\"duration_ms\":0.000001,\"outcome\":\"success\"," AT(ns) "}"
#define STARTED(n, ns) "{\"event\":\"command.execution.started\"," IDS(n) "," AT(ns) "}"
#define COMPLETED(n, ns)                                                                           \
	"{\"event\":\"command.execution.completed\"," IDS(                                         \
		n) ",\"total_duration_ms\":0.0001,\"outcome\":\"success\"," AT(ns) "}"

static size_t times(const char *text, const char *word)
{
	size_t count = 0;

	for (text = strstr(text, word); text; text = strstr(text + 1, word))
		count++;
	return count;
}

static struct chrome_counts chrome_of(const char *const *lines, size_t count, size_t limit,
				      struct written *written)
{
	struct recorded_line reader = {.room = NULL};
	struct chrome_counts counts;
	struct chrome *chrome;
	struct export_out out;

	written__open(written);
	export_out__init(&out, written->file);
	chrome = chrome__with_limit(&out, limit);
	assert_non_null(chrome);
	for (size_t i = 0; i < count; i++) {
		struct recorded_event event = event_of(&reader, lines[i]);

		assert_int_equal(chrome__event(chrome, &event), 0);
	}
	assert_int_equal(chrome__end(chrome, &counts), 0);
	chrome__free(chrome);
	export_out__free(&out);
	recorded_line__free(&reader);
	return counts;
}

/* With a limit of one byte, every step is drawn at once, as a part of its own. */
static void test_parts(void **state)
{
	static const char *const lines[] = {
		STARTED("1", "0100"), STEP("1", "0150"),      STEP("1", "0160"),
		STEP("1", "0170"),    COMPLETED("1", "0200"),
	};
	struct written written;
	struct chrome_counts counts = chrome_of(lines, 5, 1, &written);

	(void)state;
	assert_int_equal(counts.split, 1);
	assert_int_equal(counts.steps, 3);
	assert_int_equal(counts.executions, 1);
	assert_int_equal(times(written.text, "\"ph\":\"b\""), 4);
	assert_int_equal(times(written.text, "\"ph\":\"e\""), 4);
	assert_int_equal(times(written.text, "\"id\":\"e1\""), 2);
	assert_int_equal(times(written.text, "\"id\":\"e1#2\""), 2);
	assert_int_equal(times(written.text, "\"id\":\"e1#4\""), 2);
	written__close(&written);
}

static void test_times_are_exact(void **state)
{
	static const char *const lines[] = {STARTED("1", "0100"), COMPLETED("1", "0201")};
	struct written written;

	(void)state;
	chrome_of(lines, 2, CHROME_HELD_BYTES, &written);
	/* A day after the base: 86,400,000,000.000 microseconds, and 101 and 201 nanoseconds. */
	assert_int_equal(times(written.text, "\"ts\":86400000000.101,\"name\":\"go\""), 1);
	assert_int_equal(times(written.text, "\"ts\":86400000000.201,\"name\":\"go\"},"), 1);
	assert_non_null(strstr(written.text, "\"time_base\":\"2026-01-01T00:00:00.000000000Z\""));
	written__close(&written);
}

/* More executions are open than are held: the oldest is drawn without its end. */
static void test_too_many_are_open(void **state)
{
	struct recorded_line reader = {.room = NULL};
	struct chrome_counts counts;
	struct written written;
	struct chrome *chrome;
	struct export_out out;

	(void)state;
	written__open(&written);
	export_out__init(&out, written.file);
	chrome = chrome__new(&out);
	for (int i = 0; i < HELD_EXECUTIONS_MAX + 10; i++) {
		char line[256];
		struct recorded_event event;

		snprintf(line, sizeof(line),
			 "{\"event\":\"command.execution.started\",\"execution_id\":\"e%d\"," AT(
				 "0100") "}",
			 i);
		event = event_of(&reader, line);
		assert_int_equal(chrome__event(chrome, &event), 0);
	}
	assert_int_equal(chrome__end(chrome, &counts), 0);
	assert_int_equal(counts.taken_out, 10);
	assert_int_equal(counts.without_end, HELD_EXECUTIONS_MAX);
	assert_int_equal(counts.executions, HELD_EXECUTIONS_MAX + 10);
	chrome__free(chrome);
	export_out__free(&out);
	recorded_line__free(&reader);
	written__close(&written);
}

static void test_csv(void **state)
{
	static const char *const lines[] = {STARTED("1", "0100"), STARTED("2", "0110"),
					    COMPLETED("1", "0200"), COMPLETED("3", "0300")};
	struct recorded_line reader = {.room = NULL};
	struct csv_counts counts;
	struct written written;
	struct export_out out;
	struct csv *csv;

	(void)state;
	written__open(&written);
	export_out__init(&out, written.file);
	csv = csv__new(&out, CSV_COMMANDS);
	for (size_t i = 0; i < 4; i++) {
		struct recorded_event event = event_of(&reader, lines[i]);

		assert_int_equal(csv__event(csv, &event), 0);
	}
	assert_int_equal(csv__end(csv, &counts), 0);
	assert_int_equal(counts.rows, 3);
	assert_int_equal(counts.without_start, 1);
	assert_int_equal(counts.without_end, 1);
	assert_int_equal(times(written.text, "\r\n"), 4);
	assert_non_null(strstr(written.text, "\r\n2026-01-02T00:00:00.000000100Z,"
					     "2026-01-02T00:00:00.000000200Z,,"));
	assert_int_equal(times(written.text, ",") % 4, 0); /* every line has as many */
	csv__free(csv);
	export_out__free(&out);
	recorded_line__free(&reader);
	written__close(&written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_times_are_exact),
		cmocka_unit_test(test_too_many_are_open),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
