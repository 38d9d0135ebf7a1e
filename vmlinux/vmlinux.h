/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The few kernel types that bpf/ uses, kept by hand so that a build needs nothing from the machine
 * it runs on. Structures carry only the members that are read; preserve_access_index lets libbpf
 * put the running kernel's offsets in their place. `vmlinux/regenerate` writes the full header of
 * the running kernel for comparison, or for a look at what else there is. The guard has the name
 * that libbpf's headers look for.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di; /* first argument of a function */
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31]; /* regs[0]: first argument of a function */
};
struct pt_regs;
#endif

#pragma clang attribute pop

#endif
