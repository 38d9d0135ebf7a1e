// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/result_file.h"

enum { RESULT_BYTES = 1 << 20 };

/* Reads when the pipe is full, and exits with 0 if all bytes came. */
_Noreturn static void play_pager(int fd, int pipe_bytes)
{
	static char bytes[65536];
	int waiting = 0, total = 0;
	ssize_t count;

	while (waiting < pipe_bytes) {
		if (ioctl(fd, FIONREAD, &waiting))
			_exit(2);
		sched_yield();
	}
	while ((count = read(fd, bytes, sizeof(bytes))) > 0)
		total += (int)count;
	_exit(total == RESULT_BYTES ? 0 : 1);
}

static void a_full_pipe_that_does_not_wait(void **state)
{
	char *bytes = calloc(1, RESULT_BYTES);
	struct result_file file = {.path = "pipe"};
	struct error err = {""};
	int ends[2], status;
	pid_t pager;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	pager = fork();
	if (pager == 0) {
		close(ends[1]);
		play_pager(ends[0], fcntl(ends[0], F_GETPIPE_SZ));
	}
	close(ends[0]);
	file.fd = ends[1];
	if (result_file__write(&file, bytes, RESULT_BYTES, &err))
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(pager, &status, 0), pager);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_that_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
