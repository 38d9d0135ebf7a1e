/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child process that makes, holds and releases probe links for the tracer.
 *
 *	tracer                                    holder
 *	  link_order MAKE, binary, programs  ->   makes the link and keeps it
 *	                                     <-   link_answer: 0, or negative errno
 *	  link_order RELEASE                 ->   releases the link
 *	                                     <-   link_answer, when the kernel has let go of it
 *	  (closes its end, or dies)          ->   releases all links and exits
 *
 * The tracer itself has no links, because of a kill -9. While the kernel puts a breakpoint into a
 * process, or takes it out, it writes to the memory of that process. A task with a pending SIGKILL
 * cannot do this: the kernel gives up half-way ("failed to unregister, leaking uprobe" in its log),
 * and the breakpoint and the raised semaphore stay in the runner for ever. A person or a supervisor
 * kills the tracer, not its holders.
 *
 * A task that is already exiting is not disturbed by the signal. So a holder never closes a link.
 * To release one it forks a child, which inherits the link and exits. At the end it exits itself.
 * So even a SIGKILL for all processes of a control group leaves nothing behind in the runner.
 *
 * A link is released when its last descriptor is closed. No process but its holder has one, so the
 * end of the child, or of the holder, means that no probe of the link fires any more. An exiting
 * process releases its links one after the other, some 50 ms each: several holders share the links.
 *
 * The tracer forks the first holder, and this forks the others as its siblings: it is small by then
 * and has given up its privileges, so each costs little, and the tracer goes on in the meantime.
 */
#ifndef STEPTRACE_LINK_HOLDER_H
#define STEPTRACE_LINK_HOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/capture/uprobe.h"

enum link_order_kind { LINK_MAKE, LINK_RELEASE };

enum { LINK_HOLDERS = 8, LINK_PROGRAMS_MAX = 8 };

struct link_order_head {
	uint32_t kind; /* enum link_order_kind */
	uint32_t id;   /* of the link */
};

/* LINK_RELEASE is the head alone. The descriptors of LINK_MAKE: the binary, then the programs. */
struct link_order {
	struct link_order_head head;
	uint32_t method;                     /* enum uprobe_method */
	int32_t pid;                         /* the only process; 0: all. Only with UPROBE_MULTI */
	uint32_t count;                      /* of places */
	uint8_t programs[UPROBE_PLACES_MAX]; /* of UPROBE_PERF: which program a place has */
	struct uprobe_place places[UPROBE_PLACES_MAX];
};

struct link_answer {
	struct link_order_head order;
	int32_t code;    /* 0 or negative errno */
	uint32_t failed; /* where the code is not 0: the place, or `count` if it is not known */
};

struct link_holder {
	pid_t pid;  /* 0: none, or it has ended */
	int socket; /* our end */
};

/*
 * Forks the first of LINK_HOLDERS holders, which forks the others. They close all descriptors of
 * the tracer, and give up every privilege that links of this kind do not need. Does not wait for
 * them. 0 or negative errno.
 */
int link_holder__start(struct link_holder *holders, enum uprobe_method method);

/* Waits until all are started and sets their pids; 0 for one that could not be started. Call it
 * once, before any order and before the functions below. */
void link_holder__meet(struct link_holder *holders);

/* Asks the holder to release its links and to exit; does not wait. */
void link_holder__stop(struct link_holder *holder);

/* Returns when the holder has ended: then no probe of its links fires any more. */
void link_holder__await(struct link_holder *holder);

#endif
