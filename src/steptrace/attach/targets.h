/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The targets of a recording, as the command line names them.
 *
 *	-p PID[,PID…]	these processes and their children, in all binaries and libraries they run
 *	  --no-children	only these processes
 *	-x PATH		every process of this binary, also those that start later
 *	-- PROGRAM	this command and its children
 *	-x PATH -- PROGRAM	the same, but only in these binaries and libraries
 *	-a		every process that runs a binary with the probes, now or later
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
	const char *exes[TARGETS_MAX]; /* absolute; they live as long as the process */
	size_t exes_count;
	char *const *command; /* NULL: none; borrowed */
	bool all;
	bool may_be_missing; /* a named process that has ended, or has no probes, is passed over */
	bool no_children;    /* of the named processes: neither those that exist nor later ones */
};

/* Adds the process ids of a list like "1,2,3". 0, or -EINVAL or -ENOMEM with a sentence. */
int targets__add_pids(struct targets *targets, const char *list, struct error *err);

/* Adds a path. 0, or -EINVAL with a sentence: there are TARGETS_MAX already. */
int targets__add_exe(struct targets *targets, const char *path, struct error *err);

/* Whether processes are named, so that only these and their children are recorded. */
static inline bool targets__are_processes(const struct targets *targets)
{
	return targets->pids_count > 0 || targets->command;
}

/* 0, or with a sentence -ESRCH: there is no such process, or it has ended; -EINVAL: it is a
 * thread; -ENOENT: there is no /proc. */
int targets__check_pid(pid_t pid, struct error *err);

#endif
