/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches a loaded program to an offset in a file, in every process that maps the file.
 *
 * uprobe_multi links (Linux 6.6) need CAP_BPF and CAP_PERFMON. The perf PMU (Linux 4.20 for a
 * probe with a semaphore) needs CAP_SYS_ADMIN on current kernels. Both are used through plain
 * system calls: libbpf 1.1 has no function for the first, and the second needs no library.
 */
#ifndef STEPTRACE_UPROBE_H
#define STEPTRACE_UPROBE_H

#include <stdint.h>

enum { UPROBE_MULTI_ATTACH_TYPE = 48 }; /* BPF_TRACE_UPROBE_MULTI */

enum uprobe_method {
	UPROBE_MULTI,
	UPROBE_PERF,
};

const char *uprobe__method_name(enum uprobe_method method);

struct uprobe {
	int fd; /* closing it detaches */
	enum uprobe_method method;
};

struct uprobe_place {
	int file_fd;               /* the binary; borrowed */
	uint64_t offset;           /* of the site, in the file */
	uint64_t semaphore_offset; /* in the file; 0: none */
};

/*
 * `program_fd` is a BPF program of type kprobe, loaded with UPROBE_MULTI_ATTACH_TYPE as its
 * expected attach type where `method` is UPROBE_MULTI. 0 or negative errno.
 */
int uprobe__attach(int program_fd, enum uprobe_method method, const struct uprobe_place *place,
		   struct uprobe *uprobe);

/* Returns when no handler runs any more. Also where fd is -1. */
void uprobe__detach(struct uprobe *uprobe);

/* UPROBE_MULTI where a trial shows that this kernel has these links, otherwise UPROBE_PERF. */
enum uprobe_method uprobe__probe_method(void);

/*
 * Loads an empty program (`return 0`) for measurements. Returns its descriptor, which the caller
 * closes, or negative errno. Where `count_map_fd` >= 0 (an array map of one u64) the program
 * counts its runs.
 */
int uprobe__load_empty(enum uprobe_method method, int count_map_fd);

#endif
