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
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
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

static int try_to_make_a_pipe(void)
{
	int ends[2];

	return pipe2(ends, 0) ? errno : 0;
}

static int try_to_name_a_thread(void)
{
	return prctl(PR_SET_NAME, "test") ? errno : 0;
}

static int try_to_keep_capabilities(void)
{
	return prctl(PR_SET_KEEPCAPS, 1) ? errno : 0;
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

static int clone_with(unsigned long flags)
{
	long child = syscall(SYS_clone, SIGCHLD | flags, 0, 0, 0, 0);

	if (child == 0)
		_exit(0);
	return child < 0 ? errno : 0;
}

static int try_a_mount_namespace(void)
{
	return clone_with(CLONE_NEWNS);
}

static int try_a_user_namespace(void)
{
	return clone_with(CLONE_NEWUSER);
}

static int try_a_pid_namespace(void)
{
	return clone_with(CLONE_NEWPID);
}

static int try_a_network_namespace(void)
{
	return clone_with(CLONE_NEWNET);
}

/* The filter cannot look into its arguments. ENOSYS lets the C library fall back to clone. */
static int try_clone3(void)
{
	struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long child = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child == 0)
		_exit(0);
	return child < 0 ? errno : 0;
}

static int try_to_make_memory_executable(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 0;
	return mprotect(memory, 4096, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int open_for_nothing(int flags)
{
	return open("/tmp/steptrace-test-seccomp-none/none", flags, 0600) < 0 ? errno : 0;
}

static int try_to_make_a_file(void)
{
	return open_for_nothing(O_RDONLY | O_CREAT);
}

static int try_to_make_a_file_to_write(void)
{
	return open_for_nothing(O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
}

static int try_to_truncate_a_file(void)
{
	return open_for_nothing(O_RDONLY | O_TRUNC);
}

/* As an output makes its next file. ENOENT: it is allowed, but the folder is not there. */
static int try_to_make_an_output(void)
{
	return open_for_nothing(O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW);
}

static int try_an_output_that_follows_links(void)
{
	return open_for_nothing(O_RDWR | O_CREAT | O_APPEND);
}

static int try_to_rename(void)
{
	return rename("/tmp/steptrace-test-seccomp-none/a", "/tmp/steptrace-test-seccomp-none/b")
		       ? errno
		       : 0;
}

static int try_to_accept(void)
{
	return accept4(-1, NULL, NULL, 0) < 0 ? errno : 0;
}

static int try_a_perf_event(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) < 0 ? errno : 0;
}

static int try_an_ioctl(void)
{
	return ioctl(-1, TIOCSTI, "x") ? errno : 0;
}

static int try_to_set_the_modes_of_a_terminal(void)
{
	return ioctl(-1, TCSETSW, NULL) ? errno : 0;
}

/* TCSETS2, TCSETSW2 and TCSETSF2, which glibc 2.42 uses. Their header conflicts with <termios.h>.
 */
static int try_to_set_the_modes_as_new_libraries_do(void)
{
	static const unsigned long set[] = {0x402c542b, 0x402c542c, 0x402c542d};
	int code = 0;

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		if (ioctl(-1, set[i], NULL) && code != EPERM)
			code = errno;
	return code;
}

/* TCGETS and TCGETS2, as isatty() does; TIOCGWINSZ, FIONREAD. */
static int try_to_ask_a_terminal(void)
{
	static const unsigned long get[] = {TCGETS, 0x802c542a, TIOCGWINSZ, FIONREAD};
	int code = 0;

	for (size_t i = 0; i < sizeof(get) / sizeof(get[0]); i++)
		if (ioctl(-1, get[i], NULL) && code != EPERM)
			code = errno;
	return code;
}

static int try_to_drop_what_was_typed(void)
{
	return ioctl(-1, TCFLSH, TCIFLUSH) ? errno : 0;
}

static int mark_with(unsigned int flags)
{
	return fanotify_mark(-1, flags, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/") ? errno : 0;
}

/* As the holder of execs leaves a file out. */
static int try_to_leave_a_file_out(void)
{
	return mark_with(FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY);
}

static int try_to_hold_more_execs(void)
{
	return mark_with(FAN_MARK_ADD | FAN_MARK_FILESYSTEM);
}

static int try_to_look_at_a_file_again(void)
{
	return mark_with(FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK);
}

static int try_to_hold_no_execs(void)
{
	return mark_with(FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM);
}

static int try_another_holder(void)
{
	return fanotify_init(FAN_CLASS_CONTENT, O_RDONLY) < 0 ? errno : 0;
}

static int try_to_change_the_user(void)
{
	return setuid(getuid()) ? errno : 0;
}

static int try_to_hear_of_writers(void)
{
	return inotify_add_watch(-1, "/", IN_MODIFY) < 0 && errno == EBADF ? 0 : errno;
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

/* What the attempt says in a confined process of its own. NULL: under the filter of a reader. */
static int confined(attempt *try, const struct privilege_needs *needs)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (needs ? seccomp__confine(needs, NULL) : seccomp__confine_reader(NULL))
			_exit(255);
		_exit(try());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What a need allows besides, and what the attempt says then: ENOENT, EBADF and EFAULT are answers
 * of the kernel, not of the filter. */
static const struct need {
	const char *name;
	struct privilege_needs needs;
	struct {
		attempt *try;
		int says;
	} allows[5];
} needs_of[] = {
	{"nothing", {.perf_links = false}, {{NULL, 0}}},
	{"signals_child", {.signals_child = true}, {{try_to_kill, 0}}},
	{"connects", {.connects = true}, {{try_socket, 0}}},
	{"sends_kafka",
	 {.sends_kafka = true},
	 {{try_to_make_a_pipe, 0}, {try_to_name_a_thread, 0}}},
	{"serves", {.serves = true}, {{try_to_accept, EBADF}}},
	{"draws",
	 {.draws = true},
	 {{try_to_set_the_modes_of_a_terminal, EBADF},
	  {try_to_set_the_modes_as_new_libraries_do, EBADF},
	  {try_to_drop_what_was_typed, EBADF}}},
	{"makes_files",
	 {.makes_files = true},
	 {{try_to_make_an_output, ENOENT}, {try_to_rename, ENOENT}}},
	{"holds_execs", {.holds_execs = true}, {{try_to_leave_a_file_out, EBADF}}},
	{"perf_links",
	 {.perf_links = true},
	 {{try_a_perf_event, EFAULT},
	  {try_an_ioctl, EBADF},
	  {try_to_set_the_modes_of_a_terminal, EBADF},
	  {try_to_set_the_modes_as_new_libraries_do, EBADF},
	  {try_to_drop_what_was_typed, EBADF}}},
};

static const struct {
	const char *name;
	attempt *try;
} attempts[] = {
	{"execve", try_execve},
	{"socket", try_socket},
	{"pipe2", try_to_make_a_pipe},
	{"PR_SET_NAME", try_to_name_a_thread},
	{"PR_SET_KEEPCAPS", try_to_keep_capabilities},
	{"ptrace", try_ptrace},
	{"open to write", try_to_write_a_file},
	{"open with O_CREAT", try_to_make_a_file},
	{"open to write with O_CREAT", try_to_make_a_file_to_write},
	{"open with O_TRUNC", try_to_truncate_a_file},
	{"open an output", try_to_make_an_output},
	{"open an output without O_NOFOLLOW", try_an_output_that_follows_links},
	{"rename", try_to_rename},
	{"mmap with PROT_EXEC", try_to_make_code},
	{"mprotect with PROT_EXEC", try_to_make_memory_executable},
	{"CLONE_NEWNS", try_a_mount_namespace},
	{"CLONE_NEWUSER", try_a_user_namespace},
	{"CLONE_NEWPID", try_a_pid_namespace},
	{"CLONE_NEWNET", try_a_network_namespace},
	{"BPF_PROG_LOAD", try_to_load_a_program},
	{"kill", try_to_kill},
	{"accept4", try_to_accept},
	{"perf_event_open", try_a_perf_event},
	{"TIOCSTI", try_an_ioctl},
	{"TCSETSW", try_to_set_the_modes_of_a_terminal},
	{"TCSETS2 or the like", try_to_set_the_modes_as_new_libraries_do},
	{"TCFLSH", try_to_drop_what_was_typed},
	{"setuid", try_to_change_the_user},
	{"FAN_MARK_ADD of an ignored mask", try_to_leave_a_file_out},
	{"FAN_MARK_ADD of a mask", try_to_hold_more_execs},
	{"FAN_MARK_REMOVE of an ignored mask", try_to_look_at_a_file_again},
	{"FAN_MARK_FLUSH", try_to_hold_no_execs},
	{"fanotify_init", try_another_holder},
};

enum {
	NEEDS_COUNT = sizeof(needs_of) / sizeof(needs_of[0]),
	ATTEMPTS_COUNT = sizeof(attempts) / sizeof(attempts[0]),
};

/* What the filter has to make of the attempt. */
static int expected(const struct need *need, attempt *try)
{
	for (size_t i = 0; i < sizeof(need->allows) / sizeof(need->allows[0]); i++)
		if (need->allows[i].try == try)
			return need->allows[i].says;
	return EPERM;
}

/* Every attempt under every need. */
static void what_is_refused(void **state)
{
	(void)state;
	skip_under_sanitizer();
	for (int i = 0; i < NEEDS_COUNT; i++)
		for (int j = 0; j < ATTEMPTS_COUNT; j++) {
			int wanted = expected(&needs_of[i], attempts[j].try);
			int got = confined(attempts[j].try, &needs_of[i].needs);

			if (got != wanted)
				fail_msg("%s under %s: %s instead of %s", attempts[j].name,
					 needs_of[i].name, strerror(got), strerror(wanted));
		}
}

static int try_to_read_what_is_open(void)
{
	char byte;

	return pread(-1, &byte, 1, 0) < 0 ? errno : 0;
}

static int try_to_map_data(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? errno
		       : 0;
}

static int try_to_abort(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0) ? errno : 0;
}

static pid_t tester;

static int try_to_signal_another(void)
{
	return syscall(SYS_tgkill, tester, tester, 0) ? errno : 0;
}

/* It has its files, and needs no other. */
static void what_a_reader_may_do(void **state)
{
	(void)state;
	skip_under_sanitizer();
	for (int i = 0; i < ATTEMPTS_COUNT; i++)
		if (confined(attempts[i].try, NULL) != EPERM)
			fail_msg("a reader may do this: %s", attempts[i].name);
	assert_int_equal(confined(try_to_read_a_file, NULL), EPERM);
	assert_int_equal(confined(try_to_fork, NULL), EPERM);
	assert_int_equal(confined(try_a_thread, NULL), EPERM);
	assert_int_equal(confined(try_to_read_what_is_open, NULL), EBADF);
	assert_int_equal(confined(try_to_map_data, NULL), 0);
	assert_int_equal(confined(try_to_abort, NULL), 0);
	tester = getpid();
	assert_int_equal(confined(try_to_signal_another, NULL), EPERM);
}

static void clone3_is_not_there(void **state)
{
	(void)state;
	skip_under_sanitizer();
	for (int i = 0; i < NEEDS_COUNT; i++)
		assert_int_equal(confined(try_clone3, &needs_of[i].needs), ENOSYS);
}

static void what_is_not(void **state)
{
	const struct privilege_needs nothing = {.perf_links = false};

	(void)state;
	skip_under_sanitizer();
	assert_int_equal(confined(try_to_read_a_file, &nothing), 0);
	assert_int_equal(confined(try_a_thread, &nothing), 0);
	assert_int_equal(confined(try_to_hear_of_writers, &nothing), 0);
	assert_int_equal(confined(try_to_fork, &nothing), 0);
	assert_int_equal(confined(try_to_ask_a_terminal, &nothing), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_a_reader_may_do),
		cmocka_unit_test(clone3_is_not_there),
		cmocka_unit_test(what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
