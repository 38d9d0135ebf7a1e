/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Which executions --sample N selects: about one in N. The id of the execution decides, so all
 * events of an execution are selected or none. The BPF programs decide with this function, and with
 * --whole the stream does.
 */
#ifndef STEPTRACE_SAMPLE_H
#define STEPTRACE_SAMPLE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* `low` and `high` are the id: its first and its last eight bytes. `every` is not 0. */
static inline __attribute__((always_inline)) int sample__selects(__u64 low, __u64 high, __u32 every)
{
	return (((low ^ high) * 0x9e3779b97f4a7c15ULL) >> 32) % every == 0;
}

#endif
