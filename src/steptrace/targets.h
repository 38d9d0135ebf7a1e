/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was named on the command line, and which binaries that means.
 *
 *	-p PID[,PID…]	these processes, in all binaries and libraries that they run
 *	-x PATH		every process of this binary, those that start later too
 *	-- COMMAND	this command
 */
#ifndef STEPTRACE_TARGETS_H
#define STEPTRACE_TARGETS_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/binary.h"
#include "steptrace/child.h"

enum { TARGETS_MAX = 256 };

struct targets {
	pid_t pids[TARGETS_MAX];
	size_t pids_count;
	const char *exes[TARGETS_MAX]; /* borrowed from the command line */
	size_t exes_count;
	char *const *command; /* NULL: none; borrowed */
};

/* "1,2,3" onto the list; -EINVAL with a sentence. */
int targets__add_pids(struct targets *targets, const char *list, struct error *err);
int targets__add_exe(struct targets *targets, const char *path, struct error *err);

/*
 * Opens every binary that is meant, and those without probes that were met on the way. A target
 * without probes is an error: -ENOENT. The command is started in `child`, and held.
 */
int targets__open(const struct targets *targets, struct binaries *set, struct child *child,
		  struct error *err);

#endif
