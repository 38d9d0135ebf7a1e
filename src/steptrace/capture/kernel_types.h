/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies those types of the running kernel that the programs of bpf/ use, for libbpf.
 *
 * By default libbpf reads all types of the kernel, 5 MB page by page, and walks through all
 * 130,000 of them once for each structure that a program uses. That took half of the time until a
 * probe is attached. Here the types are mapped and walked through once, and libbpf gets a small
 * file.
 */
#ifndef STEPTRACE_KERNEL_TYPES_H
#define STEPTRACE_KERNEL_TYPES_H

struct btf;

struct kernel_types {
	int fd;          /* a file in memory with the copied types; -1: none */
	char path[32];   /* of that file; valid while the fd is open */
	int function_id; /* of the function, among all types of the kernel */
};

/*
 * Copies each structure that has the name of one in `wanted`, with its members' types, and finds
 * the id of `function` (an iterator is attached to a function by its id). 0 or negative errno;
 * libbpf may still succeed with all types of the kernel.
 */
int kernel_types__open(struct kernel_types *types, const struct btf *wanted, const char *function);

/* Closes the file; `path` is not valid any more. Also after a failure. */
void kernel_types__close(struct kernel_types *types);

/* The same for types in memory: copies from `all` to `few`. Returns the id of the function (0:
 * there is none) or negative errno. For tests. */
int kernel_types__copy(struct btf *few, const struct btf *all, const struct btf *wanted,
		       const char *function);

#endif
