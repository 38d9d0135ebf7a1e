/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command behind `--`: started, but held before its exec until the probes are attached, so
 * that its first boundary is seen.
 */
#ifndef STEPTRACE_CHILD_H
#define STEPTRACE_CHILD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct child {
	pid_t pid;           /* 0: there is none */
	int go_fd;           /* a byte here lets it run; closing it ends it */
	char path[PATH_MAX]; /* what it will execute */
};

/* Looks `argv[0]` up as a shell would. -ENOENT or -EACCES with a sentence. */
int child__start(struct child *child, char *const argv[], struct error *err);
int child__release(struct child *child);

/* While it runs. The terminal's Ctrl-C has reached it by itself, everything else is sent. */
void child__pass_on(const struct child *child, int signal, bool from_terminal);

/* Waits for its end; the exit status a shell would show: 128 + N after signal N. */
int child__wait(struct child *child);

#endif
