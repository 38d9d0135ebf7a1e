// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "skipping.h"
#include "steptrace/attach/writers.h"

static char path[] = "/tmp/steptrace-writers-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, "content", 7) != 7 || fchmod(fd, 0644) || close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static int open_to_read(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_awake(const struct writers *writers)
{
	struct pollfd wakeup = {.fd = writers->wakeup_fd, .events = POLLIN};

	return poll(&wakeup, 1, 0) == 1;
}

static void open_all(struct writers *writers)
{
	struct error err;

	assert_int_equal(writers__open(writers, &err), 0);
	assert_false(is_awake(writers));
}

static void a_lease_makes_a_writer_wait(void **state)
{
	struct writers writers;
	struct guard guard;
	int fd = open_to_read(), writer;

	(void)state;
	open_all(&writers);
	assert_int_equal(writers__guard(&writers, fd, &guard), 0);
	if (guard.kind != GUARD_LEASE)
		skip_because("there are no leases on this file system");
	assert_false(guard__is_broken(&guard, fd));
	assert_int_equal(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(is_awake(&writers));
	assert_true(guard__is_broken(&guard, fd));
	writers__clear(&writers);
	assert_false(is_awake(&writers));
	writers__release(&writers, fd, &guard);
	assert_false(guard__is_broken(&guard, fd));
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer >= 0);
	close(writer);
	close(fd);
	writers__close(&writers);
}

static void names_and_modes_do_not_matter(void **state)
{
	char other[sizeof(path) + 2];
	struct writers writers;
	struct guard guard;
	int fd = open_to_read();

	(void)state;
	open_all(&writers);
	assert_int_equal(writers__guard(&writers, fd, &guard), 0);
	snprintf(other, sizeof(other), "%s-2", path);
	assert_int_equal(link(path, other) | chmod(path, 0600) | unlink(other), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(is_awake(&writers));
	assert_false(guard__is_broken(&guard, fd));
	writers__release(&writers, fd, &guard);
	close(fd);
	writers__close(&writers);
}

static void not_while_it_is_open_for_writing(void **state)
{
	int fd = open_to_read(), writer = open(path, O_WRONLY | O_CLOEXEC);
	struct writers writers;
	struct guard guard;

	(void)state;
	open_all(&writers);
	assert_int_equal(writers__guard(&writers, fd, &guard), -ETXTBSY);
	assert_int_equal(guard.kind, GUARD_NONE);
	assert_int_equal(writers__refusal(fd), -ETXTBSY);
	close(writer);
	assert_int_equal(writers__guard(&writers, fd, &guard), 0);
	writers__release(&writers, fd, &guard);
	close(fd);
	writers__close(&writers);
}

/* Of a child process without rights over the file. Returns which of its steps was wrong. */
static int without_rights(int go)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct writers writers;
	struct guard guard;
	struct error err;
	char byte;

	if (setresuid(12345, 12345, 12345) || writers__open(&writers, &err))
		return 1;
	if (writers__guard(&writers, fd, &guard) || guard.kind != GUARD_WATCH ||
	    guard.refusal != -EACCES || writers__refusal(fd) != -EACCES || is_awake(&writers))
		return 2;
	if (write(go, "x", 1) != 1 || read(go, &byte, 1) != 1 || !is_awake(&writers) ||
	    guard__is_broken(&guard, fd))
		return 3;
	writers__clear(&writers);
	if (is_awake(&writers))
		return 4;
	writers__release(&writers, fd, &guard);
	writers__clear(&writers); /* inotify says that the watch is gone */
	if (write(go, "x", 1) != 1 || read(go, &byte, 1) != 1 || is_awake(&writers))
		return 5;
	return 0;
}

static void overwrite_when_told(int told)
{
	char byte;

	assert_int_equal(read(told, &byte, 1), 1);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(write(told, "x", 1), 1);
}

/* Then it is noticed afterwards, and as long as the guard lasts. */
static void without_a_lease_a_change_is_seen(void **state)
{
	int ends[2], status;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root has files of another user");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0)
		_exit(without_rights(ends[1]));
	close(ends[1]);
	overwrite_when_told(ends[0]);
	overwrite_when_told(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_makes_a_writer_wait),
		cmocka_unit_test(names_and_modes_do_not_matter),
		cmocka_unit_test(not_while_it_is_open_for_writing),
		cmocka_unit_test(without_a_lease_a_change_is_seen),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
