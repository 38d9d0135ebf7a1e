/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was named on the command line.
 *
 *	-p PID[,PID…]	these processes and what they fork, in all binaries and libraries they run
 *	-x PATH		every process of this binary, those that start later too
 *	-- COMMAND	this command and its children
 *	-a		every process that runs something with the probes, now and later
 */
#ifndef STEPTRACE_TARGETS_H
#define STEPTRACE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

enum { TARGETS_MAX = 256 };

struct targets {
	pid_t pids[TARGETS_MAX];
	size_t pids_count;
	const char *exes[TARGETS_MAX]; /* borrowed from the command line */
	size_t exes_count;
	char *const *command; /* NULL: none; borrowed */
	bool all;
};

/* "1,2,3" onto the list; -EINVAL with a sentence. */
int targets__add_pids(struct targets *targets, const char *list, struct error *err);
int targets__add_exe(struct targets *targets, const char *path, struct error *err);

/* Whether processes were named, so that only they are meant. */
static inline bool targets__are_processes(const struct targets *targets)
{
	return targets->pids_count > 0 || targets->command;
}

/* -ESRCH: there is no such process, or it has ended; -EINVAL: it is a thread. */
int targets__check_pid(pid_t pid, struct error *err);

#endif
