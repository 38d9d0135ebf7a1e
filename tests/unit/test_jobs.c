// SPDX-License-Identifier: BSD-2-Clause
/* Jobs: claims, attempts, pauses and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>

#include "../support/runner_fixture.h"
#include "runner/queue/jobs.h"
#include "runner/store/store_private.h"
#include "runner/store/store_row.h"

/* 2025-03-01T08:30:00Z, as in the fixture */
#define NOW_US   1740817800000000
#define SECOND   1000000
#define LEASE_NS 3600000000000

static struct fixture fixture;
static struct claimant mine, other;
static const struct job_queues all_queues;

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

static void add_job(const char *queue, const char *available_at)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO jobs (command_slug, queue, available_at)"
		 " VALUES ('note', '%s', '%s')",
		 queue, available_at);
	execute(sql);
}

/* The id of the job that was claimed, 0: none. */
static int64_t take(const struct claimant *claimant, const struct job_queues *queues,
		    int64_t now_us, struct job_claim *claim)
{
	bool found;

	if (job_claim__take(fixture.store, claimant, queues, now_us, claim, &found, &fixture.err))
		fail_msg("%s", fixture.err.text);
	return found ? claim->id : 0;
}

static void expect_column(int64_t id, const char *column, const char *text)
{
	cJSON *row;

	assert_int_equal(store__get(fixture.store, store__table(fixture.store, "jobs"), id, &row,
				    &fixture.err),
			 0);
	assert_string_equal(store_row__text(row, column), text);
	cJSON_Delete(row);
}

static void expect_end(struct job_claim *claim, int64_t now_us, const char *category,
		       enum job_end expected)
{
	enum job_end how;
	bool is_ours;

	assert_int_equal(job_claim__end(fixture.store, &mine, claim, now_us, category, &how,
					&is_ours, &fixture.err),
			 0);
	assert_true(is_ours);
	assert_int_equal(how, expected);
	job_claim__free(claim);
}

/* ---- */

static void the_longest_wait_comes_first(void **state)
{
	struct job_claim claim;

	(void)state;
	add_job("default", "2025-03-01T08:30:00.000001Z");
	add_job("default", "2025-03-01T08:29:59.000000Z");
	add_job("default", "2025-03-01T08:30:00.000000Z");
	assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 2);
	assert_int_equal(claim.attempt, 1);
	assert_int_equal(claim.runnable_us, NOW_US - SECOND);
	job_claim__free(&claim);
	assert_int_equal(take(&other, &all_queues, NOW_US, &claim), 3);
	job_claim__free(&claim);
	assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 0);
	assert_int_equal(take(&mine, &all_queues, NOW_US + 1, &claim), 1);
	job_claim__free(&claim);
}

static void only_from_these_queues(void **state)
{
	static const char *const names[] = {"mail", "reports"};
	const struct job_queues queues = {names, 2}, first = {names, 1};
	struct job_claim claim;
	int64_t count;

	(void)state;
	add_job("default", "2025-01-01T00:00:00.000000Z");
	add_job("reports", "2025-02-01T00:00:00.000000Z");
	assert_int_equal(take(&mine, &first, NOW_US, &claim), 0);
	assert_int_equal(jobs__count_open(fixture.store, &first, &count, &fixture.err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(take(&mine, &queues, NOW_US, &claim), 2);
	expect_end(&claim, NOW_US, NULL, JOB_COMPLETED);
	assert_int_equal(jobs__count_open(fixture.store, &queues, &count, &fixture.err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(jobs__count_open(fixture.store, &all_queues, &count, &fixture.err), 0);
	assert_int_equal(count, 1);
}

/* 5, 10, 20, ... seconds, at most 10 minutes. */
static void pauses_double(void **state)
{
	static const int pauses_s[] = {5, 10, 20, 40, 80, 160, 320, 600, 600};
	const int last = sizeof(pauses_s) / sizeof(pauses_s[0]);
	struct job_claim claim;
	int64_t now_us = NOW_US;

	(void)state;
	add_job("default", "2025-03-01T08:30:00.000000Z");
	execute("UPDATE jobs SET max_attempts = 10");
	for (int i = 0; i < last; i++) {
		assert_int_equal(take(&mine, &all_queues, now_us, &claim), 1);
		assert_int_equal(claim.attempt, i + 1);
		assert_int_equal(claim.runnable_us, now_us);
		now_us += 7; /* the command took this long */
		expect_end(&claim, now_us, "network", JOB_RETRY);
		expect_column(1, "error_category", "network");
		now_us += (int64_t)pauses_s[i] * SECOND;
		assert_int_equal(take(&mine, &all_queues, now_us - 1, &claim), 0);
	}
	assert_int_equal(take(&mine, &all_queues, now_us, &claim), 1);
	expect_end(&claim, now_us, "network", JOB_DEAD);
	expect_column(1, "status", "dead");
	assert_int_equal(take(&mine, &all_queues, INT64_MAX / 2, &claim), 0);
}

static void a_success_forgets_the_error(void **state)
{
	struct job_claim claim;

	(void)state;
	add_job("default", "2025-03-01T08:30:00.000000Z");
	take(&mine, &all_queues, NOW_US, &claim);
	expect_end(&claim, NOW_US, "timeout", JOB_RETRY);
	take(&mine, &all_queues, NOW_US + 5 * SECOND, &claim);
	expect_end(&claim, NOW_US + 6 * SECOND, NULL, JOB_COMPLETED);
	expect_column(1, "status", "completed");
	expect_column(1, "error_category", "");
	expect_column(1, "finished_at", "2025-03-01T08:30:06.000000Z");
	expect_column(1, "owner", "");
}

static void end_expired(size_t expected, size_t expected_dead)
{
	size_t count, dead;

	assert_int_equal(
		jobs__end_expired(fixture.store, &other, NOW_US, &count, &dead, &fixture.err), 0);
	assert_int_equal(count, expected);
	assert_int_equal(dead, expected_dead);
}

static void an_expired_attempt_counts(void **state)
{
	struct job_claim claim;
	enum job_end how;
	bool is_ours;

	(void)state;
	add_job("default", "2025-03-01T08:30:00.000000Z");
	execute("UPDATE jobs SET max_attempts = 2");
	take(&mine, &all_queues, NOW_US, &claim);
	end_expired(0, 0);
	execute("UPDATE jobs SET lease_until_ms = 0");
	end_expired(1, 0);
	expect_column(1, "status", "queued");
	expect_column(1, "error_category", "aborted");
	expect_column(1, "available_at", "2025-03-01T08:30:05.000000Z");
	assert_int_equal(job_claim__end(fixture.store, &mine, &claim, NOW_US, NULL, &how, &is_ours,
					&fixture.err),
			 0);
	assert_false(is_ours);
	job_claim__free(&claim);
	take(&mine, &all_queues, NOW_US + 5 * SECOND, &claim);
	assert_int_equal(claim.attempt, 2);
	execute("UPDATE jobs SET lease_until_ms = 0");
	end_expired(1, 1);
	expect_column(1, "status", "dead");
	job_claim__free(&claim);
}

/* What another program may have written. */
static void numbers_out_of_range(void **state)
{
	static const struct {
		const char *columns;
		int64_t attempt;
		enum job_end end;
	} cases[] = {
		{"attempts = 9223372036854775807", INT32_MAX, JOB_DEAD},
		{"attempts = -9223372036854775807", 1, JOB_RETRY},
		{"attempts = 'two'", 1, JOB_RETRY},
		{"attempts = 1.5", 1, JOB_RETRY},
		{"attempts = 1, max_attempts = 'two'", 2, JOB_DEAD},
		{"attempts = 0, max_attempts = -1", 1, JOB_DEAD},
		{"attempts = 0, max_attempts = 3, available_at = ''", 1, JOB_RETRY},
		{"attempts = 0, available_at = '0'", 1, JOB_RETRY},
	};
	struct job_claim claim;
	char sql[200];

	(void)state;
	add_job("default", "2025-03-01T08:30:00.000000Z");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(sql, sizeof(sql),
			 "UPDATE jobs SET status = 'queued', "
			 "available_at = '2025', %s",
			 cases[i].columns);
		execute(sql);
		assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 1);
		assert_int_equal(claim.attempt, cases[i].attempt);
		assert_int_equal(claim.runnable_us, NOW_US);
		expect_end(&claim, NOW_US, "general", cases[i].end);
	}
}

/* Another program wrote them: they would wait for ever. */
static void jobs_without_a_time(void **state)
{
	struct job_claim claim;
	size_t count;

	(void)state;
	add_job("default", "soon");
	add_job("default", "2025-03-01T08:30:01.000000Z");
	execute("INSERT INTO jobs (command_slug) VALUES ('note')");
	execute("INSERT INTO jobs (command_slug, status) VALUES ('note', 'dead')");
	assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 0);
	assert_int_equal(jobs__set_missing_times(fixture.store, NOW_US, &count, &fixture.err), 0);
	assert_int_equal(count, 2);
	expect_column(2, "available_at", "2025-03-01T08:30:01.000000Z");
	expect_column(4, "available_at", "");
	assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 1);
	job_claim__free(&claim);
	assert_int_equal(take(&mine, &all_queues, NOW_US, &claim), 3);
	job_claim__free(&claim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_longest_wait_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_from_these_queues, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pauses_double, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_success_forgets_the_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_expired_attempt_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_out_of_range, set_up, tear_down),
		cmocka_unit_test_setup_teardown(jobs_without_a_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
