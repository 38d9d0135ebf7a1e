/* SPDX-License-Identifier: BSD-2-Clause */
/* What a forked child does before it serves the process that forked it. */
#ifndef STEPTRACE_COMMON_CHILD_PROCESS_H
#define STEPTRACE_COMMON_CHILD_PROCESS_H

#include <stddef.h>

enum { KEPT_FDS_MAX = 16 };

/*
 * Closes all descriptors but these, in any order; negative ones are passed over. A pipe or socket
 * that stays open here would not end for its reader when the parent closes it. 0 or negative errno.
 */
int child_process__close_others(const int *kept, size_t count);

/* Signals of the terminal and of a service manager are for the parent: only a SIGKILL or a SIGSTOP
 * reaches the child. */
void child_process__block_signals(void);

#endif
