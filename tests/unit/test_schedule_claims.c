// SPDX-License-Identifier: BSD-2-Clause
/* Runs of schedules: claims, plans and ends. */
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
#include "runner/schedule/schedule_claims.h"
#include "runner/schedule/schedules.h"
#include "runner/store/store_private.h"
#include "runner/store/store_row.h"
#include "runner/value/value.h"

/* 2025-03-01T08:30:00Z, as in the fixture */
#define NOW_US   1740817800000000
#define HOUR     3600000000
#define LEASE_NS 3600000000000

static struct fixture fixture;
static struct claimant mine, other;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	claimant__init(&mine, LEASE_NS);
	claimant__init(&other, LEASE_NS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

/* As another program does it. */
static void execute(const char *sql)
{
	if (sqlite3_exec(fixture.store->db, sql, NULL, NULL, NULL))
		fail_msg("%s", sqlite3_errmsg(fixture.store->db));
}

static void create(const char *name, const char *recurrence, int64_t max_runs)
{
	const struct schedule_draft draft = {
		.name = name, .command = "note", .recurrence = recurrence, .max_runs = max_runs};
	cJSON *row;

	if (schedules__create(fixture.store, &draft, NOW_US, &row, &fixture.err))
		fail_msg("%s", fixture.err.text);
	cJSON_Delete(row);
}

/* The id of the run that was claimed; 0: none. */
static int64_t take(const struct claimant *claimant, int64_t now_us, struct schedule_claim *claim)
{
	bool found;

	if (schedule_claim__take(fixture.store, claimant, now_us, "a-correlation", claim, &found,
				 &fixture.err))
		fail_msg("%s", fixture.err.text);
	return found ? claim->run_id : 0;
}

static int64_t take_only(const struct claimant *claimant, int64_t now_us)
{
	struct schedule_claim claim;
	int64_t id = take(claimant, now_us, &claim);

	if (id)
		schedule_claim__free(&claim);
	return id;
}

static void expect(const char *table, int64_t id, const char *column, const char *json)
{
	cJSON *row;
	char *text;

	assert_int_equal(store__get(fixture.store, store__table(fixture.store, table), id, &row,
				    &fixture.err),
			 0);
	text = value__json(cJSON_GetObjectItemCaseSensitive(row, column));
	if (strcmp(text, json) != 0)
		fail_msg("%s of %s %d is %s, not %s", column, table, (int)id, text, json);
	free(text);
	cJSON_Delete(row);
}

static bool end(const struct schedule_claim *claim, const char *category)
{
	bool is_ours;

	assert_int_equal(schedule_claim__end(fixture.store, &mine, claim, NOW_US, category,
					     &is_ours, &fixture.err),
			 0);
	return is_ours;
}

/* ---- */

static void a_planned_run(void **state)
{
	struct schedule_claim claim;

	(void)state;
	create("m", "cron:0 9,10 * * *", 0);
	assert_int_equal(take_only(&mine, NOW_US), 0);
	assert_int_equal(take(&mine, NOW_US + HOUR, &claim), 1);
	assert_int_equal(claim.planned_us, NOW_US + HOUR / 2);
	assert_int_equal(claim.schedule_id, 1);
	assert_int_equal(take_only(&other, NOW_US + HOUR), 0);
	expect("schedules", 1, "run_count", "1");
	expect("schedules", 1, "next_run_at", "\"2025-03-01T10:00:00.000000Z\"");
	expect("schedule_runs", 1, "status", "\"running\"");
	expect("schedule_runs", 1, "planned_run_at", "\"2025-03-01T09:00:00.000000Z\"");
	expect("schedule_runs", 1, "correlation_id", "\"a-correlation\"");
	assert_true(end(&claim, NULL));
	assert_false(end(&claim, "timeout"));
	expect("schedule_runs", 1, "status", "\"completed\"");
	expect("schedule_runs", 1, "owner", "null");
	schedule_claim__free(&claim);
}

static void what_was_missed_runs_once(void **state)
{
	struct schedule_claim claim;

	(void)state;
	create("m", "cron:0 * * * *", 0);
	assert_int_equal(take(&mine, NOW_US + 100 * HOUR, &claim), 1);
	assert_int_equal(claim.planned_us, NOW_US + HOUR / 2); /* the oldest */
	schedule_claim__free(&claim);
	assert_int_equal(take_only(&mine, NOW_US + 100 * HOUR), 0);
	expect("schedules", 1, "next_run_at", "\"2025-03-05T13:00:00.000000Z\"");
}

static void a_clock_that_is_set_back(void **state)
{
	(void)state;
	create("m", "cron:0 * * * *", 0);
	assert_int_equal(take_only(&mine, NOW_US + HOUR), 1);
	assert_int_equal(take_only(&mine, NOW_US), 0);
	/* It was paused and resumed meanwhile, so the same time is planned once more. */
	execute("UPDATE schedules SET next_run_at = '2025-03-01T09:00:00.000000Z'");
	assert_int_equal(take_only(&mine, NOW_US + HOUR), 0);
	expect("schedules", 1, "next_run_at", "\"2025-03-01T10:00:00.000000Z\"");
	expect("schedules", 1, "run_count", "1");
	assert_int_equal(take_only(&mine, NOW_US + 2 * HOUR), 2);
}

static void the_last_run(void **state)
{
	struct schedule_claim claim;

	(void)state;
	create("two", "cron:0 * * * *", 2);
	assert_int_equal(take_only(&mine, NOW_US + HOUR), 1);
	expect("schedules", 1, "status", "\"active\"");
	assert_int_equal(take(&mine, NOW_US + 2 * HOUR, &claim), 2);
	expect("schedules", 1, "status", "\"completed\"");
	expect("schedules", 1, "next_run_at", "null");
	assert_true(end(&claim, "timeout"));
	expect("schedules", 1, "status", "\"failed\"");
	expect("schedule_runs", 2, "error_category", "\"timeout\"");
	schedule_claim__free(&claim);
	/* The first run is still going on: that it fails does not matter any more. */
	create("once", "one_off:2025-03-01 09:00", 0);
	assert_int_equal(take(&mine, NOW_US + HOUR, &claim), 3);
	assert_true(end(&claim, NULL));
	expect("schedules", 2, "status", "\"completed\"");
	schedule_claim__free(&claim);
}

static void a_run_that_was_asked_for(void **state)
{
	struct schedule_claim claim;
	cJSON *row, *run;

	(void)state;
	create("m", "daily_at:00:00", 1);
	execute("UPDATE schedules SET status = 'paused', next_run_at = NULL");
	assert_int_equal(schedules__find(fixture.store, "m", &row, &fixture.err), 0);
	assert_int_equal(schedules__run_now(fixture.store, row, NOW_US, &run, &fixture.err), 0);
	assert_int_equal(take(&mine, NOW_US + 1, &claim), 1);
	assert_int_equal(claim.planned_us, NOW_US);
	assert_string_equal(store_row__text(claim.schedule, "name"), "m");
	assert_int_equal(take_only(&other, NOW_US + 1), 0);
	expect("schedules", 1, "run_count", "0");
	expect("schedule_runs", 1, "correlation_id", "\"a-correlation\"");
	assert_true(end(&claim, "network"));
	expect("schedules", 1, "status", "\"paused\"");
	schedule_claim__free(&claim);
	cJSON_Delete(row);
	cJSON_Delete(run);
}

static void a_run_of_a_process_that_is_gone(void **state)
{
	struct schedule_claim claim;
	size_t count;

	(void)state;
	create("once", "one_off:2025-03-01 09:00", 0);
	assert_int_equal(take(&mine, NOW_US + HOUR, &claim), 1);
	assert_int_equal(schedule_claims__fail_expired(fixture.store, &other, NOW_US + HOUR, &count,
						       &fixture.err),
			 0);
	assert_int_equal(count, 0);
	execute("UPDATE schedule_runs SET lease_until_ms = 0");
	assert_int_equal(schedule_claims__fail_expired(fixture.store, &other, NOW_US + HOUR, &count,
						       &fixture.err),
			 0);
	assert_int_equal(count, 1);
	expect("schedule_runs", 1, "status", "\"failed\"");
	expect("schedule_runs", 1, "error_category", "\"aborted\"");
	expect("schedules", 1, "status", "\"failed\"");
	assert_false(end(&claim, NULL));
	expect("schedule_runs", 1, "status", "\"failed\"");
	schedule_claim__free(&claim);
}

/* ---- what another program wrote */

static void schedules_that_cannot_be_planned(void **state)
{
	static const char *const broken[] = {"next_run_at = '0'", "recurrence = 'hourly'",
					     "timezone = 'Mars/Phobos'", "recurrence = ''"};
	char sql[200];

	(void)state;
	create("m", "cron:0 9 * * *", 0);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		execute("UPDATE schedules SET status = 'active', recurrence = 'cron:0 9 * * *',"
			" timezone = 'UTC', next_run_at = '2025-03-01T09:00:00.000000Z'");
		execute("DELETE FROM schedule_runs");
		snprintf(sql, sizeof(sql), "UPDATE schedules SET %s", broken[i]);
		execute(sql);
		take_only(&mine, NOW_US + HOUR);
		assert_int_equal(take_only(&mine, NOW_US + HOUR), 0);
		expect("schedules", 1, "status", "\"failed\"");
		expect("schedules", 1, "next_run_at", "null");
	}
}

/* Such schedules are never due. */
static void schedules_without_a_next_time(void **state)
{
	(void)state;
	create("word", "daily_at:00:00", 0);
	create("null", "daily_at:00:00", 0);
	create("good", "daily_at:00:00", 0);
	create("paused", "daily_at:00:00", 0);
	execute("UPDATE schedules SET next_run_at = 'soon' WHERE id = 1");
	execute("UPDATE schedules SET next_run_at = NULL WHERE id = 2");
	execute("UPDATE schedules SET next_run_at = NULL, status = 'paused' WHERE id = 4");
	for (int i = 0; i < 2; i++)
		assert_int_equal(schedules__give_up_timeless(fixture.store, NOW_US, &fixture.err),
				 0);
	expect("schedules", 1, "status", "\"failed\"");
	expect("schedules", 2, "status", "\"failed\"");
	expect("schedules", 3, "status", "\"active\"");
	expect("schedules", 4, "status", "\"paused\"");
}

/* It does not keep the others from running. */
static void a_run_without_a_schedule(void **state)
{
	struct schedule_claim claim;

	(void)state;
	create("m", "daily_at:00:00", 0);
	execute("PRAGMA foreign_keys = 0;"
		"INSERT INTO schedule_runs (schedule_id, planned_run_at) VALUES (77, 'x');"
		"INSERT INTO schedule_runs (schedule_id, planned_run_at) VALUES (1, 'y');"
		"PRAGMA foreign_keys = 1");
	assert_int_equal(take_only(&mine, NOW_US), 0);
	expect("schedule_runs", 1, "status", "\"failed\"");
	expect("schedule_runs", 1, "error_category", "\"not_found\"");
	assert_int_equal(take(&mine, NOW_US, &claim), 2);
	assert_int_equal(claim.planned_us, NOW_US); /* 'y' is no time */
	schedule_claim__free(&claim);
}

static void a_count_at_its_end(void **state)
{
	(void)state;
	create("m", "cron:0 * * * *", 0);
	execute("UPDATE schedules SET run_count = 9223372036854775807");
	assert_int_equal(take_only(&mine, NOW_US + HOUR), 1);
	expect("schedules", 1, "run_count", "9223372036854775807");
}

/* A file of its zone is damaged for a while: the others run, and it runs afterwards. */
static void a_zone_that_cannot_be_read(void **state)
{
	struct schedule_claim claim;
	char path[128];
	bool found;

	(void)state;
	create("first", "daily_at:08:45", 0);
	create("second", "daily_at:09:00", 0);
	create("third", "daily_at:09:15", 0);
	fixture__write(&fixture, "zoneinfo/Europe/Berlin", "TZif, but no more");
	snprintf(path, sizeof(path), "%s/zoneinfo", fixture.directory);
	setenv("TZDIR", path, 1);
	execute("UPDATE schedules SET timezone = 'Europe/Berlin' WHERE name = 'first'");
	assert_int_not_equal(take(&mine, NOW_US + HOUR, &claim), 0);
	assert_string_equal(store_row__text(claim.schedule, "name"), "second");
	schedule_claim__free(&claim);
	assert_int_not_equal(take(&mine, NOW_US + HOUR, &claim), 0);
	assert_string_equal(store_row__text(claim.schedule, "name"), "third");
	schedule_claim__free(&claim);
	assert_int_equal(schedule_claim__take(fixture.store, &mine, NOW_US + HOUR, "a-correlation",
					      &claim, &found, &fixture.err),
			 -EIO);
	assert_false(found);
	assert_non_null(strstr(fixture.err.text, "Europe/Berlin"));
	execute("INSERT INTO schedule_runs (schedule_id, planned_run_at, status) "
		"VALUES (2, '2025-03-01T08:00:00Z', 'queued')");
	assert_int_not_equal(take(&mine, NOW_US + HOUR, &claim), 0);
	schedule_claim__free(&claim);
	unsetenv("TZDIR");
	assert_int_not_equal(take(&mine, NOW_US + HOUR, &claim), 0);
	assert_string_equal(store_row__text(claim.schedule, "name"), "first");
	schedule_claim__free(&claim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_zone_that_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_planned_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_missed_runs_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_clock_that_is_set_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_that_was_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_of_a_process_that_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(schedules_that_cannot_be_planned, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(schedules_without_a_next_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_without_a_schedule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_count_at_its_end, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
