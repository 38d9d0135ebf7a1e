/* SPDX-License-Identifier: BSD-2-Clause */
/* The child process behind exec_hold.h: answers the kernel, and asks the tracer. */
#ifndef STEPTRACE_EXEC_HOLDER_H
#define STEPTRACE_EXEC_HOLDER_H

#include <stdint.h>
#include <sys/types.h>

#include "steptrace/capture/capture.h"

#define EXEC_HOLDER_NAME "steptrace-hold"

/* How long an exec waits for the tracer at most, and how many wait at the same time. */
enum { HOLD_MAX_MS = 2000, HELD_MAX = 256 };

/* The holder sends it with the descriptor of the program. The tracer sends the id back. */
struct hold_question {
	uint64_t id;
	uint64_t until_ns;
	int32_t pid;
	int32_t reserved;
};

/* In place of an id: the holder has to end. */
enum { HOLD_ENDS = 0 };

/*
 * Gives up privileges, sends one byte when it is ready, and serves until HOLD_ENDS is sent or the
 * other end of `socket` is closed. `tracer` is the process that forked this one.
 */
_Noreturn void exec_holder__run(int fanotify_fd, int socket, const struct capture *capture,
				pid_t tracer);

#endif
