/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least privilege: what a recording holds once it is attached, and what it lacks before.
 *
 *	CAP_BPF, CAP_PERFMON	load programs, attach them to what starts later
 *	CAP_SYS_ADMIN		instead of them, where the kernel attaches through the perf PMU
 *	CAP_SYS_PTRACE		look at processes of other users
 *	CAP_DAC_READ_SEARCH	read their binaries
 *	CAP_CHECKPOINT_RESTORE	open mapped files as the kernel knows them
 *	CAP_KILL		pass signals on to a command of another user
 */
#ifndef STEPTRACE_PRIVILEGE_H
#define STEPTRACE_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct privilege_needs {
	bool perf_links;    /* attaches through the perf PMU */
	bool signals_child; /* has a command to pass signals on to */
	bool makes_files;   /* rotates, or opens anew what was rotated */
	bool connects;      /* to a socket that comes and goes */
	bool serves;        /* metrics */
};

/*
 * Keeps of the above what was held and is needed, and nothing else: no other capability in any set,
 * no uid 0 (sudo's user, or nobody), no supplementary groups, no new privileges. For good, and for
 * the calling thread: there must be no other one. 0 or negative errno with a sentence.
 */
int privilege__drop(const struct privilege_needs *needs, struct error *err);

/*
 * What loading and attaching needs and this process lacks, and how to grant it:
 * "missing: CAP_BPF and CAP_PERFMON (…)". False where nothing is missing.
 */
bool privilege__missing(char *text, size_t bytes);

enum { PRIVILEGES_MAX = 8 };

struct privilege_state {
	const char *name;    /* "CAP_BPF" */
	const char *purpose; /* what it is for */
	bool held;
	bool essential; /* without it there is no recording at all */
};

/* Each of the above that matters where links are made in this way; returns how many. */
size_t privilege__list(bool perf_links, struct privilege_state rows[PRIVILEGES_MAX]);

#endif
