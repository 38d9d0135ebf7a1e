// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * --breakdown at the context switches. These programs run at every switch and every wake-up of the
 * machine: a thread that has no open span costs one look-up at most.
 *
 * They are tp_btf programs: raw_tp programs cannot read the registers of a task. The tracepoint of
 * a switch runs in the context of the task that leaves the processor.
 */
#include "blocked.bpf.h"
#include "maps.bpf.h"

/* NULL: no span of the thread is measured. Most tasks have no entry in any map, and are spared the
 * look-up. */
static __always_inline struct thread_time *thread_of(struct task_struct *task)
{
	struct thread_time *thread;

	if (bpf_core_field_exists(task->bpf_storage) && !task->bpf_storage)
		return NULL;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	return thread && thread->open_count ? thread : NULL;
}

SEC("?tp_btf/sched_switch")
int thread_switched(__u64 *at) /* preempted, previous task, next task */
{
	struct task_struct *task = (struct task_struct *)at[1];
	struct thread_time *left = thread_of(task);
	struct thread_time *entered = thread_of((struct task_struct *)at[2]);
	__u64 now_ns;

	if (!left && !entered)
		return 0;
	now_ns = bpf_ktime_get_ns();
	/* A task that is preempted on its way to sleep stays runnable. */
	if (left)
		thread_time__leave(left, at[0] || !task->__state ? NOT_BLOCKED : kind_of_wait(task),
				   now_ns);
	if (entered)
		thread_time__enter(entered, now_ns);
	return 0;
}

SEC("?tp_btf/sched_wakeup")
int thread_woken(__u64 *at) /* task */
{
	struct thread_time *thread = thread_of((struct task_struct *)at[0]);

	if (thread)
		thread_time__wake(thread, bpf_ktime_get_ns());
	return 0;
}
