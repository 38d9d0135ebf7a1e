// SPDX-License-Identifier: BSD-2-Clause
/* Schedules as users change them, and the step `action`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/runner_fixture.h"
#include "runner/schedule/schedules.h"
#include "runner/store/store_private.h"
#include "runner/store/store_row.h"
#include "runner/value/value.h"

/* 2025-03-01T08:30:00Z, as in the fixture */
#define NOW_US 1740817800000000

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

/* ---- the table */

static int create(const struct schedule_draft *draft)
{
	cJSON *row;
	int code = schedules__create(fixture.store, draft, NOW_US, &row, &fixture.err);

	cJSON_Delete(row);
	return code;
}

static void must_create(const char *name, const char *recurrence)
{
	const struct schedule_draft draft = {
		.name = name, .command = "note", .recurrence = recurrence};

	if (create(&draft))
		fail_msg("%s", fixture.err.text);
}

static cJSON *found(const char *which)
{
	cJSON *row;

	if (schedules__find(fixture.store, which, &row, &fixture.err))
		fail_msg("%s", fixture.err.text);
	return row;
}

static void expect_column(const char *which, const char *column, const char *json)
{
	cJSON *row = found(which);
	char *text = value__json(cJSON_GetObjectItemCaseSensitive(row, column));

	if (strcmp(text, json) != 0)
		fail_msg("%s of %s is %s, not %s", column, which, text, json);
	free(text);
	cJSON_Delete(row);
}

static void refuses(const struct schedule_draft *draft, int code, const char *part)
{
	int got = create(draft);

	if (got != code || !strstr(fixture.err.text, part))
		fail_msg("%d, '%s' without '%s'", got, fixture.err.text, part);
}

static void a_new_schedule(void **state)
{
	const struct schedule_draft draft = {.name = "morning",
					     .command = "note",
					     .recurrence = "daily_at:08:30",
					     .timezone = "Europe/Berlin",
					     .max_runs = 3};

	(void)state;
	assert_int_equal(create(&draft), 0);
	expect_column("1", "name", "\"morning\"");
	expect_column("morning", "next_run_at", "\"2025-03-02T07:30:00.000000Z\"");
	expect_column("morning", "status", "\"active\"");
	expect_column("morning", "payload", "{}");
	expect_column("morning", "max_runs", "3");
	must_create("other", "cron:0 9 * * *");
	expect_column("other", "timezone", "\"UTC\"");
	expect_column("other", "max_runs", "null");
	refuses(&draft, -EEXIST, "there is a schedule 'morning' already");
}

static void drafts_that_are_refused(void **state)
{
	char longest[SCHEDULE_NAME_BYTES_MAX + 2];
	cJSON *list = cJSON_CreateArray();
	const struct {
		struct schedule_draft draft;
		const char *part;
	} cases[] = {
		{{NULL, "note", "daily_at:08:30", NULL, NULL, 0}, "has no name"},
		{{"", "note", "daily_at:08:30", NULL, NULL, 0}, "has no name"},
		{{"17", "note", "daily_at:08:30", NULL, NULL, 0}, "would be taken for an id"},
		{{"-17", "note", "daily_at:08:30", NULL, NULL, 0}, "would be taken for an id"},
		{{"+17", "note", "daily_at:08:30", NULL, NULL, 0}, "would be taken for an id"},
		{{"99999999999999999999", "note", "daily_at:08:30", NULL, NULL, 0}, "for an id"},
		{{"a\xff", "note", "daily_at:08:30", NULL, NULL, 0}, "UTF-8"},
		{{longest, "note", "daily_at:08:30", NULL, NULL, 0}, "at most 200 bytes"},
		{{"a", NULL, "daily_at:08:30", NULL, NULL, 0}, "no command"},
		{{"a", "../note", "daily_at:08:30", NULL, NULL, 0}, "not the slug"},
		{{"a", "note", NULL, NULL, NULL, 0}, "no recurrence"},
		{{"a", "note", "hourly", NULL, NULL, 0}, "hourly"},
		{{"a", "note", "one_off:2025-03-01 08:30", NULL, NULL, 0}, "is over"},
		{{"a", "note", "daily_at:08:30", "Mars/Phobos", NULL, 0}, "Mars/Phobos"},
		{{"a", "note", "daily_at:08:30", NULL, list, 0}, "must be a map"},
		{{"a", "note", "daily_at:08:30", NULL, NULL, -1}, "max_runs"},
	};

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(&cases[i].draft, -EINVAL, cases[i].part);
	cJSON_Delete(list);
	longest[SCHEDULE_NAME_BYTES_MAX] = 0;
	must_create(longest, "daily_at:08:30");
	expect_column(longest, "id", "1");
}

static int change(const char *which, enum schedule_change what, bool is_dry, int64_t now_us,
		  const char *status, const char *next)
{
	cJSON *row = found(which);
	int code = schedules__change(fixture.store, what, is_dry, now_us, &row, &fixture.err);

	if (!code) {
		assert_string_equal(store_row__text(row, "status"), status);
		assert_string_equal(store_row__text(row, "next_run_at"), next);
		/* Each column once. */
		assert_int_equal(cJSON_GetArraySize(row), 13);
	}
	cJSON_Delete(row);
	return code;
}

static void pausing_and_resuming(void **state)
{
	const char *next = "2025-03-11T00:00:00.000000Z";
	int64_t later_us = NOW_US + (int64_t)9 * 86400 * 1000000;

	(void)state;
	must_create("m", "daily_at:00:00");
	assert_int_equal(change("m", SCHEDULE_RESUME, false, NOW_US, "", ""), -EINVAL);
	assert_non_null(strstr(fixture.err.text, "'m' is not paused, but active"));
	assert_int_equal(change("m", SCHEDULE_PAUSE, true, NOW_US, "paused", ""), 0);
	expect_column("m", "status", "\"active\"");
	assert_int_equal(change("m", SCHEDULE_PAUSE, false, NOW_US, "paused", ""), 0);
	expect_column("m", "next_run_at", "null");
	assert_int_equal(change("m", SCHEDULE_RESUME, true, later_us, "active", next), 0);
	expect_column("m", "status", "\"paused\"");
	assert_int_equal(change("m", SCHEDULE_RESUME, false, later_us, "active", next), 0);
	expect_column("m", "next_run_at", "\"2025-03-11T00:00:00.000000Z\"");
	/* What is over cannot be resumed. */
	must_create("once", "one_off:2025-03-02 08:30");
	assert_int_equal(change("once", SCHEDULE_PAUSE, false, NOW_US, "paused", ""), 0);
	assert_int_equal(change("once", SCHEDULE_RESUME, false, later_us, "", ""), -EINVAL);
	assert_non_null(strstr(fixture.err.text, "'once' has no further run"));
}

static void asking_for_a_run(void **state)
{
	cJSON *row, *run;

	(void)state;
	must_create("m", "daily_at:00:00");
	row = found("m");
	assert_int_equal(schedules__run_now(fixture.store, row, NOW_US, &run, &fixture.err), 0);
	assert_string_equal(store_row__text(run, "status"), "queued");
	cJSON_Delete(run);
	assert_int_equal(schedules__run_now(fixture.store, row, NOW_US, &run, &fixture.err),
			 -EEXIST);
	assert_non_null(strstr(fixture.err.text, "'m' has a run of this moment already"));
	cJSON_Delete(run);
	cJSON_Delete(row);
}

/* ---- the step */

static void run(const char *steps, const char *input)
{
	if (fixture__run(&fixture, steps, input))
		fail_msg("%s", fixture.err.text);
}

static void expect(const char *path, const char *json)
{
	char *text = value__json(fixture__step(&fixture, path));

	if (strcmp(text, json) != 0)
		fail_msg("%s is %s, not %s", path, text, json);
	free(text);
}

static void expect_failure(const char *steps, const char *input, enum steptrace_error category,
			   const char *part)
{
	assert_int_not_equal(fixture__run(&fixture, steps, input), 0);
	if (!fixture.has_run || fixture.execution.category != category ||
	    !strstr(fixture.err.text, part))
		fail_msg("%s: category %d, '%s' without '%s'", steps, fixture.execution.category,
			 fixture.err.text, part);
}

static void more_than_a_list_shows(void **state)
{
	(void)state;
	if (sqlite3_exec(
		    fixture.store->db,
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1500)"
		    " INSERT INTO schedules (name, command_slug, recurrence)"
		    " SELECT 's' || i, 'note', 'cron:@daily' FROM n",
		    NULL, NULL, NULL))
		fail_msg("%s", sqlite3_errmsg(fixture.store->db));
	run("- {id: l, type: action, with: {action: list}}", NULL);
	expect("l.output.count", "1000");
	expect("l.output.total", "1500");
}

static const char create_morning[] =
	"- {id: c, type: action, with: {action: create, name: morning, command: note,"
	" recurrence: 'daily_at:08:30', timezone: Europe/Berlin, payload: {body: '{{ ctx.text }}'},"
	" max_runs: '10'}}";

static void every_action(void **state)
{
	(void)state;
	run(create_morning, "{\"text\":\"hello\"}");
	expect("c.output.action", "\"create\"");
	expect("c.output.id", "1");
	expect("c.output.schedule.payload", "{\"body\":\"hello\"}");
	expect("c.output.schedule.max_runs", "10");
	run("- {id: l, type: action, with: {action: list}}", NULL);
	expect("l.output.count", "1");
	expect("l.output.results.0.name", "\"morning\"");
	run("- {id: d, type: action, with: {action: detail, id: 1}}", NULL);
	expect("d.output.schedule.next_run_at", "\"2025-03-02T07:30:00.000000Z\"");
	expect("d.output.runs", "[]");
	run("- {id: p, type: action, with: {action: pause}}", "{\"id\":\"morning\"}");
	expect("p.output.schedule.status", "\"paused\"");
	run("- {id: r, type: action, with: {action: resume}}", "{\"body\":\"morning\"}");
	expect("r.output.schedule.status", "\"active\"");
	run("- {id: x, type: action, with: {action: delete}}", "{\"id\":1}");
	expect("x.output.schedule.name", "\"morning\"");
	expect_failure("- {id: x, type: action, with: {action: delete, id: 1}}", NULL,
		       STEPTRACE_ERROR_NOT_FOUND, "there is no schedule '1'");
}

#define CLASS "App\\\\Actions\\\\Commands\\\\"

static void names_of_classes(void **state)
{
	static const char input[] = "{\"name\":\"n\",\"command\":\"note\",\"recurrence\":"
				    "\"cron:@daily\",\"payload\":{\"a\":[1]}}";

	(void)state;
	run("- {id: c, type: action, action: \"" CLASS "ScheduleCreateCommand\"}", input);
	expect("c.output.schedule.payload", "{\"a\":[1]}");
	run("- {id: l, type: action, action: \"\\\\" CLASS "ScheduleListCommand\"}", NULL);
	expect("l.output.count", "1");
	run("- {id: d, type: action, action: ScheduleDetailCommand}", "{\"body\":\"n\"}");
	expect("d.output.id", "1");
	run("- {id: p, type: action, action: SchedulePauseCommand}", "{\"body\":\"n\"}");
	run("- {id: r, type: action, action: ScheduleResumeCommand}", "{\"body\":\"n\"}");
	expect("r.output.action", "\"resume\"");
	run("- {id: p, type: action, action: \"" CLASS "ScheduleControlCommand\"}",
	    "{\"action\":\"pause\",\"id\":1}");
	expect("p.output.schedule.status", "\"paused\"");
	/* The slug of the fixture's pack is "probe". */
	expect_failure("- {id: p, type: action, action: ScheduleControlCommand}", "{\"id\":1}",
		       STEPTRACE_ERROR_VALIDATION, "not 'probe'");
	expect_failure("- {id: p, type: action, action: ScheduleControlCommand}",
		       "{\"id\":1,\"action\":\"create\"}", STEPTRACE_ERROR_VALIDATION,
		       "not 'create'");
	run("- {id: x, type: action, action: ScheduleDeleteCommand}", "{\"id\":1}");
}

static void actions_that_fail(void **state)
{
	static const char step[] = "- {id: x, type: action, with: {action: %s}}";
	static const struct {
		const char *action, *input, *part;
		enum steptrace_error category;
	} cases[] = {
		{"''", NULL, "'action' is missing", STEPTRACE_ERROR_VALIDATION},
		{"DropTable", NULL, "unknown action 'DropTable'", STEPTRACE_ERROR_VALIDATION},
		{"create", NULL, "has no name", STEPTRACE_ERROR_VALIDATION},
		{"pause", NULL, "no schedule is given", STEPTRACE_ERROR_VALIDATION},
		{"detail", "{\"id\":{}}", "no schedule", STEPTRACE_ERROR_NOT_FOUND},
		{"detail", "{\"id\":\"9223372036854775808\"}", "no schedule",
		 STEPTRACE_ERROR_NOT_FOUND},
		{"create, name: a, command: note, recurrence: 'daily_at:08:30', max_runs: 0", NULL,
		 "'max_runs' must be a whole number from 1", STEPTRACE_ERROR_VALIDATION},
		{"create, name: a, command: note, recurrence: 'daily_at:08:30', payload: [1]", NULL,
		 "must be a map", STEPTRACE_ERROR_VALIDATION},
		{"create, name: a, command: note, recurrence: 'daily_at:08:30', payload: text",
		 NULL, "must be a map", STEPTRACE_ERROR_VALIDATION},
		{"create, name: a, command: note, recurrence: [1]", NULL, "recurrence",
		 STEPTRACE_ERROR_VALIDATION},
	};
	char steps[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(steps, sizeof(steps), step, cases[i].action);
		expect_failure(steps, cases[i].input, cases[i].category, cases[i].part);
	}
	expect_failure("- {id: x, type: action}", NULL, STEPTRACE_ERROR_VALIDATION, "");
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	fixture.settings.dry_run = true;
	run(create_morning, NULL);
	expect("c.output.id", "null");
	expect("c.output.schedule.next_run_at", "\"2025-03-02T07:30:00.000000Z\"");
	run("- {id: l, type: action, with: {action: list}}", NULL);
	expect("l.output.count", "0");
	must_create("m", "daily_at:00:00");
	run("- {id: p, type: action, with: {action: pause, id: m}}", NULL);
	expect("p.output.schedule.status", "\"paused\"");
	expect("p.output.schedule.next_run_at", "null");
	run("- {id: x, type: action, with: {action: delete, id: m}}", NULL);
	expect_column("m", "status", "\"active\"");
	fixture.settings.dry_run = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_schedule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drafts_that_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pausing_and_resuming, set_up, tear_down),
		cmocka_unit_test_setup_teardown(asking_for_a_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_a_list_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_action, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_of_classes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(actions_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_changes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
