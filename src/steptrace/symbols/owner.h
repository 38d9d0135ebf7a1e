/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a traced process is, and what its own user may read.
 *
 * The tracer may read more files than a traced process. The user of the process may see the result.
 * So the result must contain nothing of a file that this user cannot read. The mode of each file is
 * checked against the ids of the process. The modes of folders are not checked. In doubt the answer
 * is no.
 */
#ifndef STEPTRACE_SYMBOLS_OWNER_H
#define STEPTRACE_SYMBOLS_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A process with more groups than this is treated as if it were in the first ones only. */
enum { OWNER_GROUPS_MAX = 64 };

struct owner {
	bool is_known;
	bool has_one_uid, has_one_gid; /* real, effective, saved and of the file system */
	uid_t uid;
	gid_t gid;
	gid_t groups[OWNER_GROUPS_MAX];
	size_t groups_count;
	bool reads_all;  /* root with the capability */
	pid_t inner_pid; /* the number of the process in its own pid namespace */
};

/* From /proc/PID/status. False: the process has ended, or a line is missing. */
bool owner__read(struct owner *owner, pid_t pid);
bool owner__parse(struct owner *owner, FILE *status);

/* For a process that may have given up rights since this was read: it reads what everybody may
 * read. */
struct owner owner__anybody(const struct owner *owner);

/* Whether the user of the process may read a file, by its mode. */
bool owner__may_read(const struct owner *owner, const struct stat *file);

/* Whether the file is one that only the user of the process can have written. */
bool owner__wrote(const struct owner *owner, const struct stat *file);

#endif
