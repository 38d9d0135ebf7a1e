// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/log.h"
#include "skipping.h"

enum { PATIENCE_MS = 60000 };

static char said[65536];
static int before = -1;

/* From here on stderr is this descriptor. */
static void redirect(int fd)
{
	fflush(stderr);
	before = dup(STDERR_FILENO);
	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
}

/* What was written to the descriptor since redirect(), which ends with this. The kernel passes text
 * of a terminal on a little later. */
static const char *written(int reader, const char *last)
{
	struct pollfd ready = {.fd = reader, .events = POLLIN};
	size_t used = 0;

	fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	for (said[0] = 0; !strstr(said, last); said[used] = 0) {
		ssize_t bytes;

		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		bytes = read(reader, said + used, sizeof(said) - 1 - used);
		assert_true(bytes > 0);
		used += (size_t)bytes;
	}
	return said;
}

static void where_stderr_is_no_terminal_messages_are_not_late(void **state)
{
	char text[64];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	redirect(ends[1]);
	log__hold();
	log__warn("a %s", "b\n");
	assert_int_equal(log__held(text, sizeof(text)), 1);
	log__release();
	log__info("later");
	assert_string_equal(written(ends[0], "later\n"),
			    "steptrace: warning: a b\\n\nsteptrace: later\n");
	assert_string_equal(text, "warning: a b\\n");
	close(ends[0]);
	close(ends[1]);
}

/* The two ends of a terminal; skips the test if there is none. */
static void open_terminal(int ends[2])
{
	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (ends[0] < 0 || grantpt(ends[0]) || unlockpt(ends[0]))
		skip_because("there are no pseudo terminals");
	ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
	assert_true(ends[1] >= 0);
}

static void on_a_terminal_they_come_when_it_is_free_again(void **state)
{
	char text[64] = "x";
	int ends[2];

	(void)state;
	open_terminal(ends);
	redirect(ends[1]);
	log__hold();
	assert_int_equal(log__held(text, sizeof(text)), 0);
	assert_string_equal(text, "");
	log__info("one");
	log__error("two");
	assert_int_equal(log__held(text, 4), 2);
	assert_string_equal(text, "two");
	assert_int_equal(read(ends[0], said, sizeof(said)), -1);
	log__release();
	assert_int_equal(log__held(text, sizeof(text)), 0);
	log__release(); /* does nothing */
	assert_string_equal(written(ends[0], "two\r\n"), "steptrace: one\r\nsteptrace: two\r\n");
	close(ends[1]);
	close(ends[0]);
}

static void the_newest_are_kept(void **state)
{
	const char *text;
	char last[32];
	int ends[2];

	(void)state;
	open_terminal(ends);
	redirect(ends[1]);
	log__hold();
	for (int i = 0; i < LOG_HELD_MAX + 7; i++)
		log__info("message %d", i);
	log__release();
	snprintf(last, sizeof(last), "message %d\r\n", LOG_HELD_MAX + 6);
	text = written(ends[0], last);
	assert_non_null(strstr(text, "steptrace: 7 earlier messages are not shown\r\n"
				     "steptrace: message 7\r\n"));
	assert_null(strstr(text, "message 6\r"));
	close(ends[1]);
	close(ends[0]);
}

/* Its user has stopped it with Ctrl-S. Runs last: log__do_not_wait() cannot be undone. */
static void a_stopped_terminal_is_not_waited_for(void **state)
{
	int ends[2];

	(void)state;
	open_terminal(ends);
	log__do_not_wait();
	redirect(ends[1]);
	log__hold();
	log__info("one");
	assert_int_equal(tcflow(ends[1], TCOOFF), 0);
	alarm(PATIENCE_MS / 1000);
	log__release();
	alarm(0);
	assert_int_equal(tcflow(ends[1], TCOON), 0);
	log__info("later");
	assert_string_equal(written(ends[0], "later\r\n"), "steptrace: later\r\n");
	close(ends[1]);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_stderr_is_no_terminal_messages_are_not_late),
		cmocka_unit_test(on_a_terminal_they_come_when_it_is_free_again),
		cmocka_unit_test(the_newest_are_kept),
		cmocka_unit_test(a_stopped_terminal_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
