/* SPDX-License-Identifier: BSD-2-Clause */
/* What a forked child does before it serves the process that forked it. */
#ifndef STEPTRACE_COMMON_CHILD_PROCESS_H
#define STEPTRACE_COMMON_CHILD_PROCESS_H

#include <stddef.h>

enum { KEPT_FDS_MAX = 8 };

/*
 * Closes all descriptors but these, in any order; negative ones are passed over. Others wait for
 * the end of what the parent has open: a command, readers of pipes. 0 or negative errno.
 */
int child_process__close_others(const int *kept, size_t count);

/* A signal to the process group of the parent, such as Ctrl-C, is not for the child, and no signal
 * is blocked. `name` is that of PR_SET_NAME. */
void child_process__leave_group(const char *name);

#endif
