/* SPDX-License-Identifier: BSD-2-Clause */
/* Where cgroups of version 2 are, and which one a process is in. */
#ifndef STEPTRACE_COMMON_CGROUP2_H
#define STEPTRACE_COMMON_CGROUP2_H

#include <stdbool.h>
#include <stdint.h>

/* The mount point: "/sys/fs/cgroup", or "/sys/fs/cgroup/unified" where version 1 is mounted, too.
 * NULL: version 2 is not mounted at one of these. */
const char *cgroup2__mount(void);

enum { CGROUP2_PATH_BYTES = 4096 }; /* a longer path is not known */

/* The path of a process's cgroup below the mount point: "/system.slice/x.service". False: it is not
 * known. */
bool cgroup2__path_of(uint32_t pid, char path[CGROUP2_PATH_BYTES]);

/* Whether the cgroup with the path `inner` is that with the path `outer`, or below it. */
bool cgroup2__contains(const char *outer, const char *inner);

#endif
