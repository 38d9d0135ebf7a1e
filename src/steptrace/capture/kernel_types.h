/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the running kernel's types, those that the programs of bpf/ use.
 *
 * libbpf reads all of them, 5 MB page by page, and walks through all 130,000 once for each
 * structure that a program touches: that was half of the time until something is attached. Here
 * they are mapped and walked through once, and libbpf gets the few that it needs as a file.
 */
#ifndef STEPTRACE_KERNEL_TYPES_H
#define STEPTRACE_KERNEL_TYPES_H

struct btf;

struct kernel_types {
	int fd;          /* the few, in memory; -1: none */
	char path[32];   /* of the same, for libbpf, as long as the fd is open */
	int function_id; /* among all types of the kernel */
};

/*
 * Copies each structure whose name is one of `wanted`'s, and what it is made of; finds a function
 * (a program is attached to it by number). 0 or negative errno: libbpf may still get along with all
 * of them.
 */
int kernel_types__open(struct kernel_types *types, const struct btf *wanted, const char *function);

/* Also after a failure. */
void kernel_types__close(struct kernel_types *types);

/* The same from types in memory, for tests: adds to `few`. Returns the function's id (0: there is
 * none) or negative errno. */
int kernel_types__copy(struct btf *few, const struct btf *all, const struct btf *wanted,
		       const char *function);

#endif
