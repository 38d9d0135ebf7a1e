/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that write to an attached binary: they are noticed before they write, where the kernel
 * allows that.
 *
 * A uprobe belongs to a file. When a file is overwritten in place, the kernel puts the breakpoints
 * of the old content into the new content, as soon as a process executes it. The process then
 * crashes, or computes something else. So the probes must be detached before the content changes.
 *
 *	GUARD_LEASE	a read lease (F_SETLEASE). The kernel makes open() for writing and
 *			truncate() wait, and sends SIGIO to the tracer. The tracer detaches and
 *			releases the lease; then the writer goes on. With O_NONBLOCK, open() fails
 *			with EAGAIN instead. After /proc/sys/fs/lease-break-time (45 s) the kernel
 *			takes the lease away.
 *	GUARD_WATCH	inotify. It reports a file that was written to already: a process that
 *			executes the file before the probes are detached gets the breakpoints.
 *
 * A lease needs CAP_LEASE or the owner of the file, and a file system that has leases. It belongs
 * to the open file description: a child process that inherited the descriptor keeps the lease until
 * it is released, or until the child has ended, too.
 *
 * Changes of names and modes break no lease. A file that a process executes cannot be opened for
 * writing (ETXTBSY); a library can.
 */
#ifndef STEPTRACE_WRITERS_H
#define STEPTRACE_WRITERS_H

#include <stdbool.h>

#include "common/error.h"

struct writers {
	int wakeup_fd; /* an epoll descriptor: readable when a guarded file may have a writer */
	int signal_fd, inotify_fd;
};

enum guard_kind { GUARD_NONE, GUARD_WATCH, GUARD_LEASE };

struct guard {
	enum guard_kind kind;
	int watch;   /* of inotify; only for GUARD_WATCH */
	int refusal; /* why there is no lease: negative errno; only without GUARD_LEASE */
};

/* Blocks SIGIO in the calling thread: call it before other threads start. 0 or negative errno with
 * a sentence. */
int writers__open(struct writers *writers, struct error *err);
void writers__close(struct writers *writers);

/*
 * Guards the file of a descriptor that is open for reading. Returns 0 and *guard, GUARD_NONE where
 * neither is to be had; or -ETXTBSY: a process has the file open for writing now.
 */
int writers__guard(struct writers *writers, int fd, struct guard *guard);

/* Ends the guard. A writer that waits goes on: call it when no probe of the file is attached. */
void writers__release(struct writers *writers, int fd, struct guard *guard);

/* Whether a lease could be had: 0, or why not, as writers__guard() and `refusal` say it. Blocks
 * SIGIO. */
int writers__refusal(int fd);

/* Whether a program waits until the lease is released, or was refused because of it. */
bool guard__is_broken(const struct guard *guard, int fd);

/* Resets wakeup_fd. Call it before looking at the files. */
void writers__clear(struct writers *writers);

/* The time after which the kernel takes a broken lease away, in seconds; 0: there are no leases. */
unsigned int writers__patience_s(void);

#endif
