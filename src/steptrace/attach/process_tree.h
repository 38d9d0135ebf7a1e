/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process is the parent of which, as /proc showed it at one moment.
 *
 * When a parent ends, its children become children of another process (init, or a subreaper). So a
 * process is found below an ancestor only while every process between the two exists.
 */
#ifndef STEPTRACE_PROCESS_TREE_H
#define STEPTRACE_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_link {
	pid_t pid, parent;
	/* Differs when another process has the pid, or when the process executed another program.
	 * It is made of its start time and of the start of its stack. The latter is 0 where the
	 * caller may not read it, and does not differ where the kernel does not randomize it. */
	uint64_t born;
};

struct process_tree {
	struct process_link *items; /* owned, sorted by pid */
	size_t count;
};

/* 0 or negative errno. */
int process_tree__read(struct process_tree *tree);
/* Also for zeroed memory. */
void process_tree__free(struct process_tree *tree);

/* NULL: the process is not in the tree. */
const struct process_link *process_tree__find(const struct process_tree *tree, pid_t pid);

/* 0: the process is not in the tree, or has no parent. */
pid_t process_tree__parent(const struct process_tree *tree, pid_t pid);

/* Whether `ancestor` is the parent of the process, or the parent of its parent, and so on. */
bool process_tree__is_below(const struct process_tree *tree, pid_t pid, pid_t ancestor);

/* Reads the text of /proc/PID/stat, whose second member is a name with any bytes. Fills in all but
 * the pid. */
bool process_link__parse(struct process_link *link, const char *stat);

#endif
