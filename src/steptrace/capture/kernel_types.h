/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies those types of the running kernel that the programs of bpf/ use, for libbpf.
 *
 * By default libbpf copies all types of the kernel, 5 MB page by page, and walks through all
 * 130,000 of them once for each structure that a program uses. Every new page costs time. Here the
 * types are read where the kernel maps them (type_copy.h), and libbpf gets a small file.
 */
#ifndef STEPTRACE_KERNEL_TYPES_H
#define STEPTRACE_KERNEL_TYPES_H

#include <stddef.h>

struct kernel_types {
	int fd;          /* a file in memory with the copied types; -1: none */
	char path[32];   /* of that file; valid while the fd is open */
	int function_id; /* of the function, among all types of the kernel */
};

/*
 * Copies each structure that has the name of one in `wanted` (the BTF of the programs), with its
 * members' types, and finds the id of `function` (an iterator is attached to a function by its id).
 * 0 or negative errno; libbpf may still succeed with all types of the kernel.
 */
int kernel_types__open(struct kernel_types *types, const void *wanted, size_t wanted_bytes,
		       const char *function);

/* Closes the file; `path` is not valid any more. Also after a failure. */
void kernel_types__close(struct kernel_types *types);

#endif
