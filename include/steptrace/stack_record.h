/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The contract between bpf/stacks/ and src/steptrace/: the samples of `steptrace profile`.
 *
 *	struct stack_record | user addresses            | kernel addresses	--unwind fp
 *	struct stack_record | struct stack_copy | bytes | kernel addresses	--unwind dwarf
 *
 * Addresses are 8 bytes each, the innermost first. The first user address is where the thread is,
 * the others are return addresses. The same is true for those of the kernel.
 */
#ifndef STEPTRACE_STACK_RECORD_H
#define STEPTRACE_STACK_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* The kernel's default limit (kernel.perf_event_max_stack). */
enum { STACK_FRAMES_MAX = 127 };

/* How many bytes of a stack can be copied. */
enum { STACK_COPY_MIN = 1024, STACK_COPY_MAX = 32768, STACK_COPY_DEFAULT = 16384 };

enum stack_record_kind {
	STACK_ON_CPU,
	STACK_OFF_CPU,
	STACK_PROGRAM, /* no sample: a program was found, or comes to its first probe */
};

enum stack_record_flags {
	STACK_HAS_COPY = 1 << 0, /* struct stack_copy and bytes follow, no user addresses */
};

struct stack_record {
	__u64 time_ns;     /* CLOCK_MONOTONIC: of the sample; off-CPU: when the thread left */
	__u64 blocked_ns;  /* off-CPU: until the thread was runnable */
	__u64 runnable_ns; /* off-CPU: from then until it ran */
	__u64 program; /* differs between processes with the same pid, and before and after exec */
	__u32 pid;     /* both as numbered in the tracer's pid namespace */
	__u32 tid;
	__u8 kind;          /* enum stack_record_kind */
	__u8 flags;         /* enum stack_record_flags */
	__u8 blocked_kind;  /* enum blocked_kind, where blocked_ns is not 0 */
	__u8 ticks;         /* on-CPU: how many periods of the clock the sample stands for */
	__u16 kernel_count; /* addresses */
	__u16 user_count;
};

/* The registers that a thread had when it entered the kernel, in the order of DWARF register
 * numbers of the architecture. The program counter is apart. */
enum { STACK_REGISTERS_MAX = 32 };

struct stack_registers {
	__u64 program_counter;
	__u64 values[STACK_REGISTERS_MAX]; /* x86-64: 16 (7 is rsp); aarch64: 32 (31 is sp) */
};

/* What is needed to unwind a user stack later. */
struct stack_copy {
	struct stack_registers registers;
	__u32 bytes_count; /* from the stack pointer upwards; follow the struct; multiple of 8 */
	__u32 reserved;
};

_Static_assert(sizeof(struct stack_record) == 48, "stack record changed its size");
_Static_assert(sizeof(struct stack_copy) == 272, "stack copy changed its size");

#endif
