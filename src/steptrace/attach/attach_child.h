/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes and closes probe links in a child process, where a kill -9 of the tracer does not
 * interrupt it.
 *
 * While the kernel puts a breakpoint into a process, or takes it out, it writes to the memory of
 * that process. A task with a pending SIGKILL cannot do this: the kernel gives up half-way
 * ("failed to unregister, leaking uprobe" in its log), and the breakpoint and the raised
 * semaphore stay in the runner for ever. A task that is already exiting is not disturbed by the
 * signal.
 *
 * So links are made in a child, which hands the descriptors over, and closed in a child. A person
 * or a supervisor kills the tracer, not this child. The links that the tracer still holds when it
 * is killed are closed by the kernel while the tracer exits, which is safe.
 */
#ifndef STEPTRACE_ATTACH_CHILD_H
#define STEPTRACE_ATTACH_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/*
 * Makes at most `max` descriptors. Returns how many, or negative errno with a sentence; then the
 * descriptors that it did make are closed. It runs in the child: it cannot change memory of the
 * caller.
 */
typedef ssize_t attach_child_make_fn(void *context, int *fds, size_t max, struct error *err);

/* Calls `make` in a child and receives the descriptors, which the caller owns. Waits for the child.
 * Returns what `make` returned, or negative errno with a sentence. */
ssize_t attach_child__make(attach_child_make_fn *make, void *context, int *fds, size_t max,
			   struct error *err);

/*
 * Has a child close the descriptors, all at the same time, and does not wait for it. Sets them to
 * -1; descriptors that are -1 already are passed over. Returns the child, which the caller must
 * give to attach_child__await(), or 0 where no child was needed. Without memory for a child the
 * caller closes.
 */
pid_t attach_child__close(int *fds, size_t count);

/* Returns when the child has ended: no handler of the links that it closed runs any more. 0 is no
 * child. */
void attach_child__await(pid_t child);

#endif
