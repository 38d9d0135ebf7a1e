/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The current process: its numbers in different pid namespaces, whether it is wanted, its ring
 * buffer, and the map of runners.
 */
#ifndef STEPTRACE_PROCESS_BPF_H
#define STEPTRACE_PROCESS_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>

/* The pid in the upper half, the tid in the lower half, as numbered in the tracer's pid namespace.
 * For a process that is not in that namespace: as numbered in the initial one. */
static __always_inline __u64 current_pid_tid(void)
{
	struct bpf_pidns_info ids;

	if (namespace_inode &&
	    bpf_get_ns_current_pid_tgid(namespace_device, namespace_inode, &ids, sizeof(ids)) == 0)
		return (__u64)ids.tgid << 32 | ids.pid;
	return bpf_get_current_pid_tgid();
}

enum { PID_LEVELS_MAX = 32 };

static __always_inline int number_at(struct pid *pid, unsigned int level, struct upid *number)
{
	struct upid *numbers = __builtin_preserve_access_index(&pid->numbers[0]);

	return bpf_probe_read_kernel(number, sizeof(*number), &numbers[level]);
}

/* The number of any task in the tracer's pid namespace; `initial_number` if it has none there. */
static __always_inline __u32 number_of(struct task_struct *task, __u32 initial_number)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid number;

	for (unsigned int i = 1; namespace_inode && i < PID_LEVELS_MAX; i++) {
		if (i > level || number_at(pid, i, &number))
			break;
		if (BPF_CORE_READ(number.ns, ns.inum) == namespace_inode)
			return (__u32)number.nr;
	}
	return initial_number;
}

/* Whether the current process is neither in the tracer's pid namespace nor in one below it: the
 * tracer cannot see it. */
static __always_inline bool is_outside(void)
{
	return number_of((struct task_struct *)bpf_get_current_task(), 0) == 0 && namespace_inode;
}

static __always_inline __u32 task_tid(struct task_struct *task)
{
	return number_of(task, (__u32)BPF_CORE_READ(task, pid));
}

/* The thread group of a task, numbered in the same way. */
static __always_inline __u32 task_pid(struct task_struct *task)
{
	return number_of(BPF_CORE_READ(task, group_leader), (__u32)BPF_CORE_READ(task, tgid));
}

/* The number of the current thread group in its own pid namespace; 0 if it cannot be read. */
static __always_inline __u32 current_inner_pid(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	struct upid number;

	if (number_at(pid, BPF_CORE_READ(pid, level), &number))
		return 0;
	return (__u32)number.nr;
}

static __always_inline __u32 current_parent_pid(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return task_pid(BPF_CORE_READ(task, group_leader, real_parent));
}

static __always_inline bool is_wanted(__u32 pid)
{
	if (!only_wanted_pids || pid == first_wanted_pid)
		return true;
	return bpf_map_lookup_elem(&wanted_pids, &pid) != NULL;
}

/* The ring buffer for the records of processor `cpu`. */
static __always_inline void *ring_of(__u32 cpu)
{
	__u32 index = cpu & rings_mask;
	void *ring = rings_mask ? bpf_map_lookup_elem(&rings, &index) : NULL;

	return ring ? ring : &records;
}

/* What `runners` says of a process: it may come to a probe, or it has come to one. */
enum { RUNNER_EXPECTED = 1, RUNNER_MET = 2 };

/* Puts the current process into `runners`: from now on its exit is reported. True: it comes to a
 * probe for the first time. */
static __always_inline bool remember_runner(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u8 met = RUNNER_MET, *known = bpf_map_lookup_elem(&runners, &tgid);

	if (known && *known == RUNNER_MET)
		return false;
	if (bpf_map_update_elem(&runners, &tgid, &met, BPF_ANY))
		has_unwatched = 1;
	return true;
}

#endif
