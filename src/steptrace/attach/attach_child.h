/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kill -9 of the tracer must not interrupt, done by a process of its own.
 *
 * A task with a pending SIGKILL cannot touch the memory of others, so the kernel gives up on a probe
 * that it is just then putting in or taking out ("failed to unregister, leaking uprobe"): the
 * breakpoint and the count of the semaphore stay in the runner. A task that is exiting is not
 * disturbed any more. So links are made and closed in a child, which nobody kills by mistake; and
 * whatever the tracer holds when it is killed is closed while it exits.
 */
#ifndef STEPTRACE_ATTACH_CHILD_H
#define STEPTRACE_ATTACH_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/* Makes descriptors, at most `max` of them. Returns how many, or negative errno with a sentence; those that
 * it made before it failed are closed behind it. Runs in the child: what else it changes is lost. */
typedef ssize_t attach_child_make_fn(void *context, int *fds, size_t max, struct error *err);

/* Has them made, and handed over. Returns what `make` returned. */
ssize_t attach_child__make(attach_child_make_fn *make, void *context, int *fds, size_t max,
			   struct error *err);

/*
 * Closes them, side by side, and sets them to -1 (as those may be that are none). Returns the child,
 * for attach_child__await(); 0 where none is needed.
 */
pid_t attach_child__close(int *fds, size_t count);

/* Returns after the last handler of what was closed has run. */
void attach_child__await(pid_t child);

#endif
