/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory mappings of a process, as /proc/PID/maps lists them.
 *
 *	7f1c2a400000-7f1c2a428000 r-xp 00001000 fd:01 1316210     /usr/lib/libx.so
 *	start        end          perm offset   dev   inode       path
 *
 * The numbers come from the kernel. The path is text that the process chose: it may contain any
 * byte except a newline, it belongs to the mount namespace of the process, and " (deleted)" may
 * follow it. It may be shown and it may be tried, but the file that it leads to must be compared
 * with the one that is mapped.
 *
 * The list is read while the process runs, so mappings may be missing or have gone already.
 */
#ifndef STEPTRACE_COMMON_PROCESS_MAPS_H
#define STEPTRACE_COMMON_PROCESS_MAPS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct process_mapping {
	uint64_t start, end;        /* addresses in the process; `end` is the first byte after it */
	uint64_t file_offset;       /* of `start`, in bytes */
	dev_t device;               /* of the file system, as stat() shows it, except on overlays */
	uint64_t inode;             /* 0: no file is mapped */
	char permissions[5];        /* "r-xp" */
	const char *untrusted_path; /* "" for none, or too long; valid until the next call */
};

struct process_maps {
	FILE *file; /* owned */
	char line[PATH_MAX + 256];
};

/* A thread that shows the mappings of the process: where the first thread has ended before the
 * others, /proc/PID shows none. Without such a thread, or without permission, it is `pid`. */
pid_t process_maps__thread(pid_t pid);

/* Opens the list of a process or thread; `pid` 0 is the calling process. 0 or negative errno. */
int process_maps__open(struct process_maps *maps, pid_t pid);

/*
 * Fills in the next mapping; false at the end. Of a line that is longer than the buffer the numbers
 * are used and the path is left out: what follows in it is never taken for a line of its own.
 */
bool process_maps__next(struct process_maps *maps, struct process_mapping *mapping);

void process_maps__close(struct process_maps *maps);

#endif
