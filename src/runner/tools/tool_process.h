/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that runs to its end, with a time limit and a limit of its output. It has a process
 * group of its own. When the program has ended, is out of time or writes too much, the whole group
 * is killed; a process that left the group goes on. The program ends with this process. Its
 * standard input is empty. It has no other descriptor of this process, and the usual dispositions
 * of signals.
 */
#ifndef STEPTRACE_RUNNER_TOOL_PROCESS_H
#define STEPTRACE_RUNNER_TOOL_PROCESS_H

#include <stddef.h>

#include "common/deadline.h"
#include "common/error.h"
#include "common/strbuf.h"

/* Borrowed. */
struct tool_program {
	char *const *argv, *const *env; /* end with NULL; argv[0] is an absolute path */
	const char *directory;
	int timeout_ms;
	size_t output_bytes;             /* of stdout, and of stderr */
	const struct deadline *deadline; /* NULL: none */
};

struct tool_ended {
	int exit_status;           /* 128 and the signal, if a signal ended it */
	struct strbuf out, errors; /* owned by the caller, who frees both in any case */
};

/* Returns when the program has ended. 0: see *ended. -ETIMEDOUT, -ECANCELED or -E2BIG: it was
 * killed, and *ended has what it wrote. Other negative errno: it could not be started. */
int tool_process__run(const struct tool_program *program, struct tool_ended *ended,
		      struct error *err);

#endif
