// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * Lists all threads of the machine: since when each does not run, and its stack pointer.
 *
 * This is an object of its own, because only `steptrace inflight` and the like need it. Its types
 * are flavours (libbpf ignores what follows "___" in a name): the other programs do not pay for
 * them.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "steptrace/thread_record.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* The run queue of a processor. */
struct rq___times {
	__u64 clock;      /* advances like CLOCK_MONOTONIC, from another start */
	__u64 clock_task; /* the same without the time of interrupts */
};

struct cfs_rq___times {
	struct rq___times *rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity___times {
	__u64 exec_start; /* on clock_task of the run queue */
	struct cfs_rq___times *cfs_rq;
};

struct task_struct___times {
	struct sched_entity___times se;
	int on_cpu; /* not 0: it is running; a byte from Linux 7 on */
};

struct pt_regs___stack {
	unsigned long sp;
};

#pragma clang attribute pop

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

enum { PF_KTHREAD = 0x200000, PID_LEVELS_MAX = 32 };

/* Set before loading; 0: the tracer is in the initial pid namespace. */
const volatile __u32 namespace_inode;

static __always_inline __u32 number_of(struct task_struct *task, __u32 initial_number)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = __builtin_preserve_access_index(&pid->numbers[0]);
	struct upid number;

	for (unsigned int i = 1; namespace_inode && i < PID_LEVELS_MAX; i++) {
		if (i > level || bpf_probe_read_kernel(&number, sizeof(number), &numbers[i]))
			break;
		if (BPF_CORE_READ(number.ns, ns.inum) == namespace_inode)
			return (__u32)number.nr;
	}
	return initial_number;
}

/*
 * exec_start is updated when a thread is switched out. It is on the clock clock_task of the run
 * queue. The clock of this processor's run queue and CLOCK_MONOTONIC lead from there to
 * CLOCK_MONOTONIC. That clock was read a moment ago, when the reader was switched in: the result is
 * late by that moment at most, and by the time of the interrupts since.
 */
static __always_inline __u64 off_cpu_since_ns(struct task_struct___times *task)
{
	struct task_struct___times *reader = (void *)bpf_get_current_task();
	__u64 switched_out = BPF_CORE_READ(task, se.exec_start), now;
	struct rq___times *here, *there;

	if (!bpf_core_field_exists(task->se.cfs_rq->rq) || !switched_out ||
	    BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu))
		return 0;
	here = BPF_CORE_READ(reader, se.cfs_rq, rq);
	there = BPF_CORE_READ(task, se.cfs_rq, rq);
	now = BPF_CORE_READ(here, clock);
	switched_out += BPF_CORE_READ(there, clock) - BPF_CORE_READ(there, clock_task);
	return switched_out + (bpf_ktime_get_ns() - now);
}

static __always_inline __u64 stack_pointer(struct task_struct *task)
{
	struct pt_regs___stack *registers = (void *)bpf_task_pt_regs(task);

	return BPF_CORE_READ(registers, sp);
}

SEC("iter/task")
int each_thread(struct bpf_iter__task *at)
{
	struct thread_record made = {};
	struct task_struct *task = at->task;

	barrier_var(task);
	if (!task || task->flags & PF_KTHREAD)
		return 0;
	made.tid = number_of(task, task->pid);
	made.pid = number_of(task->group_leader, task->tgid);
	made.off_cpu_since_ns = off_cpu_since_ns((void *)task);
	made.stack_pointer = stack_pointer(task);
	bpf_seq_write(at->meta->seq, &made, sizeof(made));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
