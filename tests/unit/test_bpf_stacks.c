// SPDX-License-Identifier: BSD-2-Clause
/* bpf/stacks.bpf.c: the times of samples, also where a processor or the kernel leaves some out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "kernel.h"
#include "records.h"

struct bpf_perf_event_data {
	int unused;
};

#define const
#include "../../bpf/stacks.bpf.c"
#undef const

enum { PERIOD_NS = 10000000, PID = 4711, TID = 4712 };

static struct task_struct task, idle;
static struct pt_regs regs;
static struct step_span step;

/* As large as the values of maps can be here. */
static struct {
	unsigned char bytes[128];
} room;

static void put_room(__u32 index)
{
	assert_true(sizeof(room) >= sizeof(struct taken_stack));
	assert_int_equal(bpf_map_update_elem(&stack_rooms, &index, &room, BPF_ANY), 0);
}

static int set_up(void **state)
{
	__u32 tgid = PID;
	__u8 met = RUNNER_MET;

	(void)state;
	kernel__begin();
	marks_runners = true;
	sample_period_ns = PERIOD_NS;
	task = (struct task_struct){.pid = TID, .tgid = PID, .group_leader = &task};
	memset(&room, 0, sizeof(room));
	put_room(0);
	put_room(1);
	kernel.task = &task;
	kernel.regs = &regs;
	step = records__step();
	assert_int_equal(bpf_map_update_elem(&runners, &tgid, &met, BPF_ANY), 0);
	return 0;
}

/* ---- the thread */

/* `ran_ns`: how long it has been on processors in all. */
static void switch_from(bool is_preempted, uint64_t ran_ns)
{
	__u64 at[] = {is_preempted, (__u64)&task, (__u64)&idle};

	regs.orig_ax = SYSCALL_nanosleep;
	task.__state = is_preempted ? 0 : 1;
	task.se.sum_exec_runtime = ran_ns;
	stack_switched(at);
}

static void wake(void)
{
	__u64 at[] = {(__u64)&task};

	stack_woken(at);
}

static void switch_to(void)
{
	__u64 at[] = {0, (__u64)&idle, (__u64)&task};

	task.__state = 0;
	stack_switched(at);
}

static void pass(uint64_t ns)
{
	kernel.time_ns += ns;
}

/* The next record, which is a sample of a time off the processor. */
static void assert_wait(size_t *at, uint64_t left_ns, uint64_t blocked_ns, uint64_t runnable_ns)
{
	const struct kernel_record *record = kernel__submitted(at);
	const struct stack_record *sample;

	assert_non_null(record);
	sample = (const struct stack_record *)record->bytes;
	assert_int_equal(sample->kind, STACK_OFF_CPU);
	assert_int_equal(sample->tid, TID);
	assert_int_equal(sample->time_ns, left_ns);
	assert_int_equal(sample->blocked_ns, blocked_ns);
	assert_int_equal(sample->runnable_ns, runnable_ns);
	if (blocked_ns)
		assert_int_equal(sample->blocked_kind, BLOCKED_SLEEP);
}

static void assert_no_more(size_t *at)
{
	assert_null(kernel__submitted(at));
	assert_int_equal(stacks_full + stacks_crowded, 0);
}

/* ---- times off the processor */

static void test_a_wait(void **state)
{
	uint64_t left_ns = kernel.time_ns;
	size_t at = 0;

	(void)state;
	switch_from(false, 1000);
	pass(70);
	wake();
	pass(5);
	switch_to();
	assert_wait(&at, left_ns, 70, 5);
	assert_no_more(&at);
}

/* The switch to the thread is hidden. At its next probe it runs, and the sample comes before what
 * the probe says. */
static void test_an_unseen_return(void **state)
{
	uint64_t left_ns = kernel.time_ns;
	size_t at = 0;

	(void)state;
	switch_from(false, 1000);
	pass(70);
	wake();
	pass(5);
	task.se.sum_exec_runtime += 3;
	pass(3);
	hit(PROBE_STEP_DONE, &step);
	assert_wait(&at, left_ns, 70, 5);
	assert_non_null(kernel__submitted(&at)); /* of the probe */
	assert_no_more(&at);
	hit(PROBE_STEP_DONE, &step);
	assert_non_null(kernel__submitted(&at));
	assert_no_more(&at);
}

/* Nor is it seen that the thread was woken: all of the time was a sleep. It is seen at the next
 * switch, or when the thread ends. */
static void test_an_unseen_wake_up(void **state)
{
	static struct bpf_raw_tracepoint_args ending;
	uint64_t left_ns = kernel.time_ns, again_ns;
	size_t at = 0;

	(void)state;
	switch_from(false, 1000);
	pass(70);
	pass(30); /* it runs */
	switch_from(false, 1030);
	assert_wait(&at, left_ns, 70, 0);
	again_ns = kernel.time_ns;
	pass(20);
	pass(2); /* it runs */
	task.se.sum_exec_runtime += 2;
	assert_int_equal(stack_thread_ended(&ending), 0);
	assert_wait(&at, again_ns, 20, 0);
	assert_no_more(&at);
}

static void test_an_unseen_return_after_a_preemption(void **state)
{
	uint64_t left_ns = kernel.time_ns;
	size_t at = 0;

	(void)state;
	switch_from(true, 1000);
	pass(40);
	pass(9); /* it runs */
	switch_from(true, 1009);
	assert_wait(&at, left_ns, 0, 40);
	switch_to();
	assert_wait(&at, left_ns + 49, 0, 0);
	assert_no_more(&at);
}

/* The kernel's clock of the thread and the one of the samples differ a little. */
static void test_a_thread_that_seems_to_have_run_before(void **state)
{
	size_t at = 0;

	(void)state;
	switch_from(false, 1000);
	pass(40);
	switch_from(false, 1041);
	assert_no_more(&at);
}

static void test_short_times(void **state)
{
	size_t at = 0;

	(void)state;
	min_off_ns = 100;
	switch_from(false, 1000);
	pass(99);
	switch_to();
	switch_from(false, 1000);
	pass(99);
	pass(50); /* it runs */
	switch_from(false, 1050);
	assert_no_more(&at);
}

/* ---- on a processor */

/* The ticks of the sample that is taken now; 0: there is none. */
static unsigned int sample(void)
{
	size_t at = kernel.records_count;
	struct bpf_perf_event_data event = {0};
	const struct kernel_record *record;

	stack_sampled(&event);
	record = kernel__submitted(&at);
	if (!record)
		return 0;
	assert_int_equal(((const struct stack_record *)record->bytes)->kind, STACK_ON_CPU);
	return ((const struct stack_record *)record->bytes)->ticks;
}

static void test_samples(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sample(), 1);
		pass(PERIOD_NS + (i % 2 ? 400000 : -400000)); /* some are a little late */
	}
}

/* Three ticks are not delivered; the fourth comes late, and the next one in time. */
static void test_late_samples(void **state)
{
	(void)state;
	assert_int_equal(sample(), 1);
	pass(PERIOD_NS);
	assert_int_equal(sample(), 1);
	pass(4 * PERIOD_NS + PERIOD_NS / 4);
	assert_int_equal(sample(), 4);
	pass(PERIOD_NS - PERIOD_NS / 4);
	assert_int_equal(sample(), 1);
}

/* As late as if the next one had come: they count once, whatever the number. */
static void test_the_sum_of_late_samples(void **state)
{
	unsigned int sum = sample();
	const unsigned int late[] = {9, 0, 7, 5, 8, 6, 2, 9, 9, 0}; /* tenths of a period */
	uint64_t begin_ns = kernel.time_ns;

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		kernel.time_ns = begin_ns + (i + 1) * PERIOD_NS + late[i] * (PERIOD_NS / 10);
		sum += sample();
	}
	assert_int_equal(sum, 11);
}

/* Ticks that found another program have been counted, too. */
static void test_ticks_of_others(void **state)
{
	(void)state;
	assert_int_equal(sample(), 1);
	kernel.pid_tid = (__u64)1 << 32 | 1;
	for (int i = 0; i < 5; i++) {
		pass(PERIOD_NS);
		assert_int_equal(sample(), 0);
	}
	kernel.pid_tid = (__u64)PID << 32 | TID;
	pass(PERIOD_NS);
	assert_int_equal(sample(), 1);
}

static void test_a_pause_of_the_machine(void **state)
{
	(void)state;
	assert_int_equal(sample(), 1);
	pass(SAMPLE_TICKS_MAX * (uint64_t)PERIOD_NS);
	assert_int_equal(sample(), SAMPLE_TICKS_MAX);
	pass((SAMPLE_TICKS_MAX + 1) * (uint64_t)PERIOD_NS);
	assert_int_equal(sample(), 1);
	pass(PERIOD_NS);
	assert_int_equal(sample(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_wait, set_up),
		cmocka_unit_test_setup(test_an_unseen_return, set_up),
		cmocka_unit_test_setup(test_an_unseen_wake_up, set_up),
		cmocka_unit_test_setup(test_an_unseen_return_after_a_preemption, set_up),
		cmocka_unit_test_setup(test_a_thread_that_seems_to_have_run_before, set_up),
		cmocka_unit_test_setup(test_short_times, set_up),
		cmocka_unit_test_setup(test_samples, set_up),
		cmocka_unit_test_setup(test_late_samples, set_up),
		cmocka_unit_test_setup(test_the_sum_of_late_samples, set_up),
		cmocka_unit_test_setup(test_ticks_of_others, set_up),
		cmocka_unit_test_setup(test_a_pause_of_the_machine, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
