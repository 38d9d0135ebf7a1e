// SPDX-License-Identifier: BSD-2-Clause
/* Processes whose end the kernel could not report: when they are looked for, and when their
 * commands are given up. The functions of capture and attach that are needed are defined here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>

#include "steptrace/record/vanished.h"
#include "stream_fixture.h"

/* What the kernel says, and how often the process was looked up. */
static struct {
	uint64_t process_records_lost;
	bool has_unwatched, has_read_to_mark, is_gone;
	int lookups;
} kernel;

uint64_t capture__process_records_lost(const struct capture *capture)
{
	(void)capture;
	return kernel.process_records_lost;
}

uint64_t capture__untraced_count(const struct capture *capture)
{
	(void)capture;
	return 0;
}

bool capture__has_unwatched(const struct capture *capture)
{
	(void)capture;
	return kernel.has_unwatched;
}

void capture__mark_unread(struct capture *capture)
{
	(void)capture;
	kernel.has_read_to_mark = false;
}

bool capture__has_read_to_mark(const struct capture *capture)
{
	(void)capture;
	return kernel.has_read_to_mark;
}

int targets__check_pid(pid_t pid, struct error *err)
{
	(void)err;
	assert_int_equal(pid, RECORD_PID);
	kernel.lookups++;
	return kernel.is_gone ? -ESRCH : 0;
}

/* ---- one open command */

static struct vanished vanished;
static struct watch watch;
static struct stream *stream;

static int set_up(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&vanished, 0, sizeof(vanished));
	stream = json_stream();
	feed_started(stream);
	written(stream);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stream__free(stream);
	return 0;
}

static bool looks(bool is_second)
{
	int before = kernel.lookups;

	vanished__check(&vanished, &watch, stream, is_second);
	return kernel.lookups > before;
}

/* Reads all records up to the mark. Returns whether the command was given up. */
static bool gives_up(void)
{
	kernel.has_read_to_mark = true;
	vanished__close(&vanished, NULL, stream);
	return strstr(written(stream), "\"aborted\":{\"cause\":\"unknown\"") != NULL;
}

static void without_a_loss_no_process_is_looked_up(void **state)
{
	(void)state;
	kernel.is_gone = true;
	for (int tick = 0; tick < 50; tick++)
		assert_false(looks(tick % 20 == 0));
	assert_false(gives_up());
}

static void after_a_loss_they_are_looked_for_at_once(void **state)
{
	(void)state;
	kernel.is_gone = true;
	kernel.process_records_lost = 1;
	watch.follower.next_scan_ns = 77;
	assert_true(looks(false));
	assert_int_equal(watch.follower.next_scan_ns, 0); /* an exec may have been lost */
	assert_true(gives_up());
	assert_int_equal(stream__executions_count(stream), 0);
}

/* The kernel counts the loss before the process is gone from /proc. */
static void a_process_that_takes_a_while_to_go(void **state)
{
	int seconds = 0;

	(void)state;
	kernel.process_records_lost = 1;
	assert_true(looks(false));
	assert_false(looks(false)); /* only once a second */
	assert_false(gives_up());
	while (looks(true))
		seconds++;
	assert_int_equal(seconds, 10);
	kernel.process_records_lost = 2;
	assert_true(looks(false));
	kernel.is_gone = true;
	assert_true(looks(true));
	assert_true(gives_up());
}

/* Its last records may still be unread. */
static void unread_records_come_first(void **state)
{
	(void)state;
	kernel.is_gone = true;
	kernel.process_records_lost = 1;
	assert_true(looks(false));
	vanished__close(&vanished, NULL, stream);
	assert_string_equal(written(stream), "");
	feed_completed(stream, 0);
	assert_non_null(strstr(written(stream), "\"outcome\":\"success\""));
	assert_false(gives_up());
}

/* There are more runners than the kernel can watch. */
static void unwatched_processes_are_looked_for_each_second(void **state)
{
	(void)state;
	kernel.has_unwatched = true;
	for (int second = 0; second < 20; second++) {
		assert_false(looks(false));
		assert_true(looks(true));
	}
	kernel.is_gone = true;
	assert_true(looks(true));
	assert_true(gives_up());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_loss_no_process_is_looked_up, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(after_a_loss_they_are_looked_for_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_process_that_takes_a_while_to_go, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(unread_records_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unwatched_processes_are_looked_for_each_second,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
