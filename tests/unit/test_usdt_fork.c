// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ids after fork(), and that begin and end calls make no system call. The header's own system calls
 * and its clock are replaced, so that a test can count and refuse them, and can stop the clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Before the header: what it calls instead of syscall() and clock_gettime(). */
static long counted_syscall(long number, ...);
static int chosen_clock(int clock, struct timespec *now);

#define syscall       counted_syscall
#define clock_gettime chosen_clock
#include <steptrace.h>
#undef syscall
#undef clock_gettime

#include "skipping.h"
#include "usdt_fixture.h"

static int pages_can_be_cleared = 1;
static uint64_t *ticks; /* shared with child processes; NULL: the real clock */
static int clock_is_stopped;
static int syscalls_count;

static long counted_syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	syscalls_count++;
	if (number == SYS_madvise && !pages_can_be_cleared) {
		errno = EINVAL;
		return -1;
	}
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	return syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		       arguments[5]);
}

static int chosen_clock(int clock, struct timespec *now)
{
	if (!ticks)
		return clock_gettime(clock, now);
	*now = (struct timespec){
		.tv_sec = 1,
		.tv_nsec = clock_is_stopped ? 1
					    : (long)__atomic_add_fetch(ticks, 1, __ATOMIC_RELAXED)};
	return 0;
}

/* As at program start. */
static void start_again(int can_clear_pages)
{
	pages_can_be_cleared = can_clear_pages;
	steptrace__page = NULL;
	memset(&steptrace__page_that_stays, 0, sizeof(steptrace__page_that_stays));
	steptrace__identity_init();
}

static void *shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static int real_clock_again(void **state)
{
	ticks = NULL;
	clock_is_stopped = 0;
	start_again(1);
	return detached_again(state);
}

/* ---- a family of processes */

enum { IDS_EACH = 50, CHILDREN = 3 };

static pid_t clone_without_fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void wait_for_children(int count)
{
	for (int i = 0; i < count; i++) {
		int status = 0;

		if (wait(&status) < 0 || status)
			_exit(99);
	}
}

/* A child and its own child. The command began in their parent, so they may not say that they
 * announced it. */
static void child_and_grandchild(pid_t (*make_child)(void), struct steptrace_command *command,
				 uint64_t (*ids)[2], int child_is_first)
{
	struct steptrace_step step;

	if (child_is_first)
		take_step_ids(command, ids, IDS_EACH);
	if (make_child() == 0) {
		take_step_ids(command, ids + (ptrdiff_t)CHILDREN * IDS_EACH, IDS_EACH);
		_exit(0);
	}
	if (!child_is_first)
		take_step_ids(command, ids, IDS_EACH);
	wait_for_children(1);
	steptrace_step_init(&step, command, "S");
	steptrace_step_begin(&step);
	_exit(step.span.owner.command_announced_ns != 0);
}

/* A parent with three children, each of which has a child: seven times IDS_EACH ids. */
static void run_family(pid_t (*make_child)(void), uint64_t (*ids)[2])
{
	struct steptrace_command command;
	int status;

	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	for (int i = 0; i < CHILDREN; i++)
		if (make_child() == 0)
			child_and_grandchild(make_child, &command, ids + (ptrdiff_t)i * IDS_EACH,
					     i != 0);
	take_step_ids(&command, ids + (ptrdiff_t)2 * CHILDREN * IDS_EACH, IDS_EACH);
	for (int i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void check_family(pid_t (*make_child)(void), int can_clear_pages, int stops_clock)
{
	enum { COUNT = (2 * CHILDREN + 1) * IDS_EACH };
	uint64_t(*ids)[2] = shared_memory(COUNT * sizeof(*ids));

	attach();
	ticks = shared_memory(sizeof(*ticks));
	clock_is_stopped = stops_clock;
	start_again(can_clear_pages);
	run_family(make_child, ids);
	for (int i = 0; i < COUNT; i++)
		expect_uuid(ids[i]);
	expect_all_different(ids, COUNT);
}

/* With a clock that stands still: ids after fork() do not come from the clock. */
static void forked_processes_have_their_own_ids(void **state)
{
	(void)state;
	check_family(fork, 1, 1);
}

static void also_where_the_kernel_cannot_clear_pages(void **state)
{
	(void)state;
	check_family(fork, 0, 1);
}

static void cloned_processes_have_their_own_ids(void **state)
{
	(void)state;
	check_family(clone_without_fork, 1, 0);
}

/* ---- several threads that fork at the same time */

enum { THREADS = 4, FORKS = 25 };

struct forker {
	struct steptrace_command *command;
	pthread_barrier_t *start;
	uint64_t (*ids)[2];
	int failed;
};

static void *fork_often(void *context)
{
	struct forker *forker = context;
	int status;

	for (int i = 0; i < FORKS; i++) {
		pid_t child;

		pthread_barrier_wait(forker->start);
		child = fork();
		if (child == 0) {
			take_step_ids(forker->command, forker->ids + i, 1);
			_exit(0);
		}
		forker->failed |= waitpid(child, &status, 0) != child || status != 0;
	}
	return NULL;
}

static void threads_that_fork_at_the_same_time(void **state)
{
	uint64_t(*ids)[2] = shared_memory(THREADS * FORKS * sizeof(*ids));
	struct forker forkers[THREADS];
	struct steptrace_command command;
	pthread_t threads[THREADS];
	pthread_barrier_t start;

	(void)state;
	attach();
	ticks = shared_memory(sizeof(*ticks));
	clock_is_stopped = 1;
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		forkers[i] = (struct forker){&command, &start, ids + (ptrdiff_t)i * FORKS, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, fork_often, &forkers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(forkers[i].failed, 0);
	}
	pthread_barrier_destroy(&start);
	expect_all_different(ids, THREADS * FORKS);
}

/* ---- no system calls */

static void everything(void)
{
	struct work work;
	char text[37];

	begin_work(&work);
	steptrace_step_suspend(&work.step);
	steptrace_step_resume(&work.step);
	steptrace_tool_init(&work.tool, &work.command, &work.step, "t");
	steptrace_tool_begin(&work.tool);
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	steptrace_fragment_changed(&work.step, 1, STEPTRACE_DELETED);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	steptrace_command_suspend(&work.command);
	steptrace_command_resume(&work.command);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	steptrace_command_init(&work.command, "c");
	steptrace_command_id(&work.command, text);
	steptrace_command_rejected(&work.command, "invalid_argument", "a,b");
}

static void calls_make_no_system_call(void **state)
{
	static pid_t (*const ways[])(void) = {fork, clone_without_fork};
	int status = 0;

	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		semaphore__set((unsigned short)attached);
		syscalls_count = 0;
		everything();
		assert_int_equal(syscalls_count, 0);
		for (int way = 0; way < 2; way++) {
			if (ways[way]() == 0) {
				everything();
				_exit(syscalls_count);
			}
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
	}
}

/* Allows write and exit_group; for every other system call the kernel kills the process. */
static int enter_sandbox(void)
{
	struct sock_filter allow_list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(allow_list) / sizeof(*allow_list), allow_list};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

enum { NO_SANDBOX = 77 };

static void only_the_clock(void)
{
	now_ns();
}

/* How the child ends that enters the sandbox and then does the work. */
static int status_in_sandbox(pid_t (*make_child)(void), void (*work)(void))
{
	int status = 0;

	if (make_child() == 0) {
		if (enter_sandbox())
			_exit(NO_SANDBOX);
		work();
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	return status;
}

static void children_live_in_a_sandbox(void **state)
{
	int status = status_in_sandbox(fork, only_the_clock);

	(void)state;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX)
		skip_because("this kernel has no seccomp filters");
	if (status != 0)
		skip_because("reading the clock needs a system call here (machine, or sanitizer)");
	for (int attached = 0; attached < 2; attached++) {
		semaphore__set((unsigned short)attached);
		assert_int_equal(status_in_sandbox(fork, everything), 0);
		assert_int_equal(status_in_sandbox(clone_without_fork, everything), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, real_clock_again)
	const struct CMUnitTest tests[] = {
		TEST(forked_processes_have_their_own_ids),
		TEST(also_where_the_kernel_cannot_clear_pages),
		TEST(cloned_processes_have_their_own_ids),
		TEST(threads_that_fork_at_the_same_time),
		TEST(calls_make_no_system_call),
		TEST(children_live_in_a_sandbox),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
