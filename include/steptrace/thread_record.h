/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/* The contract between bpf/threads/ and src/steptrace/capture/thread_times.c: what the iterator
 * over all threads writes. */
#ifndef STEPTRACE_THREAD_RECORD_H
#define STEPTRACE_THREAD_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

struct thread_record {
	__u32 pid; /* thread group; both as numbered in the tracer's pid namespace */
	__u32 tid;
	/* When the thread last stopped to run, CLOCK_MONOTONIC; 0: it is running, or not known. */
	__u64 off_cpu_since_ns;
	__u64 stack_pointer; /* of the program, when it last entered the kernel; 0: not known */
};

_Static_assert(sizeof(struct thread_record) == 24, "thread record changed its size");

#endif
