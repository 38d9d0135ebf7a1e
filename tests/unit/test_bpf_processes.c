// SPDX-License-Identifier: BSD-2-Clause
/* bpf/process.bpf.c and bpf/process.bpf.h: which processes are wanted, and how their ends are
 * reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "kernel.h"
#include "records.h"

enum { PARENT = 4711, CHILD = 5000, OTHER = 6000 };

/* One process: its first thread, which may have ended, and the thread that does something. */
static struct {
	struct task_struct leader, thread;
	struct signal_struct group;
	struct pid leader_pid, thread_pid;
} process;

static struct task_struct child;
static struct pid child_pid;

static void become(uint32_t pid)
{
	kernel.pid_tid = (uint64_t)pid << 32 | (pid + 1);
	process.leader.pid = process.leader.tgid = process.thread.tgid = (int)pid;
	process.thread.pid = (int)pid + 1;
}

static int set_up(void **state)
{
	(void)state;
	kernel__begin();
	memset(&process, 0, sizeof(process));
	process.leader.group_leader = process.thread.group_leader = &process.leader;
	process.leader.signal = process.thread.signal = &process.group;
	process.leader.thread_pid = &process.leader_pid;
	process.thread.thread_pid = &process.thread_pid;
	kernel.task = &process.thread;
	become(PARENT);
	return 0;
}

static void want(uint32_t pid)
{
	__u8 yes = 1;

	only_wanted_pids = follows_children = true;
	bpf_map_update_elem(&wanted_pids, &pid, &yes, BPF_ANY);
	wanted_pids_count++;
	first_wanted_pid = pid;
}

/* Room for the arguments of a raw tracepoint. */
union arguments {
	struct bpf_raw_tracepoint_args args;
	uint64_t room[3];
};

static void end_process(void)
{
	union arguments at = {.room = {(uint64_t)&process.thread}};

	process_ended(&at.args);
}

static void fork_child(uint32_t pid, uint32_t tgid)
{
	union arguments at = {.room = {(uint64_t)&process.thread, (uint64_t)&child}};

	child = (struct task_struct){.pid = (int)pid, .tgid = (int)tgid, .thread_pid = &child_pid};
	child.group_leader = pid == tgid ? &child : &process.leader;
	process_forked(&at.args);
}

/* The current process reaches a probe. Returns whether that was a hit. */
static bool reaches_a_probe(void)
{
	struct command_span command = records__command();
	uint64_t before = counts[0].hits[PROBE_COMMAND_START];

	hit(PROBE_COMMAND_START, &command);
	return counts[0].hits[PROBE_COMMAND_START] > before;
}

static bool is_watched(uint32_t pid)
{
	return bpf_map_lookup_elem(&runners, &pid) != NULL;
}

static const struct process_end *last_end(void)
{
	return (const struct process_end *)kernel__last();
}

/* ---- the processes that are traced */

static void all_processes_or_named_ones(void **state)
{
	(void)state;
	assert_true(reaches_a_probe());
	want(OTHER);
	assert_false(reaches_a_probe());
	want(PARENT);
	assert_true(reaches_a_probe());
	first_wanted_pid = OTHER;
	assert_true(reaches_a_probe());
}

/* The kernel gives the number of a process that has ended to another one. */
static void a_number_used_again_is_another_process(void **state)
{
	(void)state;
	want(OTHER);
	want(PARENT);
	assert_true(reaches_a_probe());
	end_process();
	assert_int_equal(wanted_pids_count, 1);
	assert_int_equal(first_wanted_pid, 0);
	assert_false(reaches_a_probe());
	become(OTHER);
	assert_true(reaches_a_probe());
}

static void children_of_wanted_processes_are_wanted(void **state)
{
	(void)state;
	want(PARENT);
	fork_child(CHILD, CHILD);
	assert_int_equal(wanted_pids_count, 2);
	fork_child(PARENT + 2, PARENT); /* a thread */
	assert_int_equal(wanted_pids_count, 2);
	become(CHILD);
	assert_true(reaches_a_probe());
	become(OTHER);
	fork_child(CHILD + 1, CHILD + 1);
	assert_int_equal(wanted_pids_count, 2);
	assert_int_equal(untraced_count, 0);
}

static void what_finds_no_room_is_counted(void **state)
{
	(void)state;
	want(PARENT);
	want(CHILD);
	kernel.are_maps_full = true;
	fork_child(CHILD, CHILD); /* the reader was faster, and added it */
	assert_int_equal(untraced_count, 0);
	fork_child(CHILD + 1, CHILD + 1);
	fork_child(CHILD + 2, CHILD + 2);
	assert_int_equal(untraced_count, 2);
	assert_int_equal(wanted_pids_count, 2);
}

/* ---- runners, whose ends are reported */

static void the_end_of_a_runner_is_reported(void **state)
{
	(void)state;
	end_process(); /* without open commands */
	assert_int_equal(kernel__count_submitted(), 0);
	reaches_a_probe();
	assert_false(kernel__last_wakes());
	assert_true(is_watched(PARENT));
	process.group.live.counter = 1; /* another thread goes on */
	end_process();
	assert_true(is_watched(PARENT));
	process.group.live.counter = 0;
	end_process();
	assert_false(is_watched(PARENT));
	assert_int_equal(last_end()->record.probe, PROCESS_ENDED);
	assert_int_equal(last_end()->record.flags, RECORD_OF_RUNNER);
	assert_int_equal(last_end()->record.pid, PARENT);
	assert_true(kernel__last_wakes()); /* it is told at once */
}

static void a_runner_that_finds_no_room_is_noted(void **state)
{
	(void)state;
	reaches_a_probe();
	kernel.are_maps_full = true;
	reaches_a_probe(); /* it is there already */
	assert_int_equal(has_unwatched, 0);
	become(OTHER);
	reaches_a_probe();
	assert_int_equal(has_unwatched, 1);
	assert_false(is_watched(OTHER));
}

static void lost_ends_are_counted(void **state)
{
	(void)state;
	reaches_a_probe();
	kernel.is_ring_full = true;
	end_process();
	assert_int_equal(process_records_lost, 1);
	assert_int_equal(kernel__count_submitted(), 1);
}

static uint32_t wanted_at_submit;

static void note_wanted(void)
{
	wanted_at_submit = wanted_pids_count;
}

/* A tracer that sees no wanted process any more reads the rest of the ring buffer and ends. */
static void the_record_of_an_end_comes_first(void **state)
{
	(void)state;
	want(PARENT);
	reaches_a_probe();
	kernel.on_submit = note_wanted;
	end_process();
	assert_int_equal(wanted_at_submit, 1);
	assert_int_equal(wanted_pids_count, 0);
}

/* As waitpid() returns it. One thread may end the whole process, while the first one has its own
 * code; or the threads end one by one. */
static void exit_statuses(void **state)
{
	static const struct {
		unsigned int flags;
		int group_code, leader_code;
		uint32_t status;
	} cases[] = {
		{0, 0, 0, 0},
		{0, 0, 0x300, 0x300},
		{SIGNAL_GROUP_EXIT, 0x300, 0, 0x300},
		{SIGNAL_GROUP_EXIT, 9, 0, 9},
		{SIGNAL_GROUP_EXIT, 9, 0x700, 9},
		{SIGNAL_GROUP_EXIT, 0, 0x700, 0},
		{~(unsigned int)SIGNAL_GROUP_EXIT, 0x100, 0x700, 0x700},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reaches_a_probe();
		process.group.flags = cases[i].flags;
		process.group.group_exit_code = cases[i].group_code;
		process.leader.exit_code = cases[i].leader_code;
		end_process();
		assert_int_equal(last_end()->status, cases[i].status);
		assert_int_equal(last_end()->oom_killed, 0);
	}
	reaches_a_probe();
	process.group.oom_mm = (void *)&process;
	end_process();
	assert_int_equal(last_end()->oom_killed, 1);
}

/* Links the tasks as children of the process. */
static void have_children(struct task_struct *children, size_t count)
{
	struct list_head *last = &process.thread.children;

	for (size_t i = 0; i < count; i++) {
		children[i].pid = children[i].tgid = CHILD + (int)i;
		children[i].start_time = 1000 + i;
		children[i].group_leader = &children[i];
		last->next = &children[i].sibling;
		last = last->next;
	}
	last->next = &process.thread.children;
}

/* Those that were forked and are alive may go on with the commands. Their end is reported. */
static void children_that_may_go_on(void **state)
{
	struct task_struct children[] = {{.flags = PF_FORKNOEXEC},
					 {.flags = 0}, /* it executed a program */
					 {.flags = PF_FORKNOEXEC | PF_EXITING},
					 {.flags = PF_FORKNOEXEC}};

	(void)state;
	have_children(children, 4);
	reaches_a_probe();
	end_process();
	assert_int_equal(last_end()->heirs_count, 2);
	assert_int_equal(last_end()->heirs[0].pid, CHILD);
	assert_int_equal(last_end()->heirs[0].started_ns, 1000);
	assert_int_equal(last_end()->heirs[1].pid, CHILD + 3);
	assert_int_equal(last_end()->heirs[2].pid, 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(is_watched(CHILD + i), i == 0 || i == 3);
	assert_int_equal(last_end()->is_fork, 0);
	process.leader.flags = PF_FORKNOEXEC;
	reaches_a_probe();
	end_process();
	assert_int_equal(last_end()->is_fork, 1);
}

static void more_children_than_a_record_holds(void **state)
{
	struct task_struct children[CHILDREN_LOOKED_AT + 1];

	(void)state;
	memset(children, 0, sizeof(children));
	for (size_t i = 0; i <= CHILDREN_LOOKED_AT; i++)
		children[i].flags = PF_FORKNOEXEC;
	have_children(children, CHILDREN_LOOKED_AT + 1);
	reaches_a_probe();
	end_process();
	assert_int_equal(last_end()->heirs_count, HEIRS_MAX);
	assert_int_equal(last_end()->heirs[HEIRS_MAX - 1].pid, CHILD + HEIRS_MAX - 1);
	assert_false(is_watched(CHILD + HEIRS_MAX));
}

/* ---- exec */

static struct inode inode = {.i_ino = 77, .i_ctime_sec = 5, .i_ctime_nsec = 6};
static struct file file = {.f_inode = &inode};
static struct linux_binprm program = {.file = &file, .filename = "/bin/other"};

static void exec_program(void)
{
	union arguments at = {.room = {(uint64_t)&process.thread, 0, (uint64_t)&program}};

	process_execed(&at.args);
}

static void set_known(__u8 what)
{
	struct steptrace_file key = {.inode = 77, .changed_ns = 5000000006};

	bpf_map_update_elem(&known_files, &key, &what, BPF_ANY);
}

static void an_exec_is_reported_where_it_matters(void **state)
{
	const struct process_exec *made;

	(void)state;
	exec_program();
	made = (const struct process_exec *)kernel__last();
	assert_int_equal(made->record.flags, RECORD_UNKNOWN_FILE);
	assert_int_equal(made->file.inode, 77);
	assert_int_equal(made->file.changed_ns, 5000000006);
	assert_string_equal(made->path, "/bin/other");
	assert_true(kernel__last_wakes());
	set_known(FILE_WITHOUT_PROBES);
	exec_program(); /* nobody cares */
	assert_int_equal(kernel__count_submitted(), 1);
	reaches_a_probe();
	exec_program();
	assert_int_equal(kernel__last()->probe, PROCESS_EXECED);
	assert_int_equal(kernel__last()->flags, RECORD_OF_RUNNER);
	assert_false(is_watched(PARENT));
	kernel.is_ring_full = true;
	reaches_a_probe();
	inode.i_ino = 78;
	exec_program();
	inode.i_ino = 77;
	assert_int_equal(process_records_lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_processes_or_named_ones, set_up),
		cmocka_unit_test_setup(a_number_used_again_is_another_process, set_up),
		cmocka_unit_test_setup(children_of_wanted_processes_are_wanted, set_up),
		cmocka_unit_test_setup(what_finds_no_room_is_counted, set_up),
		cmocka_unit_test_setup(the_end_of_a_runner_is_reported, set_up),
		cmocka_unit_test_setup(a_runner_that_finds_no_room_is_noted, set_up),
		cmocka_unit_test_setup(lost_ends_are_counted, set_up),
		cmocka_unit_test_setup(the_record_of_an_end_comes_first, set_up),
		cmocka_unit_test_setup(exit_statuses, set_up),
		cmocka_unit_test_setup(children_that_may_go_on, set_up),
		cmocka_unit_test_setup(more_children_than_a_record_holds, set_up),
		cmocka_unit_test_setup(an_exec_is_reported_where_it_matters, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
