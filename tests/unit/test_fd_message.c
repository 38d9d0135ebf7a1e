// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd_message.h"

static int ends[2];
static char received[8];
static int fds[FD_MESSAGE_FDS_MAX];
static size_t count;

static int open_ends(void **state)
{
	(void)state;
	memset(received, 0, sizeof(received));
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
}

static int close_ends(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static ssize_t receive(void)
{
	return fd_message__receive(ends[1], received, sizeof(received), fds, &count);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void descriptors_come_with_the_bytes(void **state)
{
	struct stat sent, got;
	int file = open("/proc/self/exe", O_RDONLY);
	int both[2] = {file, ends[0]};

	(void)state;
	assert_int_equal(fd_message__send(ends[0], "order", 6, both, 2), 0);
	assert_int_equal(receive(), 6);
	assert_string_equal(received, "order");
	assert_int_equal(count, 2);
	fstat(file, &sent);
	fstat(fds[0], &got);
	assert_int_equal(got.st_ino, sent.st_ino);
	assert_int_not_equal(fds[0], file);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	close(file);
}

static void a_message_without_descriptors(void **state)
{
	(void)state;
	assert_int_equal(fd_message__send(ends[0], "x", 2, NULL, 0), 0);
	assert_int_equal(receive(), 2);
	assert_int_equal(count, 0);
}

static void the_end(void **state)
{
	(void)state;
	shutdown(ends[0], SHUT_RDWR);
	assert_int_equal(receive(), 0);
	assert_int_equal(count, 0);
}

static void without_waiting(void **state)
{
	int sent = 0, code;

	(void)state;
	assert_int_equal(fd_message__try_receive(ends[1], received, sizeof(received), fds, &count),
			 -EAGAIN);
	assert_int_equal(count, 0);
	do {
		code = fd_message__try_send(ends[0], "order", 6, &ends[0], 1);
		sent += code == 0;
	} while (code == 0);
	assert_int_equal(code, -EAGAIN);
	assert_true(sent > 0);
	for (; sent > 0; sent--) {
		assert_int_equal(
			fd_message__try_receive(ends[1], received, sizeof(received), fds, &count),
			6);
		assert_int_equal(count, 1);
		close(fds[0]);
	}
}

static void too_many_descriptors(void **state)
{
	int many[FD_MESSAGE_FDS_MAX + 1];

	(void)state;
	for (int i = 0; i < FD_MESSAGE_FDS_MAX + 1; i++)
		many[i] = ends[0];
	assert_int_equal(fd_message__send(ends[0], "x", 2, many, FD_MESSAGE_FDS_MAX + 1), -E2BIG);
	assert_int_equal(fd_message__send(ends[0], "x", 2, many, FD_MESSAGE_FDS_MAX), 0);
	assert_int_equal(receive(), 2);
	assert_int_equal(count, FD_MESSAGE_FDS_MAX);
	while (count > 0)
		close(fds[--count]);
}

/* The kernel delivers those for which there is room. None of them may stay open. */
static void no_room_for_all_descriptors(void **state)
{
	int free_before = lowest_free();
	const int three[] = {0, 1, 2};
	struct rlimit limit, low;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	low = (struct rlimit){.rlim_cur = (rlim_t)free_before + 2, .rlim_max = limit.rlim_max};
	assert_int_equal(fd_message__send(ends[0], "order", 6, three, 3), 0);
	setrlimit(RLIMIT_NOFILE, &low);
	assert_int_equal(receive(), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(count, 0);
	assert_string_equal(received, "order");
	assert_int_equal(lowest_free(), free_before);
}

int main(void)
{
#define WITH_ENDS(test) cmocka_unit_test_setup_teardown(test, open_ends, close_ends)
	const struct CMUnitTest tests[] = {
		WITH_ENDS(descriptors_come_with_the_bytes),
		WITH_ENDS(a_message_without_descriptors),
		WITH_ENDS(the_end),
		WITH_ENDS(without_waiting),
		WITH_ENDS(too_many_descriptors),
		WITH_ENDS(no_room_for_all_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
