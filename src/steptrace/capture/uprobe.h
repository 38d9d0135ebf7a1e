/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches a loaded program to offsets in a file, in every process that maps the file.
 *
 * uprobe_multi links (Linux 6.6) need CAP_BPF and CAP_PERFMON. One link has many places, each with
 * a cookie that the program reads. The perf PMU (Linux 4.20 for a probe with a semaphore) needs
 * CAP_SYS_ADMIN on current kernels, and a descriptor for each place. Both are used through plain
 * system calls: libbpf 1.1 has no function for the first, and the second needs no library.
 */
#ifndef STEPTRACE_UPROBE_H
#define STEPTRACE_UPROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* In a file. */
struct uprobe_place {
	uint64_t offset;           /* of the site */
	uint64_t semaphore_offset; /* 0: none */
	uint64_t cookie;           /* of UPROBE_MULTI: for bpf_get_attach_cookie() */
};

enum { UPROBE_PLACES_MAX = 256 };

/*
 * Makes one uprobe_multi link for 1 to UPROBE_PLACES_MAX places, in their order. With `pid`,
 * breakpoints and semaphores are set in that process alone; 0: in all. Returns a descriptor, which
 * the caller closes, or negative errno; then nothing is attached.
 */
int uprobe__link(int program_fd, int file_fd, const struct uprobe_place *places, size_t count,
		 pid_t pid);

/*
 * Attaches to one place in all processes. `program_fd` is a BPF program of type kprobe, loaded with
 * UPROBE_MULTI_ATTACH_TYPE as its expected attach type where `method` is UPROBE_MULTI. 0 or
 * negative errno.
 */
int uprobe__attach(int program_fd, enum uprobe_method method, int file_fd,
		   const struct uprobe_place *place, struct uprobe *uprobe);

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
