/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of cgroups (version 2) by their ids, which the kernel reports for every process.
 *
 * The path of a process is in /proc/PID/cgroup. If the process has ended, or has moved to another
 * cgroup, the cgroup is searched by its id below the mount point. A path is read once and kept: a
 * cgroup of version 2 has the same path as long as it exists, and its id is not used again.
 *
 * Paths are those of the tracer's cgroup namespace. Where the tracer runs in a container, it may
 * see "/" for the processes beside it.
 */
#ifndef STEPTRACE_CGROUPS_H
#define STEPTRACE_CGROUPS_H

#include <stdint.h>

struct cgroups;

/* NULL: no memory. */
struct cgroups *cgroups__new(void);
/* Accepts NULL. */
void cgroups__free(struct cgroups *cgroups);

/* The path below the mount point, "/system.slice/runner.service". NULL: it is not known. The text
 * is valid until the next call. `pid` is a process that was in this cgroup. */
const char *cgroups__path(void *cgroups, uint64_t id, uint32_t pid);

#endif
