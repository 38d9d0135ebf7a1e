/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching a loaded program to an offset in a file, in every process that maps it.
 *
 * uprobe_multi links (kernel 6.6) need CAP_BPF and CAP_PERFMON; the perf PMU (4.20 with a
 * semaphore) needs CAP_SYS_ADMIN on current kernels. Both are plain system calls: the
 * distribution's libbpf has no call for the first, and no library is needed for the second.
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

/* Also for a zeroed one with fd -1. Returns after the last handler has run. */
void uprobe__detach(struct uprobe *uprobe);

/* What this kernel has: the multi link if it can be made, else perf. */
enum uprobe_method uprobe__probe_method(void);

/* An empty kprobe program (`return 0`) for measurements; its fd or negative errno. With
 * `count_map_fd` >= 0 (an array map of one u64) it counts its runs there. */
int uprobe__load_empty(enum uprobe_method method, int count_map_fd);

#endif
