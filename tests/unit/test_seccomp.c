// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "skipping.h"
#include "steptrace/confine/seccomp.h"

typedef int attempt(void); /* 0, or the errno */

static int try_execve(void)
{
	char *const argv[] = {"true", NULL};

	return execve("/bin/true", argv, argv + 1) ? errno : 0;
}

static int try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0;
}

static int try_to_write_a_file(void)
{
	return open("/dev/null", O_WRONLY) < 0 ? errno : 0;
}

static int try_to_read_a_file(void)
{
	return open("/dev/null", O_RDONLY) < 0 ? errno : 0;
}

static int try_to_make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}

static int try_to_load_a_program(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) < 0 ? errno : 0;
}

static int try_a_namespace(void)
{
	return syscall(SYS_clone, SIGCHLD | CLONE_NEWNS, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int try_to_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, NULL, 0) != child ? errno : 0;
}

static int try_to_kill(void)
{
	return kill(getpid(), 0) ? errno : 0;
}

static void *nothing(void *argument)
{
	return argument;
}

static int try_a_thread(void)
{
	pthread_t thread;
	int code = pthread_create(&thread, NULL, nothing, NULL);

	return code ? code : pthread_join(thread, NULL);
}

/* AddressSanitizer makes system calls that the filter refuses, so seccomp.c installs no filter
 * there. */
static void skip_under_sanitizer(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip_because("AddressSanitizer: seccomp__confine() does nothing in this build");
#endif
}

/* What the attempt says in a confined process of its own. */
static int confined(attempt *try, bool signals_child)
{
	const struct privilege_needs needs = {.signals_child = signals_child};
	pid_t child = fork();
	int status;

	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (seccomp__confine(&needs, NULL))
			_exit(255);
		_exit(try());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_is_refused(void **state)
{
	static attempt *const attempts[] = {try_execve,
					    try_socket,
					    try_ptrace,
					    try_to_write_a_file,
					    try_to_make_code,
					    try_a_namespace,
					    try_to_load_a_program,
					    try_to_kill};

	(void)state;
	skip_under_sanitizer();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (confined(attempts[i], false) != EPERM)
			fail_msg("attempt %zu was not refused", i);
}

static void what_is_not(void **state)
{
	(void)state;
	skip_under_sanitizer();
	assert_int_equal(confined(try_to_read_a_file, false), 0);
	assert_int_equal(confined(try_a_thread, false), 0);
	assert_int_equal(confined(try_to_fork, false), 0);
	assert_int_equal(confined(try_to_kill, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
