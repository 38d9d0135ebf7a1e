/* SPDX-License-Identifier: BSD-2-Clause */
/* What a forked child does before it serves the process that forked it. */
#ifndef STEPTRACE_COMMON_CHILD_PROCESS_H
#define STEPTRACE_COMMON_CHILD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { KEPT_FDS_MAX = 16 };

/*
 * Closes all descriptors but these, in any order; negative ones are passed over. A pipe or socket
 * that stays open here would not end for its reader when the parent closes it. 0 or negative errno.
 */
int child_process__close_others(const int *kept, size_t count);

/* Signals of the terminal and of a service manager are for the parent: only a SIGKILL or a SIGSTOP
 * reaches the child. */
void child_process__block_signals(void);

/* The kernel kills this process when its parent ends, whatever the process is doing then. A change
 * of the user takes that back: call it again afterwards. False: the parent has ended already. */
bool child_process__end_with(pid_t parent);

#endif
