/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lets the exec of a wanted process wait until the probes of its program are attached.
 *
 * A child process, the holder, listens to all execs on the local file systems with fanotify
 * (FAN_OPEN_EXEC_PERM). The kernel lets an exec wait until the holder answers:
 *
 *	the process is not wanted	it goes on at once
 *	the file has no probes		it goes on, and the kernel asks no more for this file
 *	the file has probes		the holder asks the tracer; it goes on when the tracer
 *					answers, or when it answers nothing for HOLD_MAX_MS
 *
 *	exec -> kernel -> holder -> tracer attaches -> holder -> kernel -> the program runs
 *
 * The traced process cannot see this: for the process the exec takes some milliseconds longer.
 *
 * The holder does nothing else and has its own process group. So a tracer that is busy, or stopped
 * by SIGSTOP or Ctrl-Z, delays nothing but programs with probes that wanted processes start. The
 * holder ends with the tracer. When its descriptor is closed the kernel lets all execs go on. The
 * holder itself executes nothing, and neither does the tracer, except for the command, which is
 * wanted. So neither can wait for itself.
 *
 * It needs CAP_SYS_ADMIN at the start, and file systems whose files the holder may always open
 * (exec_marks.h).
 */
#ifndef STEPTRACE_EXEC_HOLD_H
#define STEPTRACE_EXEC_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/capture/capture.h"

struct exec_hold {
	pid_t holder;         /* 0: there is none */
	int fd;               /* a socket to the holder: readable when an exec waits */
	uint64_t answered_ns; /* the last answer */
};

/* An exec that waits. */
struct held_exec {
	uint64_t id;
	uint64_t until_ns; /* then it goes on without an answer */
	pid_t pid;
	int file_fd; /* of the program; the receiver's to close */
};

/*
 * Starts the holder. To be called with all privileges, and after capture__watch_processes(). 0, or
 * negative errno: execs do not wait here, and a program is attached shortly after it started.
 */
int exec_hold__start(struct exec_hold *hold, const struct capture *capture);

/* Lets all execs go on. Also for zeroed memory, and again. */
void exec_hold__stop(struct exec_hold *hold);

/* A holder that was stopped (SIGSTOP) would let all execs of the machine wait: ends it. Call it
 * from time to time. */
void exec_hold__look_after(struct exec_hold *hold);

/* False: no further exec waits now. */
bool exec_hold__next(struct exec_hold *hold, struct held_exec *exec);

void exec_hold__let_go(struct exec_hold *hold, const struct held_exec *exec);

/* Whether this machine and these privileges allow it; negative errno says why not. */
int exec_hold__check(void);

#endif
