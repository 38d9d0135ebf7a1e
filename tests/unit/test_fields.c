// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/fields.h"
#include "steptrace/stream/json_scan.h"

/* Checks what remains of a line. The line is at the end of its memory, so that AddressSanitizer
 * sees a read beyond it. */
static void expect(const char *list, const char *line, const char *left)
{
	size_t bytes = strlen(line);
	char *copy = malloc(bytes);
	struct fields fields;
	struct error err;

	assert_int_equal(fields__parse(&fields, list, &err), 0);
	memcpy(copy, line, bytes);
	bytes = fields__apply(&fields, copy, bytes);
	assert_int_equal(bytes, strlen(left));
	assert_memory_equal(copy, left, bytes);
	free(copy);
}

static void named_fields_are_kept(void **state)
{
	(void)state;
	expect("outcome", "{\"event\":\"x\",\"dry_run\":false,\"outcome\":\"success\"}\n",
	       "{\"event\":\"x\",\"outcome\":\"success\"}\n");
	expect("dry_run,outcome", "{\"event\":\"x\",\"dry_run\":false,\"outcome\":\"success\"}\n",
	       "{\"event\":\"x\",\"dry_run\":false,\"outcome\":\"success\"}\n");
	expect("step",
	       "{\"execution_id\":\"1\",\"source\":{\"outcome\":[1,{}]},\"step\":{\"a\":{}}}\n",
	       "{\"execution_id\":\"1\",\"step\":{\"a\":{}}}\n");
	expect("outcome", "{\"dry_run\":true}\n", "{}\n");
	expect("outcome", "{}\n", "{}\n");
}

/* A name that begins like another one, and the other way round. */
static void names_are_compared_whole(void **state)
{
	static const char line[] = "{\"event\":\"x\",\"step_id\":1,\"step_type\":\"T\","
				   "\"step\":{\"name\":\"n\"},\"s\":2,\"step_types\":3}\n";

	(void)state;
	expect("step_type", line, "{\"event\":\"x\",\"step_type\":\"T\"}\n");
	expect("step", line, "{\"event\":\"x\",\"step\":{\"name\":\"n\"}}\n");
	expect("step_id,step", line, "{\"event\":\"x\",\"step_id\":1,\"step\":{\"name\":\"n\"}}\n");
}

static void fields_of_objects(void **state)
{
	static const char step[] = "{\"event\":\"x\",\"step\":{\"name\":\"a,b\",\"index\":1,"
				   "\"depth\":0},\"source\":{\"pid\":7,\"tid\":8}}\n";

	(void)state;
	expect("step.name", step, "{\"event\":\"x\",\"step\":{\"name\":\"a,b\"}}\n");
	expect("source.tid,step.depth,step.name", step,
	       "{\"event\":\"x\",\"step\":{\"name\":\"a,b\",\"depth\":0},"
	       "\"source\":{\"tid\":8}}\n");
	expect("step.index", step, "{\"event\":\"x\",\"step\":{\"index\":1}}\n");
	/* the whole object, whatever else is named */
	expect("source.pid,source", step, "{\"event\":\"x\",\"source\":{\"pid\":7,\"tid\":8}}\n");
	/* an object without the field is left out */
	expect("source.inner_pid", step, "{\"event\":\"x\"}\n");
	expect("source.inner_pid,step.index", step, "{\"event\":\"x\",\"step\":{\"index\":1}}\n");
	/* a name in an object is not the same name elsewhere */
	expect("step.name", "{\"name\":1,\"source\":{\"name\":2},\"step\":{}}\n", "{}\n");
	expect("aborted.step.name",
	       "{\"aborted\":{\"cause\":\"exec\",\"step\":{\"step_id\":\"1\",\"name\":\"n\"}}}\n",
	       "{\"aborted\":{\"step\":{\"name\":\"n\"}}}\n");
	/* null instead of an object */
	expect("failed_step.name", "{\"outcome\":1,\"failed_step\":null}\n",
	       "{\"failed_step\":null}\n");
}

static void strings_may_hold_anything(void **state)
{
	(void)state;
	expect("outcome",
	       "{\"user_id\":\"\\\",\\\"outcome\\\":1}\",\"outcome\":\"}\\\\\",\"source\":\"]\"}\n",
	       "{\"outcome\":\"}\\\\\"}\n");
}

static void unknown_names_are_refused(void **state)
{
	static const struct {
		const char *list, *hint;
	} rows[] = {
		{"", "step_type"},
		{"nonsense", "step_type"},
		{"outcome,", "step_type"},
		{",outcome", "step_type"},
		{"outcome ", "step_type"},
		{"host", "step_type"},
		{"outcom", "step_type"},
		{"outcomes", "step_type"},
		{"step.", "'step' has: "},
		{".step", "step_type"},
		{"step.nam", "'step' has: "},
		{"step.names", "'step' has: "},
		{"step..name", "step_type"},
		{"step.name.x", "step_type"},
		{"outcome.x", "step_type"},
		{"name", "step_type"},
		{"aborted.step.x", "'aborted.step' has: step_id"},
	};
	struct fields fields;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(fields__parse(&fields, rows[i].list, &err) < 0);
		if (!strstr(err.text, rows[i].hint))
			fail_msg("%s: %s", rows[i].list, err.text);
	}
}

static void too_many_names(void **state)
{
	struct fields fields;
	struct error err;
	char list[1024] = "outcome";

	(void)state;
	for (int i = 0; i < FIELDS_MAX; i++)
		strcat(list, ",outcome");
	assert_true(fields__parse(&fields, list, &err) < 0);
}

/* Cuts a line at every byte: the scan must end, and must not read beyond the cut. */
static void truncated_lines(void **state)
{
	static const char line[] = "{\"a\":\"\\\"\",\"b\" : [1,{\"c\":\"]\"}], \"d\":{}}";
	struct json_member member;
	struct json_scan scan;

	(void)state;
	for (size_t bytes = 0; bytes < sizeof(line) - 1; bytes++) {
		char *copy = malloc(bytes + 1);
		int members = 0;

		memcpy(copy, line, bytes);
		if (json_scan__begin(&scan, copy, bytes))
			while (json_scan__next(&scan, &member))
				members++;
		assert_true(members <= 3);
		assert_true(scan.at <= copy + bytes);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_fields_are_kept),
		cmocka_unit_test(names_are_compared_whole),
		cmocka_unit_test(fields_of_objects),
		cmocka_unit_test(strings_may_hold_anything),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(too_many_names),
		cmocka_unit_test(truncated_lines),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
