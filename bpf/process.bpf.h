/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/* Which processes are meant. Everybody else's boundaries are not even counted. */
#ifndef STEPTRACE_FILTER_BPF_H
#define STEPTRACE_FILTER_BPF_H

static __always_inline bool filter__admits(__u32 pid)
{
	if (filter_mode == FILTER_ONE_PID)
		return pid == filter_pid;
	if (filter_mode == FILTER_PIDS)
		return bpf_map_lookup_elem(&wanted_pids, &pid) != NULL;
	return true;
}

#endif
