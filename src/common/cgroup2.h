/* SPDX-License-Identifier: BSD-2-Clause */
/* Where cgroups of version 2 are. */
#ifndef STEPTRACE_COMMON_CGROUP2_H
#define STEPTRACE_COMMON_CGROUP2_H

/* The mount point: "/sys/fs/cgroup", or "/sys/fs/cgroup/unified" where version 1 is mounted, too.
 * NULL: version 2 is not mounted at one of these. */
const char *cgroup2__mount(void);

#endif
