// SPDX-License-Identifier: BSD-2-Clause
/* What a tracer is told of the steps of a runner, above all how many rows they changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "../support/runner_fixture.h"
#include "../support/told.h"
#include "own_semaphore.h"
#include "runner/store/store_private.h"
#include "steptrace/stream/event.h"

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	semaphore__raise();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	semaphore__lower();
	fixture__close(&fixture);
	return 0;
}

static int run(const char *steps)
{
	told__forget();
	return fixture__run(&fixture, steps, NULL);
}

#define RECURRENCE "command: note, recurrence: 'cron:@daily'"

/* A new database with four fragments of two types, and a schedule. */
static void make_rows(void)
{
	fixture__close(&fixture);
	fixture__open(&fixture);
	assert_int_equal(
		run("- {id: a, type: fragment.create, with: {type: note, message: one}}\n"
		    "- {id: b, type: fragment.create, with: {type: note, message: two}}\n"
		    "- {id: c, type: fragment.create, with: {type: todo, message: three}}\n"
		    "- {id: d, type: fragment.create, with: {type: todo, message: four}}\n"
		    "- {id: m, type: action, with: {action: create, name: m, " RECURRENCE "}}\n"),
		0);
}

static const struct {
	const char *step;
	uint64_t rows;
	size_t fragments;
} changes[] = {
	{"- {id: x, type: fragment.create, message: new}", 1, 1},
	{"- {id: x, type: fragment.update, with: {id: 1, data: {title: T}}}", 1, 1},
	{"- {id: x, type: database.update, with: {model: fragments, id: 1, data: {title: T}}}", 1,
	 1},
	{"- {id: x, type: database.update, with: {model: fragments, conditions: {type: todo},"
	 " data: {title: T}}}",
	 1, 1}, /* the first row alone */
	{"- {id: x, type: model.delete, with: {model: fragment, id: 1}}", 1, 1},
	{"- {id: x, type: model.delete, with: {model: fragment, conditions: {type: note}}}", 2, 2},
	{"- {id: x, type: fragment.query}", 0, 0},
	{"- {id: x, type: transform, template: t}", 0, 0},
	{"- {id: x, type: database.update, with: {model: fragments, id: 99, data: {title: T}}}", 0,
	 0}, /* fails */
	{"- {id: x, type: job.dispatch, command: note}", 1, 0},
	{"- {id: x, type: action, with: {action: create, name: new, " RECURRENCE "}}", 1, 0},
	{"- {id: x, type: action, with: {action: create, name: m, " RECURRENCE "}}", 0, 0},
	{"- {id: x, type: action, with: {action: pause, id: m}}", 1, 0},
	{"- {id: x, type: action, with: {action: resume, id: m}}", 0, 0}, /* it is active */
	{"- {id: x, type: action, with: {action: delete, id: m}}", 1, 0},
	{"- {id: x, type: action, with: {action: delete, id: none}}", 0, 0},
	{"- {id: x, type: action, with: {action: detail, id: m}}", 0, 0},
	{"- {id: x, type: action, with: {action: list}}", 0, 0},
};

static void expect_changes(const char *step, uint64_t rows, size_t fragments)
{
	if (told.steps_count != 1 || told.steps[0].mutations_count != rows ||
	    told.fragments_count != fragments)
		fail_msg("%s: %zu steps, %llu rows, %zu fragments", step, told.steps_count,
			 (unsigned long long)told.steps[0].mutations_count, told.fragments_count);
}

static void changed_rows_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		make_rows();
		run(changes[i].step);
		expect_changes(changes[i].step, changes[i].rows, changes[i].fragments);
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	make_rows();
	fixture.settings.dry_run = true;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		run(changes[i].step);
		expect_changes(changes[i].step, 0, 0);
		assert_true(told.steps[0].child.head.flags & SPAN_DRY_RUN);
	}
}

/* SQLite calls it before a commit. A result that is not 0 makes the commit fail. */
static int refuse_commit(void *context)
{
	(void)context;
	return 1;
}

/* The step itself succeeded, and then its rows could not be committed. */
static void a_failed_commit_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		make_rows();
		sqlite3_commit_hook(fixture.store->db, refuse_commit, NULL);
		assert_int_not_equal(run(changes[i].step), 0);
		sqlite3_commit_hook(fixture.store->db, NULL, NULL);
		expect_changes(changes[i].step, 0, 0);
		assert_int_equal(told.steps[0].outcome, STEPTRACE_FAILURE);
		assert_int_equal(told.steps[0].error_category, STEPTRACE_ERROR_DATABASE);
		assert_int_equal(told.command.outcome, STEPTRACE_FAILURE);
		assert_int_equal(told.command.steps_failed, 1);
	}
}

/* Only the innermost step says why, and all steps around it failed with the same category. */
static void a_failure_has_one_category(void **state)
{
	(void)state;
	run("- id: outer\n  type: condition\n  condition: true\n  then:\n"
	    "  - {id: inner, type: model.delete, with: {model: fragment, id: 99}}\n");
	assert_int_equal(told.steps_count, 2);
	assert_string_equal(told.steps[0].name, "inner");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(told.steps[i].outcome, STEPTRACE_FAILURE);
		assert_int_equal(told.steps[i].error_category, STEPTRACE_ERROR_NOT_FOUND);
		assert_int_equal(told.steps[i].mutations_count, 0);
	}
	assert_int_equal(told.command.error_category, STEPTRACE_ERROR_NOT_FOUND);
}

/* What the system's clock says. */
static uint64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A tracer subtracts the time from the system's clock, and the runner may have another one. */
static void the_wait_of_a_job(void **state)
{
	struct execution_origin origin = {.queue = "mail", .attempt = 2};
	const int64_t wait_us = 90000000, now_us = id_source__now_us(&fixture.ids);
	uint64_t before_ns = real_ns();

	(void)state;
	fixture.settings.origin = &origin;
	origin.runnable_at_us = now_us - wait_us;
	run("- {id: a, type: transform, template: x}");
	assert_string_equal(told.command.queue, "mail");
	assert_int_equal(told.command.attempt, 2);
	assert_in_range(told.command.enqueued_at_ns + (uint64_t)wait_us * 1000, before_ns,
			real_ns());
	/* The clock was set back meanwhile: a tracer says null. */
	origin.runnable_at_us = now_us + wait_us;
	run("- {id: a, type: transform, template: x}");
	assert_true(told.command.enqueued_at_ns > real_ns());
	/* The runner has the clock of the system. */
	fixture.ids.has_fixed_now = false;
	origin.runnable_at_us = 1740817800000007;
	run("- {id: a, type: transform, template: x}");
	assert_int_equal(told.command.enqueued_at_ns, 1740817800000007000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_rows_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failed_commit_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_has_one_category, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_wait_of_a_job, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
