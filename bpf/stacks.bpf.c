// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * `steptrace profile`: stacks of the threads of runners, on a processor by a timer, off a processor
 * at the context switches. Which command and step a stack belongs to is found later, from its
 * thread and its time.
 *
 * A thread that leaves its processor is the current one, and the stack of its program can be taken.
 * How long it was away is known when it comes back; then it is not the current one. So the stack
 * waits in between. The stack of the kernel costs as much time again. It can also be taken when the
 * thread comes back, and is taken then, because most threads are not away for long enough.
 */
#include "stacks.bpf.h"
#include "blocked.bpf.h"

static __always_inline struct taken_stack *room_at(__u32 index)
{
	return bpf_map_lookup_elem(&stack_rooms, &index);
}

/* ---- on a processor */

SEC("?perf_event")
int stack_sampled(struct bpf_perf_event_data *at)
{
	struct taken_stack *taken = room_at(1 + bpf_get_smp_processor_id());
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, ticks;
	__u64 now_ns = bpf_ktime_get_ns();

	if (!taken)
		return 0;
	ticks = sample_clock__ticks(&taken->clock, now_ns, sample_period_ns);
	if (!ticks || !tgid || !bpf_map_lookup_elem(&runners, &tgid))
		return 0;
	fill_in_thread(&taken->record, now_ns);
	taken->record.ticks = ticks;
	taken->record.kind = STACK_ON_CPU;
	taken->record.blocked_kind = 0;
	take_user_stack(at, taken, on_cpu_copy_bytes);
	take_kernel_stack(at, NULL, taken, on_cpu_copy_bytes);
	send_stack(taken, on_cpu_copy_bytes);
	return 0;
}

/* ---- off a processor */

/* The entry of a thread; it is made if there is none. NULL: there are as many as there can be. */
static __always_inline struct taken_stack *entry_of(__u32 tid)
{
	struct taken_stack *entry = bpf_map_lookup_elem(&left_stacks, &tid), *empty;

	if (entry)
		return entry;
	empty = room_at(0);
	if (empty)
		bpf_map_update_elem(&left_stacks, &tid, empty, BPF_ANY);
	return bpf_map_lookup_elem(&left_stacks, &tid);
}

static __always_inline void leave(void *context, struct task_struct *task, bool is_preempted)
{
	struct taken_stack *taken = entry_of((__u32)task->pid);
	__u64 now_ns = bpf_ktime_get_ns();

	if (!taken) {
		__sync_fetch_and_add(&stacks_crowded, 1);
		return;
	}
	note_running(task, taken);
	fill_in_thread(&taken->record, now_ns);
	taken->record.kind = STACK_OFF_CPU;
	taken->record.blocked_kind = is_preempted ? BLOCKED_OTHER : kind_of_wait(task);
	taken->ready_ns = is_preempted ? now_ns : 0;
	taken->ran_ns = task->se.sum_exec_runtime;
	take_user_stack(context, taken, off_cpu_copy_bytes);
	taken->is_off = 1;
}

static __always_inline void come_back(void *context, struct task_struct *task)
{
	__u32 tid = (__u32)task->pid;
	struct taken_stack *taken = bpf_map_lookup_elem(&left_stacks, &tid);

	if (!taken || !taken->is_off) /* it left before the profile began */
		return;
	if (!end_time_off(taken, bpf_ktime_get_ns()))
		return;
	take_kernel_stack(context, task, taken, off_cpu_copy_bytes);
	send_stack(taken, off_cpu_copy_bytes);
}

SEC("?tp_btf/sched_switch")
int stack_switched(__u64 *at) /* preempted, previous task, next task */
{
	struct task_struct *left = (struct task_struct *)at[1];
	struct task_struct *entered = (struct task_struct *)at[2];

	if (is_runner(left) && !(left->flags & PF_EXITING))
		leave(at, left, at[0] || !left->__state);
	if (is_runner(entered))
		come_back(at, entered);
	return 0;
}

SEC("?tp_btf/sched_wakeup")
int stack_woken(__u64 *at) /* task */
{
	struct task_struct *task = (struct task_struct *)at[0];
	struct taken_stack *taken;
	__u64 now_ns;
	__u32 tid;

	if (!is_runner(task))
		return 0;
	tid = (__u32)task->pid;
	taken = bpf_map_lookup_elem(&left_stacks, &tid);
	if (!taken || !taken->is_off || taken->ready_ns)
		return 0;
	now_ns = bpf_ktime_get_ns();
	taken->ready_ns = now_ns > taken->record.time_ns ? now_ns : taken->record.time_ns;
	return 0;
}

/* From here on the thread is exiting, and makes no entry any more. */
SEC("?raw_tp/sched_process_exit")
int stack_thread_ended(struct bpf_raw_tracepoint_args *at) /* the current task */
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	(void)at;
	note_current_running();
	bpf_map_delete_elem(&left_stacks, &tid); /* the number may be used again */
	return 0;
}

/* A thread that is not the first one gets the number of the first one by exec. */
SEC("?raw_tp/sched_process_exec")
int stack_thread_execed(struct bpf_raw_tracepoint_args *at) /* task, old tid, program */
{
	__u32 tid = (__u32)at->args[1];

	bpf_map_delete_elem(&left_stacks, &tid);
	return 0;
}
