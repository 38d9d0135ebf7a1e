/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command behind `--`: started, but held before its exec until the probes are attached, so
 * that its first boundary is seen.
 */
#ifndef STEPTRACE_TRACED_COMMAND_H
#define STEPTRACE_TRACED_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct traced_command {
	pid_t pid;           /* 0: there is none */
	int go_fd;           /* a byte here lets it run; closing it ends it */
	char path[PATH_MAX]; /* what it will execute */
};

/* Looks `argv[0]` up as a shell would. -ENOENT or -EACCES with a sentence. */
int traced_command__start(struct traced_command *child, char *const argv[], struct error *err);
int traced_command__release(struct traced_command *child);

/* While it runs. The terminal's Ctrl-C has reached it by itself, everything else is sent. */
void traced_command__pass_on(const struct traced_command *child, int signal, bool from_terminal);

/* Waits for its end; the exit status a shell would show: 128 + N after signal N. */
int traced_command__wait(struct traced_command *child);

#endif
