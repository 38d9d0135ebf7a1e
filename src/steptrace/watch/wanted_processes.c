// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/wanted_processes.h"

#include <errno.h>
#include <string.h>

#include "steptrace/attach/process_tree.h"

/* The process is checked again after it was added: if it ended before that, the kernel will not
 * report its end. */
static int add(struct capture *capture, pid_t pid, struct error *err)
{
	int code = capture__want_pid(capture, pid);

	if (code)
		return error__set(err, code, "cannot trace process %d: %s", pid, strerror(-code));
	code = targets__check_pid(pid, err);
	if (code)
		capture__unwant_pid(capture, pid);
	return code;
}

static bool is_descendant(const struct targets *targets, const struct process_tree *tree, pid_t pid)
{
	for (size_t i = 0; i < targets->pids_count; i++)
		if (process_tree__is_below(tree, pid, targets->pids[i]))
			return true;
	return false;
}

/* Adds the descendants that are in the tree. Returns how many were not there before. */
static size_t add_from(struct capture *capture, const struct targets *targets,
		       const struct process_tree *tree)
{
	struct error ignored;
	size_t added = 0;

	for (size_t i = 0; i < tree->count; i++) {
		pid_t pid = tree->items[i].pid;

		if (capture__is_wanted(capture, pid) || !is_descendant(targets, tree, pid))
			continue;
		if (capture__wanted_count(capture) >= WANTED_PIDS_MAX)
			capture__count_untraced(capture);
		else
			added += add(capture, pid, &ignored) == 0;
	}
	return added;
}

/* From the moment when a process is wanted, the kernel adds what it forks. What it forked before is
 * found here. A process that is added may have forked while the tree was read, so the tree is read
 * again until nothing is added. */
static int add_descendants(struct capture *capture, const struct targets *targets,
			   struct error *err)
{
	struct process_tree tree;
	size_t added;
	int code;

	do {
		code = process_tree__read(&tree);
		if (code)
			return error__set(err, code, "cannot list the processes in /proc: %s",
					  strerror(-code));
		added = add_from(capture, targets, &tree);
		process_tree__free(&tree);
	} while (added);
	return 0;
}

int wanted_processes__add(struct capture *capture, const struct targets *targets, pid_t command,
			  struct error *err)
{
	int code = command ? add(capture, command, err) : 0;

	for (size_t i = 0; i < targets->pids_count && !code; i++) {
		code = add(capture, targets->pids[i], err);
		if (code == -ESRCH && targets->may_be_missing)
			code = 0;
	}
	if (!code && targets->pids_count && !targets->no_children)
		code = add_descendants(capture, targets, err);
	return code;
}
