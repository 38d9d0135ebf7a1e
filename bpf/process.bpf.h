/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/* Whose numbers are whose, which processes are meant, and which are runners. */
#ifndef STEPTRACE_PROCESS_BPF_H
#define STEPTRACE_PROCESS_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>

/* Pid in the upper half, tid in the lower. A process of another namespace than the tracer's keeps
 * the numbers of the initial one. */
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

/* Any task, as the tracer sees it. */
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

static __always_inline __u32 task_tid(struct task_struct *task)
{
	return number_of(task, (__u32)BPF_CORE_READ(task, pid));
}

/* Its thread group. */
static __always_inline __u32 task_pid(struct task_struct *task)
{
	return number_of(BPF_CORE_READ(task, group_leader), (__u32)BPF_CORE_READ(task, tgid));
}

/* The current thread group in its own, innermost namespace. */
static __always_inline __u32 current_inner_pid(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	struct upid number;

	if (number_at(pid, BPF_CORE_READ(pid, level), &number))
		return 0;
	return (__u32)number.nr;
}

static __always_inline bool is_wanted(__u32 pid)
{
	if (!only_wanted_pids || pid == first_wanted_pid)
		return true;
	return bpf_map_lookup_elem(&wanted_pids, &pid) != NULL;
}

/* Where this processor's records go. */
static __always_inline void *ring_of(__u32 cpu)
{
	__u32 index = cpu & rings_mask;
	void *ring = rings_mask ? bpf_map_lookup_elem(&rings, &index) : NULL;

	return ring ? ring : &records;
}

/* From here on its end is reported. */
static __always_inline void remember_runner(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u8 yes = 1;

	if (!bpf_map_lookup_elem(&runners, &tgid) &&
	    bpf_map_update_elem(&runners, &tgid, &yes, BPF_ANY))
		has_unwatched = 1;
}

#endif
