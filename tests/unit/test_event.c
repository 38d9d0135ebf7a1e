// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/event.h"

static void expect_unique(const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_non_null(names[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(names[i], names[k]);
	}
}

static void every_row_has_a_name_of_its_own(void **state)
{
	const char *names[PROBES_COUNT];

	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++)
		names[i] = probes[i].name;
	expect_unique(names, PROBES_COUNT);
	expect_unique(event_names, EVENT_KINDS_COUNT);
	expect_unique(loss_names, LOSS_REASONS_COUNT);
}

static void every_event_comes_from_one_probe(void **state)
{
	(void)state;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++) {
		int makers = 0;

		for (int i = 0; i < PROBES_COUNT; i++)
			makers += probes[i].event == (enum event_kind)kind;
		assert_int_equal(makers, 1);
	}
}

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		fail_msg("cannot open '%s' (tests run from the repository's root)", path);
	length = getdelim(&text, &room, 0, file);
	fclose(file);
	assert_true(length > 0);
	return text;
}

static cJSON *schema_of(const char *event)
{
	char path[128], *text;
	cJSON *schema;

	snprintf(path, sizeof(path), "docs/schema/%s.json", event);
	text = file_text(path);
	schema = cJSON_Parse(text);
	if (!schema)
		fail_msg("'%s' is not JSON", path);
	free(text);
	return schema;
}

static cJSON *property(cJSON *schema, const char *name)
{
	cJSON *found = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(schema, "properties"), name);

	assert_non_null(found);
	return found;
}

static void every_event_has_a_schema(void **state)
{
	static const char *const own[] = {"trace.started", "trace.lost", "trace.stopped"};

	(void)state;
	for (size_t i = 0; i < EVENT_KINDS_COUNT - 1 + sizeof(own) / sizeof(*own); i++) {
		const char *name = i + 1 < EVENT_KINDS_COUNT ? event_names[i + 1]
							     : own[i + 1 - EVENT_KINDS_COUNT];
		cJSON *schema = schema_of(name);
		cJSON *constant =
			cJSON_GetObjectItemCaseSensitive(property(schema, "event"), "const");

		assert_string_equal(cJSON_GetStringValue(constant), name);
		cJSON_Delete(schema);
	}
}

static bool lists(const cJSON *list, const char *word)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
			return true;
	}
	return false;
}

/* The schema must allow every name of the table. */
static void expect_enumerated(const char *event, const char *member,
			      const char *(*name_of)(unsigned int))
{
	cJSON *schema = schema_of(event);
	cJSON *words = cJSON_GetObjectItemCaseSensitive(property(schema, member), "enum");

	assert_true(cJSON_IsArray(words));
	for (unsigned int number = 0; number < 256; number++)
		if (name_of(number) && !lists(words, name_of(number)))
			fail_msg("%s: '%s' is not among %s", event, name_of(number), member);
	cJSON_Delete(schema);
}

static const char *loss_name(unsigned int reason)
{
	return reason < LOSS_REASONS_COUNT ? loss_names[reason] : NULL;
}

static const char *event_name(unsigned int kind)
{
	return kind > EVENT_NONE && kind < EVENT_KINDS_COUNT ? event_names[kind] : NULL;
}

static void schemas_allow_every_name(void **state)
{
	(void)state;
	expect_enumerated("dsl.step.executed", "outcome", outcome__name);
	expect_enumerated("command.execution.completed", "outcome", outcome__name);
	expect_enumerated("tool.invocation.completed", "outcome", outcome__name);
	expect_enumerated("dsl.step.executed", "error_category", error_category__name);
	expect_enumerated("command.execution.completed", "error_category", error_category__name);
	expect_enumerated("fragment.changed", "operation", operation__name);
	expect_enumerated("trace.lost", "reason", loss_name);
	expect_enumerated("trace.lost", "kind", event_name);
}

static void numbers_without_a_name(void **state)
{
	static const char *(*const tables[])(unsigned int) = {outcome__name, error_category__name,
							      ai_cache__name, operation__name};
	static const unsigned int past[] = {6, 11, 4, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		assert_null(tables[i](0));
		assert_non_null(tables[i](past[i] - 1));
		assert_null(tables[i](past[i]));
		assert_null(tables[i](255));
		assert_null(tables[i](UINT32_MAX));
	}
}

static void durations(void **state)
{
	static const struct {
		uint64_t start, end, ns;
		bool known;
	} rows[] = {
		{0, 0, 0, false},
		{0, 5, 0, false},
		{5, 4, 0, false},
		{5, 0, 0, false},
		{5, 5, 0, true},
		{5, 6, 1, true},
		{7, 1007, 1000, true},
		{7, 1008, 0, false}, /* longer than the uptime of the machine */
		{UINT64_MAX - 1, UINT64_MAX, 1, true},
		{1, UINT64_MAX, 0, false},
	};
	struct steptrace_record record = {.time_ns = 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span_head head = {.start_ns = rows[i].start, .end_ns = rows[i].end};
		struct event event = {.head = &head, .record = &record};
		uint64_t ns = 0;

		assert_int_equal(event__duration_ns(&event, &ns), rows[i].known);
		if (rows[i].known)
			assert_true(ns == rows[i].ns);
	}
}

/* A step from 100 to 1100 that was suspended. Only steps and commands can be. */
static void durations_without_the_suspended_time(void **state)
{
	static const struct {
		enum event_kind kind;
		uint32_t flags;
		uint64_t suspended, ns;
		bool known;
	} rows[] = {
		{EVENT_STEP_EXECUTED, SPAN_SUSPENDED, 0, 1000, true},
		{EVENT_STEP_EXECUTED, SPAN_SUSPENDED, 400, 600, true},
		{EVENT_STEP_EXECUTED, SPAN_SUSPENDED, 1000, 0, true},
		{EVENT_STEP_EXECUTED, SPAN_SUSPENDED, 1001, 0, false},
		{EVENT_STEP_EXECUTED, SPAN_SUSPENDED, UINT64_MAX, 0, false},
		{EVENT_STEP_EXECUTED, 0, 400, 1000, true},
		{EVENT_TOOL_COMPLETED, SPAN_SUSPENDED, 400, 1000, true},
	};
	struct steptrace_record record = {.time_ns = 5000};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct step_span step = {.suspended_ns = rows[i].suspended};
		struct event event = {.kind = rows[i].kind, .step = &step, .record = &record};
		uint64_t ns = 0;

		step.child.head.flags = rows[i].flags;
		step.child.head.start_ns = 100;
		step.child.head.end_ns = 1100;
		assert_int_equal(event__duration_ns(&event, &ns), rows[i].known);
		if (rows[i].known)
			assert_true(ns == rows[i].ns);
	}
}

static void sums_that_are_out_of_range(void **state)
{
	static const uint64_t rows[][6] = {
		{1, 2, 3, 4, 5, 15},
		{UINT64_MAX, 0, 0, 0, 0, UINT64_MAX},
		{UINT64_MAX, 1, 0, 0, 0, UINT64_MAX},
		{1, UINT64_MAX - 1, 1, 0, 0, UINT64_MAX},
		{1, 0, 0, UINT64_MAX - 1, 1, UINT64_MAX},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct command_span command = {.steps_successful = rows[i][0],
					       .steps_failed = rows[i][1],
					       .steps_skipped = rows[i][2],
					       .steps_aborted = rows[i][3],
					       .steps_cancelled = rows[i][4]};
		struct event event = {.command = &command};

		assert_true(event__steps_executed(&event) == rows[i][5]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_a_name_of_its_own),
		cmocka_unit_test(every_event_comes_from_one_probe),
		cmocka_unit_test(every_event_has_a_schema),
		cmocka_unit_test(schemas_allow_every_name),
		cmocka_unit_test(numbers_without_a_name),
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_without_the_suspended_time),
		cmocka_unit_test(sums_that_are_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
