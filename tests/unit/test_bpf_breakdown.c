// SPDX-License-Identifier: BSD-2-Clause
/* bpf/breakdown*: the time of a thread is divided among its spans exactly, and what is not known is
 * not guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "kernel.h"
#include "records.h"

enum { BEGIN_NS = 2000000000, PROBE_NS = 100 };

static struct task_struct tasks[3], idle;
static struct pt_regs regs;
static struct command_span command;
static struct step_span steps[20];

static void run_as(int task)
{
	kernel.task = &tasks[task];
	kernel.pid_tid = (__u64)4711 << 32 | (__u64)(4712 + task);
}

static int set_up(void **state)
{
	(void)state;
	kernel__begin();
	cpu_bytes = sizeof(struct steptrace_cpu);
	kernel.time_ns = BEGIN_NS;
	kernel.regs = &regs;
	memset(tasks, 0, sizeof(tasks));
	memset(&regs, 0, sizeof(regs));
	run_as(0);
	command = records__command_done(1);
	command.announced_ns = BEGIN_NS;
	for (int i = 0; i < 20; i++) {
		steps[i] = records__step();
		steps[i].child.command_announced_ns = BEGIN_NS;
		steps[i].child.command = (uint64_t)&command;
		records__id(steps[i].step_id, (uint8_t)(0x20 + i));
	}
	return 0;
}

/* ---- the thread and its spans */

static void pass(uint64_t ns)
{
	kernel.time_ns += ns;
}

static void leave(int task, bool is_preempted, long syscall)
{
	__u64 at[] = {is_preempted, (__u64)&tasks[task], (__u64)&idle};

	regs.orig_ax = (unsigned long)syscall;
	tasks[task].__state = is_preempted ? 0 : 1;
	if (is_preempted)
		tasks[task].nivcsw++;
	else
		tasks[task].nvcsw++;
	thread_switched(at);
}

/* The kernel counts it, and says nothing. */
static void leave_unseen(int task)
{
	tasks[task].nvcsw++;
}

static void wake(int task)
{
	__u64 at[] = {(__u64)&tasks[task]};

	thread_woken(at);
}

static void enter(int task)
{
	__u64 at[] = {0, (__u64)&idle, (__u64)&tasks[task]};

	tasks[task].__state = 0;
	thread_switched(at);
}

static void off_cpu(int task, long syscall, uint64_t blocked_ns, uint64_t runnable_ns)
{
	leave(task, false, syscall);
	pass(blocked_ns);
	wake(task);
	pass(runnable_ns);
	enter(task);
}

static void preempt(int task, uint64_t runnable_ns)
{
	leave(task, true, 0);
	pass(runnable_ns);
	enter(task);
}

/* The runner takes its stamp a moment after the start probe, and before the done probe. */
static void begin_step(int i)
{
	hit(PROBE_STEP_START, &steps[i]);
	pass(PROBE_NS);
	steps[i].child.head.start_ns = kernel.time_ns;
}

static void end_step(int i)
{
	steps[i].child.head.end_ns = kernel.time_ns;
	pass(PROBE_NS);
	hit(PROBE_STEP_DONE, &steps[i]);
}

static void begin_command(void)
{
	hit(PROBE_COMMAND_START, &command);
	pass(PROBE_NS);
	command.head.start_ns = kernel.time_ns;
}

static void end_command(void)
{
	command.head.end_ns = kernel.time_ns;
	pass(PROBE_NS);
	hit(PROBE_COMMAND_DONE, &command);
}

/* The breakdown in the last record; NULL: it has none. */
static const struct steptrace_cpu *last_cpu(void)
{
	const struct kernel_record *record = kernel__last_submitted();
	const struct steptrace_record *header = (const struct steptrace_record *)record->bytes;

	if (!(header->flags & RECORD_HAS_CPU))
		return NULL;
	return (const struct steptrace_cpu *)(record->bytes + record->size_bytes -
					      sizeof(struct steptrace_cpu));
}

static void expect(uint64_t on_cpu_ns, uint64_t runnable_ns, uint64_t blocked_ns, int kind)
{
	const struct steptrace_cpu *cpu = last_cpu();

	assert_non_null(cpu);
	assert_int_equal(cpu->on_cpu_ns, on_cpu_ns);
	assert_int_equal(cpu->runnable_ns, runnable_ns);
	for (int i = 0; i < BLOCKED_KINDS_COUNT; i++)
		assert_int_equal(cpu->blocked_ns[i], i == kind ? blocked_ns : 0);
	assert_int_equal(cpu->threads_ns, on_cpu_ns + runnable_ns + blocked_ns);
}

/* ---- one thread */

static void parts_of_a_step(void **state)
{
	(void)state;
	begin_step(0);
	pass(1000);
	off_cpu(0, SYSCALL_nanosleep, 5000, 70);
	pass(300);
	preempt(0, 20);
	tasks[0].min_flt += 3;
	tasks[0].maj_flt += 1;
	tasks[0].se.nr_migrations += 2;
	pass(1);
	end_step(0);
	expect(1301, 90, 5000, BLOCKED_SLEEP);
	assert_int_equal(last_cpu()->switches_voluntary, 1);
	assert_int_equal(last_cpu()->switches_involuntary, 1);
	assert_int_equal(last_cpu()->migrations, 2);
	assert_int_equal(last_cpu()->page_faults, 4);
	assert_int_equal(breakdowns_lost, 0);
}

/* Spans within each other share their time, and nothing of before and after is in it. */
static void nested_spans(void **state)
{
	(void)state;
	begin_command();
	off_cpu(0, SYSCALL_futex, 10, 1);
	begin_step(0);
	off_cpu(0, SYSCALL_futex, 100, 1);
	begin_step(1);
	off_cpu(0, SYSCALL_futex, 1000, 1);
	end_step(1);
	expect(0, 1, 1000, BLOCKED_LOCK);
	off_cpu(0, SYSCALL_futex, 10000, 1);
	end_step(0);
	expect(2 * PROBE_NS, 3, 11100, BLOCKED_LOCK);
	off_cpu(0, SYSCALL_futex, 100000, 1);
	end_command();
	expect(4 * PROBE_NS, 5, 111110, BLOCKED_LOCK);
}

/* Between steps the thread is not measured: it may leave the processor and stay away. */
static void a_thread_without_spans(void **state)
{
	(void)state;
	begin_step(0);
	end_step(0);
	leave(0, false, SYSCALL_futex);
	pass(1000);
	enter(0);
	begin_step(0);
	pass(7);
	end_step(0);
	expect(7, 0, 0, 0);
	assert_int_equal(breakdowns_lost, 0);
}

/* ---- between a probe and the stamp of the runner */

static void off_before_the_first_stamp(void **state)
{
	for (int times = 0; times < 3; times++) {
		set_up(state);
		hit(PROBE_STEP_START, &steps[0]);
		for (int i = 0; i < times; i++) {
			pass(10);
			preempt(0, 5000);
		}
		steps[0].child.head.start_ns = kernel.time_ns;
		pass(10);
		off_cpu(0, SYSCALL_futex, 300, 2);
		end_step(0);
		if (times < 2)
			expect(10, 2, 300, BLOCKED_LOCK);
		else
			assert_null(last_cpu());
		assert_int_equal(breakdowns_lost, times == 2);
		if (times < 2)
			assert_int_equal(last_cpu()->switches_involuntary, 0);
	}
}

static void off_behind_the_last_stamp(void **state)
{
	for (int times = 0; times < 3; times++) {
		set_up(state);
		begin_step(0);
		off_cpu(0, SYSCALL_futex, 300, 2);
		pass(10);
		steps[0].child.head.end_ns = kernel.time_ns;
		for (int i = 0; i < times; i++) {
			pass(10);
			off_cpu(0, SYSCALL_nanosleep, 4000, 1);
		}
		hit(PROBE_STEP_DONE, &steps[0]);
		if (times < 2)
			expect(10, 2, 300, BLOCKED_LOCK);
		else
			assert_null(last_cpu());
		assert_int_equal(breakdowns_lost, times == 2);
		if (times < 2)
			assert_int_equal(last_cpu()->switches_voluntary, 1);
	}
}

/* ---- nothing is guessed */

/* A program that the kernel did not run is noticed at the next one. */
static void missed_events(void **state)
{
	static const char *const missed[] = {"", "leave", "wake", "enter"};

	for (int i = 0; i < 4; i++) {
		set_up(state);
		begin_step(0);
		if (i != 1)
			leave(0, false, SYSCALL_futex);
		else
			leave_unseen(0);
		pass(10);
		if (i != 2)
			wake(0);
		pass(10);
		if (i != 3)
			enter(0);
		preempt(0, 5);
		end_step(0);
		if ((last_cpu() == NULL) != (missed[i][0] != 0))
			fail_msg("missed '%s'", missed[i]);
		assert_int_equal(breakdowns_lost, i > 0);
		begin_step(1); /* it is over */
		end_step(1);
		assert_non_null(last_cpu());
	}
}

/* A program that the kernel did not run is noticed by the end of the span, if no other one runs. */
static void missed_at_the_end(void **state)
{
	for (int missed = 1; missed <= 2; missed++) {
		set_up(state);
		begin_step(0);
		if (missed == 2) {
			leave_unseen(0);
		} else {
			leave(0, false, SYSCALL_nanosleep);
			pass(1000);
			wake(0);
		}
		pass(10);
		begin_step(1); /* the thread runs: this one is measured */
		preempt(0, 5);
		end_step(1);
		expect(0, 5, 0, 0);
		end_step(0);
		assert_null(last_cpu());
		assert_int_equal(breakdowns_lost, 1);
	}
}

/* The thread left before the span began, and what it did later was not seen until it came back. */
static void a_missed_return_and_a_missed_leave(void **state)
{
	(void)state;
	begin_step(0);
	leave(0, false, SYSCALL_nanosleep);
	wake(0);
	pass(1000);
	begin_step(1);
	pass(10);
	leave_unseen(0);
	enter(0);
	pass(10);
	end_step(1);
	assert_null(last_cpu());
	end_step(0);
	assert_null(last_cpu());
	assert_int_equal(breakdowns_lost, 2);
}

/* The last event before the end of the only span. */
static void a_missed_return(void **state)
{
	(void)state;
	begin_step(0);
	leave(0, false, SYSCALL_nanosleep);
	pass(1000);
	wake(0);
	end_step(0);
	assert_null(last_cpu());
	assert_int_equal(breakdowns_lost, 1);
}

static void stamps_that_make_no_sense(void **state)
{
	static const int64_t moved_ns[][2] = {
		{0, 0}, {-PROBE_NS - 1, 0}, {0, PROBE_NS + 1}, {200, 0}, {-1000000000, -1000000000},
	};

	for (size_t i = 0; i < sizeof(moved_ns) / sizeof(moved_ns[0]); i++) {
		set_up(state);
		begin_step(0);
		pass(100);
		steps[0].child.head.start_ns += (uint64_t)moved_ns[i][0];
		steps[0].child.head.end_ns = kernel.time_ns + (uint64_t)moved_ns[i][1];
		pass(PROBE_NS);
		hit(PROBE_STEP_DONE, &steps[0]);
		assert_int_equal(last_cpu() == NULL, i > 0);
	}
}

static void another_span_at_the_same_address(void **state)
{
	(void)state;
	begin_step(0);
	records__id(steps[0].step_id, 0x77);
	end_step(0);
	assert_null(last_cpu());
	end_step(1); /* its beginning was not seen */
	assert_null(last_cpu());
	assert_int_equal(breakdowns_lost, 0);
}

static void a_suspended_step(void **state)
{
	(void)state;
	begin_step(0);
	steps[0].child.head.flags |= SPAN_SUSPENDED;
	end_step(0);
	assert_null(last_cpu());
}

static void more_spans_than_a_thread_has_room_for(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		begin_step(i);
	for (int i = 19; i >= 0; i--) {
		end_step(i);
		assert_int_equal(last_cpu() != NULL, i >= 20 - SPANS_PER_THREAD);
	}
	assert_int_equal(breakdowns_lost, 20 - SPANS_PER_THREAD);
	begin_step(0);
	end_step(0);
	assert_non_null(last_cpu());
}

static void no_memory(void **state)
{
	(void)state;
	kernel.are_maps_full = true;
	begin_step(0);
	end_step(0);
	assert_null(last_cpu());
	assert_int_equal(breakdowns_lost, 1);
}

static void without_breakdown(void **state)
{
	(void)state;
	cpu_bytes = 0;
	begin_step(0);
	end_step(0);
	assert_null(last_cpu());
	assert_int_equal(kernel__last_submitted()->size_bytes,
			 sizeof(struct steptrace_record) + sizeof(struct step_span));
	assert_null(kernel.storages[0].task);
}

/* ---- several threads */

static void threads_of_a_command(void **state)
{
	(void)state;
	begin_command();
	begin_step(0); /* in the thread of the command: its time is the command's already */
	end_step(0);
	run_as(1);
	begin_step(1);
	begin_step(2);
	off_cpu(1, SYSCALL_nanosleep, 1000, 0);
	end_step(2);
	end_step(1);
	run_as(2);
	begin_step(3);
	pass(500);
	end_step(3);
	run_as(0);
	end_command();
	assert_non_null(last_cpu());
	assert_int_equal(last_cpu()->threads_ns,
			 command.head.end_ns - command.head.start_ns + 1000 + 2 * PROBE_NS + 500);
	assert_int_equal(last_cpu()->blocked_ns[BLOCKED_SLEEP], 1000);
	assert_int_equal(kernel__lookup(&measured_commands,
					&(struct command_key){(__u64)&command, 4711},
					sizeof(struct command_key)) == NULL,
			 true);
}

/* Each of them makes the time of the command unknown. */
enum trouble {
	NONE,
	ENDS_ELSEWHERE,
	BEGAN_ELSEWHERE,
	BEGAN_ELSEWHERE_TOO, /* it ends in a thread that ran another step before */
	OVERLAPS,
	STAYS_OPEN,
	SUSPENDED,
	TROUBLES,
};

static void make(enum trouble trouble)
{
	bool begins_here = trouble != BEGAN_ELSEWHERE && trouble != BEGAN_ELSEWHERE_TOO;

	if (!begins_here)
		begin_step(1);
	run_as(1);
	if (begins_here)
		begin_step(1);
	if (trouble == BEGAN_ELSEWHERE_TOO) {
		begin_step(3);
		end_step(3);
	}
	if (trouble == OVERLAPS)
		begin_step(2);
	if (trouble == SUSPENDED)
		steps[1].child.head.flags |= SPAN_SUSPENDED;
	if (trouble == ENDS_ELSEWHERE)
		run_as(2);
	if (trouble != STAYS_OPEN)
		end_step(1);
	if (trouble == OVERLAPS)
		end_step(2);
	run_as(0);
}

static void trouble_in_other_threads(void **state)
{
	for (int trouble = NONE; trouble < TROUBLES; trouble++) {
		set_up(state);
		begin_command();
		make((enum trouble)trouble);
		end_command();
		assert_int_equal(last_cpu() != NULL, trouble == NONE);
		begin_command(); /* the next command is not affected */
		end_command();
		assert_non_null(last_cpu());
	}
}

/* What a thread still has of a step of an earlier command, at the same address, does not count as
 * a step of this one. */
static void remains_of_an_earlier_command(void **state)
{
	(void)state;
	begin_command();
	run_as(1);
	begin_step(1); /* it ends in another thread */
	run_as(0);
	end_command();
	records__id(command.head.execution_id, 0x55);
	records__id(steps[2].child.head.execution_id, 0x55);
	begin_command();
	run_as(1);
	begin_step(2);
	pass(400);
	end_step(2);
	run_as(0);
	end_command();
	assert_non_null(last_cpu());
	assert_int_equal(last_cpu()->threads_ns, command.head.end_ns - command.head.start_ns + 400);
}

static void a_command_that_ends_elsewhere(void **state)
{
	(void)state;
	begin_command();
	run_as(1);
	end_command();
	assert_null(last_cpu());
}

/* Steps that a filter leaves out are part of the command's time. */
static void filters_change_nothing(void **state)
{
	(void)state;
	filters.by_span = 1;
	filters.min_duration_ns = 10000;
	begin_command();
	run_as(1);
	begin_step(1);
	pass(400);
	end_step(1);
	run_as(0);
	pass(20000);
	end_command();
	assert_non_null(last_cpu());
	assert_int_equal(last_cpu()->threads_ns, command.head.end_ns - command.head.start_ns + 400);
}

/* ---- what a thread waits for */

static struct super_block disk = {.s_magic = 0xef53}, anonymous = {.s_magic = ANON_INODES};
static struct inode inodes[] = {
	{.i_mode = 0140777},
	{.i_mode = 0010600},
	{.i_mode = 0100644, .i_sb = &disk},
	{.i_mode = 0100600, .i_sb = &anonymous},
	{.i_mode = 0600, .i_sb = &anonymous},
	{.i_mode = 0020620},
	{.i_mode = 0060660},
};
enum { SOCKET, FIFO, FILE_, EVENT, OLD_EVENT, TERMINAL, BLOCK_DEVICE, NOTHING };

static struct file files[8];
static struct file *open_files[8];
static struct fdtable table = {.max_fds = 8, .fd = open_files};
static struct files_struct descriptors = {.fdt = &table};

static void open_all(void)
{
	for (int i = 0; i < NOTHING; i++) {
		files[i].f_inode = &inodes[i];
		open_files[i] = &files[i];
	}
	tasks[0].files = &descriptors;
}

static int kind_after(long syscall, unsigned long first, unsigned long second)
{
	regs.di = first;
	regs.si = second;
	begin_step(0);
	off_cpu(0, syscall, 1000, 0);
	end_step(0);
	assert_non_null(last_cpu());
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		if (last_cpu()->blocked_ns[kind] == 1000)
			return kind;
	return -1;
}

static void what_a_thread_waits_for(void **state)
{
	static const struct {
		long syscall;
		unsigned long fd;
		enum blocked_kind kind;
	} cases[] = {
		{SYSCALL_read, SOCKET, BLOCKED_NETWORK},
		{SYSCALL_read, FIFO, BLOCKED_PIPE},
		{SYSCALL_write, FIFO, BLOCKED_PIPE},
		{SYSCALL_read, FILE_, BLOCKED_DISK},
		{SYSCALL_pwritev2, FILE_, BLOCKED_DISK},
		{SYSCALL_read, EVENT, BLOCKED_OTHER},
		{SYSCALL_read, OLD_EVENT, BLOCKED_OTHER},
		{SYSCALL_read, TERMINAL, BLOCKED_OTHER},
		{SYSCALL_read, BLOCK_DEVICE, BLOCKED_DISK},
		{SYSCALL_read, NOTHING, BLOCKED_OTHER},
		{SYSCALL_read, 1000, BLOCKED_OTHER},
		{SYSCALL_read, -1UL, BLOCKED_OTHER},
		{SYSCALL_recvfrom, 0, BLOCKED_NETWORK},
		{SYSCALL_futex, 0, BLOCKED_LOCK},
		{SYSCALL_fcntl, FILE_, BLOCKED_LOCK},
		{SYSCALL_clock_nanosleep, 0, BLOCKED_SLEEP},
		{SYSCALL_fsync, FILE_, BLOCKED_DISK},
		{SYSCALL_select, 0, BLOCKED_SLEEP},
		{SYSCALL_select, SOCKET + 1, BLOCKED_NETWORK},
		{SYSCALL_pselect6, FIFO + 1, BLOCKED_PIPE},
		{61, 0, BLOCKED_OTHER}, /* wait4 */
		{-1, 0, BLOCKED_OTHER}, /* a page fault */
		{-3, 0, BLOCKED_OTHER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up(state);
		open_all();
		if (kind_after(cases[i].syscall, cases[i].fd, 0) != (int)cases[i].kind)
			fail_msg("case %zu", i);
	}
	set_up(state);
	tasks[0].in_iowait = 1;
	assert_int_equal(kind_after(SYSCALL_futex, 0, 0), BLOCKED_DISK);
}

struct polled {
	int fd;
	uint16_t events, revents;
};

static void several_descriptors(void **state)
{
	static struct polled some[] = {
		{-1, 0, 0}, {FIFO, 0, 0}, {TERMINAL, 0, 0}, {SOCKET, 0, 0}, {SOCKET, 0, 0}};
	static struct epitem items[2];
	static struct eventpoll poll = {.rbr.rb_root.rb_node = &items[0].rbn};
	static struct inode inode = {.i_mode = 0600};
	static struct file file = {.f_inode = &inode, .private_data = &poll};

	set_up(state);
	open_all();
	assert_int_equal(kind_after(SYSCALL_poll, 0, 0), BLOCKED_SLEEP);
	assert_int_equal(kind_after(SYSCALL_poll, (unsigned long)some, 5), BLOCKED_NETWORK);
	assert_int_equal(kind_after(SYSCALL_ppoll, (unsigned long)some, 3), BLOCKED_PIPE);
	assert_int_equal(kind_after(SYSCALL_poll, (unsigned long)&some[2], 1), BLOCKED_OTHER);
	assert_int_equal(kind_after(SYSCALL_poll, 16, 1000000), BLOCKED_OTHER);
	open_files[NOTHING] = &file;
	items[0].rbn.rb_left = &items[1].rbn;
	items[0].ffd.file = &files[FIFO];
	assert_int_equal(kind_after(SYSCALL_epoll_wait, NOTHING, 0), BLOCKED_PIPE);
	items[1].ffd.file = &files[SOCKET];
	assert_int_equal(kind_after(SYSCALL_epoll_wait, NOTHING, 0), BLOCKED_NETWORK);
	poll.rbr.rb_root.rb_node = NULL;
	assert_int_equal(kind_after(SYSCALL_epoll_pwait, NOTHING, 0), BLOCKED_SLEEP);
	open_files[NOTHING] = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(parts_of_a_step, set_up),
		cmocka_unit_test_setup(nested_spans, set_up),
		cmocka_unit_test_setup(a_thread_without_spans, set_up),
		cmocka_unit_test_setup(off_before_the_first_stamp, set_up),
		cmocka_unit_test_setup(off_behind_the_last_stamp, set_up),
		cmocka_unit_test_setup(missed_events, set_up),
		cmocka_unit_test_setup(missed_at_the_end, set_up),
		cmocka_unit_test_setup(a_missed_return, set_up),
		cmocka_unit_test_setup(a_missed_return_and_a_missed_leave, set_up),
		cmocka_unit_test_setup(stamps_that_make_no_sense, set_up),
		cmocka_unit_test_setup(another_span_at_the_same_address, set_up),
		cmocka_unit_test_setup(a_suspended_step, set_up),
		cmocka_unit_test_setup(more_spans_than_a_thread_has_room_for, set_up),
		cmocka_unit_test_setup(no_memory, set_up),
		cmocka_unit_test_setup(without_breakdown, set_up),
		cmocka_unit_test_setup(threads_of_a_command, set_up),
		cmocka_unit_test_setup(trouble_in_other_threads, set_up),
		cmocka_unit_test_setup(remains_of_an_earlier_command, set_up),
		cmocka_unit_test_setup(a_command_that_ends_elsewhere, set_up),
		cmocka_unit_test_setup(filters_change_nothing, set_up),
		cmocka_unit_test_setup(what_a_thread_waits_for, set_up),
		cmocka_unit_test_setup(several_descriptors, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
