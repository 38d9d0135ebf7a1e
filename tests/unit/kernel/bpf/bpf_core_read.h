/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of libbpf's header of this name: the structures of the kernel are those of a test. A
 * member of NULL, or of no address at all, is 0, as in the kernel. */
#ifndef TESTS_BPF_CORE_READ_H
#define TESTS_BPF_CORE_READ_H

#include <stddef.h>

#define KERNEL_READ_1(from, a)                                                                     \
	({                                                                                         \
		__typeof__(from) from_ = (from);                                                   \
		kernel__is_address(from_) ? from_->a : (__typeof__(from_->a)){0};                  \
	})
#define KERNEL_READ_2(from, a, b)            KERNEL_READ_1(KERNEL_READ_1(from, a), b)
#define KERNEL_READ_3(from, a, b, c)         KERNEL_READ_1(KERNEL_READ_2(from, a, b), c)
#define KERNEL_READ_4(from, a, b, c, d)      KERNEL_READ_1(KERNEL_READ_3(from, a, b, c), d)

#define KERNEL_READ_N(a, b, c, d, name, ...) name
#define BPF_CORE_READ(from, ...)                                                                   \
	KERNEL_READ_N(__VA_ARGS__, KERNEL_READ_4, KERNEL_READ_3, KERNEL_READ_2, KERNEL_READ_1, )   \
	(from, __VA_ARGS__)

#define BPF_CORE_READ_BITFIELD(from, a)       ((from)->a)
#define bpf_core_field_exists(member)         1
#define bpf_core_field_offset(type, member)   offsetof(type, member)
#define __builtin_preserve_access_index(path) (path)

#endif
