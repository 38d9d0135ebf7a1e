/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileges: which capabilities a recording keeps once it is attached, and which ones are missing.
 *
 *	CAP_BPF, CAP_PERFMON	load programs, attach them to binaries that start later
 *	CAP_SYS_ADMIN		also, where the kernel attaches through the perf PMU
 *	CAP_SYS_PTRACE		read the mappings and memory of other users' processes
 *	CAP_DAC_READ_SEARCH	read the binaries of other users
 *	CAP_CHECKPOINT_RESTORE	open mapped files through /proc/PID/map_files
 *	CAP_LEASE		let writers of other users' binaries wait for the tracer
 *	CAP_KILL		pass signals on to a command of another user
 */
#ifndef STEPTRACE_PRIVILEGE_H
#define STEPTRACE_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

enum { PRIVILEGE_GROUPS_MAX = 8 };

struct privilege_needs {
	bool perf_links;    /* attaches through the perf PMU */
	bool only_links;    /* makes links, and neither finds nor reads binaries */
	bool only_memory;   /* reads the memory of processes, and loads and attaches nothing */
	bool reads_memory;  /* reads the memory of processes */
	bool reads_maps;    /* with only_memory: reads BPF maps, too */
	bool reads_stacks;  /* reads the kernel stacks of threads */
	bool signals_child; /* has a command, and passes signals on to it */
	bool makes_files;   /* rotates files, or opens a file again that was rotated away */
	bool connects;      /* connects again to a socket that was closed */
	bool sends_kafka;   /* sends to Kafka: with threads of librdkafka */
	bool speaks_http;   /* connects with libcurl */
	bool serves;        /* serves metrics */
	bool draws;         /* draws on a terminal, and takes keys from it */
	bool holds_execs;   /* answers the kernel's questions about execs (exec_hold.h) */
	pid_t ends_child;   /* has this child process, and ends it by a signal; 0: none */
	/* Supplementary groups that are kept: new files belong to them. */
	gid_t groups[PRIVILEGE_GROUPS_MAX];
	size_t groups_count;
};

/*
 * Drops for good what is not needed, in the calling thread: there must be no other one. Keeps of
 * the capabilities above those that are held and needed. Changes uid 0 to the user of sudo, or to
 * nobody. Drops the other supplementary groups, and sets "no new privileges". 0 or negative errno
 * with a sentence.
 */
int privilege__drop(const struct privilege_needs *needs, struct error *err);

/* The same, and drops all capabilities: for a child process that needs none. */
int privilege__drop_all(const struct privilege_needs *needs);

/* Whether this process has the capability now. */
bool privilege__holds(unsigned int capability);

/* The user that privilege__drop() changes to. */
uid_t privilege__later_uid(void);

/*
 * Runs `check` in a child process that has dropped all privileges but one group (-1: none). To be
 * called before privilege__drop(). Returns its result, and its sentence in `err`.
 */
int privilege__check_later(int (*check)(const void *context, struct error *err),
			   const void *context, gid_t group, struct error *err);

/*
 * Whether this process lacks a capability that loading and attaching needs. Then `text` says
 * which, and how to grant it: "missing: CAP_BPF and CAP_PERFMON (…)".
 */
bool privilege__missing(char *text, size_t bytes);

enum { PRIVILEGES_MAX = 8 };

struct privilege_state {
	const char *name;    /* "CAP_BPF" */
	const char *purpose; /* "load programs" */
	bool held;
	bool essential; /* without it nothing can be recorded */
};

/* Lists the capabilities that this way of attaching uses, without CAP_KILL. Returns how many. */
size_t privilege__list(bool perf_links, struct privilege_state rows[PRIVILEGES_MAX]);

#endif
