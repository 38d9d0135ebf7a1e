// SPDX-License-Identifier: BSD-2-Clause
/* Claims of two processes on one row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "../support/runner_fixture.h"
#include "runner/claim/claim.h"
#include "runner/store/store_private.h"
#include "runner/store/store_row.h"

#define LEASE_NS       3600000000000
#define OTHER_LEASE_NS 60000000 /* it pauses for a part of it */

static struct fixture fixture;
static struct claimant mine, other;
static const struct store_table *jobs;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	claimant__init(&mine, LEASE_NS);
	claimant__init(&other, OTHER_LEASE_NS);
	jobs = store__table(fixture.store, "jobs");
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

static void add_job(void)
{
	execute("INSERT INTO jobs (command_slug, status) VALUES ('note', 'queued')");
}

static cJSON *status(const char *text)
{
	cJSON *values = cJSON_CreateObject();

	assert_non_null(cJSON_AddStringToObject(values, "status", text));
	return values;
}

static bool take(const struct claimant *claimant)
{
	bool taken;

	assert_int_equal(claim__take(fixture.store, jobs, 1, "queued", cJSON_CreateObject(),
				     claimant, &taken, &fixture.err),
			 0);
	return taken;
}

static bool renew(const struct claimant *claimant)
{
	bool is_ours;

	assert_int_equal(claim__renew(fixture.store, jobs, 1, claimant, &is_ours, &fixture.err), 0);
	return is_ours;
}

static bool end(const struct claimant *claimant)
{
	bool is_ours;

	assert_int_equal(claim__end(fixture.store, jobs, 1, status("completed"), claimant, &is_ours,
				    &fixture.err),
			 0);
	return is_ours;
}

static int put_back(void *count, struct store *store, const cJSON *row, struct error *err)
{
	(*(int *)count)++;
	return claim__end_expired(store, store__table(store, "jobs"), row, status("queued"), err);
}

/* Ends all claims that have expired; returns how many. */
static int end_expired(const struct claimant *claimant)
{
	int count = 0;

	assert_int_equal(claim__end_all_expired(fixture.store, jobs, claimant, put_back, &count,
						&fixture.err),
			 0);
	return count;
}

static void expect_row(const char *expected_status, const char *owner)
{
	cJSON *row;

	assert_int_equal(store__get(fixture.store, jobs, 1, &row, &fixture.err), 0);
	assert_string_equal(store_row__text(row, "status"), expected_status);
	assert_string_equal(store_row__text(row, "owner"), owner);
	cJSON_Delete(row);
}

/* ---- */

static void two_claimants_of_one_process(void **state)
{
	(void)state;
	assert_string_not_equal(mine.owner, other.owner);
	assert_string_equal(mine.boot, other.boot);
	assert_string_not_equal(mine.boot, "");
}

static void one_of_two_takes_a_row(void **state)
{
	(void)state;
	add_job();
	assert_true(take(&mine));
	assert_false(take(&other));
	assert_false(take(&mine));
	expect_row("running", mine.owner);
	assert_true(renew(&mine));
	assert_false(renew(&other));
	assert_false(end(&other));
	assert_true(end(&mine));
	expect_row("completed", "");
	assert_false(end(&mine));
	assert_false(renew(&mine));
}

static void a_live_lease_is_left_alone(void **state)
{
	(void)state;
	add_job();
	assert_true(take(&mine));
	assert_int_equal(end_expired(&other), 0);
	expect_row("running", mine.owner);
}

static void an_expired_lease_is_lost(void **state)
{
	(void)state;
	add_job();
	assert_true(take(&mine));
	execute("UPDATE jobs SET lease_until_ms = 0");
	assert_int_equal(end_expired(&other), 1);
	expect_row("queued", "");
	assert_false(renew(&mine));
	assert_false(end(&mine));
	/* Also when it was claimed anew. */
	assert_true(take(&other));
	assert_false(renew(&mine));
	assert_false(end(&mine));
	expect_row("running", other.owner);
}

/* The owner of a claim, with a connection of its own. */
struct owner {
	struct store *store;
	pthread_t thread;
	uint64_t pause_ns;
	bool holds_lock;
	_Atomic bool has_lock;
	bool is_ours;
};

static void *renew_late(void *context)
{
	struct owner *owner = context;
	const struct timespec pause = {.tv_nsec = (long)owner->pause_ns};
	struct error err;

	if (owner->holds_lock && store__begin(owner->store, &err))
		return NULL;
	owner->has_lock = true;
	nanosleep(&pause, NULL);
	claim__renew(owner->store, store__table(owner->store, "jobs"), 1, &mine, &owner->is_ours,
		     &err);
	if (owner->holds_lock)
		store__commit(owner->store, &err);
	return NULL;
}

/* The owner of the claim, which has expired, renews it while another one is about to end it.
 * Returns how many claims that one ended. */
static int end_beside(struct owner *owner, uint64_t lease_ns)
{
	char path[96];
	int count;

	snprintf(path, sizeof(path), "%s/claims.db", fixture.directory);
	store__close(fixture.store);
	assert_int_equal(store__open(path, &fixture.store, &fixture.err), 0);
	assert_int_equal(store__open(path, &owner->store, &fixture.err), 0);
	jobs = store__table(fixture.store, "jobs");
	add_job();
	assert_true(take(&mine));
	execute("UPDATE jobs SET lease_until_ms = 0");
	other.lease_ns = lease_ns;
	assert_int_equal(pthread_create(&owner->thread, NULL, renew_late, owner), 0);
	while (!owner->has_lock)
		sched_yield();
	count = end_expired(&other);
	pthread_join(owner->thread, NULL);
	assert_true(owner->is_ours);
	expect_row("running", mine.owner);
	store__close(owner->store);
	return count;
}

/* In the pause between the two looks. */
static void a_renewal_in_time_keeps_the_row(void **state)
{
	struct owner owner = {.pause_ns = 1000000};

	(void)state;
	assert_int_equal(end_beside(&owner, 6 * 900000000ull), 0);
}

/* The owner could not renew, because the database was locked; the other one had to wait, too. */
static void who_waited_for_the_lock_ends_nothing(void **state)
{
	struct owner owner = {.pause_ns = 300000000, .holds_lock = true};

	(void)state;
	assert_int_equal(end_beside(&owner, 6 * 10000000ull), 0);
}

static void a_lease_ends_with_the_boot(void **state)
{
	(void)state;
	add_job();
	assert_true(take(&mine));
	execute("UPDATE jobs SET lease_boot = 'another'");
	assert_int_equal(end_expired(&other), 1);
	expect_row("queued", "");
}

/* What another program wrote does not stay "running" for ever. */
static void leases_that_cannot_be_read(void **state)
{
	static const char *const broken[] = {
		"owner = NULL, lease_until_ms = 0",
		"owner = NULL, lease_boot = NULL, lease_until_ms = NULL",
		"lease_until_ms = NULL, lease_boot = NULL",
		"lease_until_ms = 'soon'",
		"lease_until_ms = 1.5",
		"owner = '', lease_until_ms = x''",
		"lease_until_ms = -1",
		"lease_until_ms = 9e18",
		"lease_until_ms = -9223372036854775807 - 1",
		"lease_until_ms = 9223372036854775807",
		"owner = 7, lease_until_ms = 0",
	};

	(void)state;
	add_job();
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char sql[200];

		execute("UPDATE jobs SET status = 'queued'");
		assert_true(take(&mine));
		snprintf(sql, sizeof(sql), "UPDATE jobs SET %s", broken[i]);
		execute(sql);
		if (end_expired(&other) != 1)
			fail_msg("not ended: %s", broken[i]);
		expect_row("queued", "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_claimants_of_one_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_of_two_takes_a_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_live_lease_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_expired_lease_is_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_renewal_in_time_keeps_the_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_waited_for_the_lock_ends_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lease_ends_with_the_boot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leases_that_cannot_be_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
