/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command behind `--`. It is forked at once and waits before its exec until the probes are
 * attached, so that its first boundary is traced.
 *
 * It is forked before the tracer changes its own signals, limits and privileges. So the command has
 * those of the caller.
 */
#ifndef STEPTRACE_TRACED_COMMAND_H
#define STEPTRACE_TRACED_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct traced_command {
	pid_t pid;           /* 0: no command */
	int go_fd;           /* the pipe that holds the child back; -1: it was released */
	char path[PATH_MAX]; /* the program that it executes */
};

/* Finds `argv[0]` in PATH as a shell does, and forks. `stdout_to_stderr`: the standard output of
 * the command is standard error. -ENOENT or -EACCES with a sentence. */
int traced_command__start(struct traced_command *command, char *const argv[], bool stdout_to_stderr,
			  struct error *err);

/* Lets the child exec. 0 or -EPIPE: the child has ended. */
int traced_command__release(struct traced_command *command);

/* Sends the signal to the running command. A Ctrl-C of the terminal is not sent: the kernel has
 * already delivered it to the whole foreground process group. */
void traced_command__forward_signal(const struct traced_command *command, int signal,
				    bool from_terminal);

/* Waits for the end of the command; a command that was never released ends without its exec.
 * Returns the exit status that a shell would report: 128 + N after signal N. */
int traced_command__wait(struct traced_command *command);

#endif
