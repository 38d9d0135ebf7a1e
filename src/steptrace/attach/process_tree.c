// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"

/* The members of proc_pid_stat(5) that are read here, counted from the state as 3. */
enum { START_TIME = 22, START_OF_STACK = 28, STACK_FACTOR = 0x10001 };

/* The text behind the blank in front of this member, where `text` begins with the member 3; NULL:
 * there are fewer. */
static const char *member(const char *text, int number)
{
	for (int i = 3; i < number && text; i++) {
		text = strchr(text, ' ');
		if (text)
			text++;
	}
	return text;
}

bool process_link__parse(struct process_link *link, const char *stat)
{
	const char *end_of_name = strrchr(stat, ')');
	const char *started, *stack;
	char state;

	if (!end_of_name || sscanf(end_of_name + 1, " %c %d", &state, &link->parent) != 2)
		return false;
	started = member(end_of_name + 2, START_TIME);
	stack = member(end_of_name + 2, START_OF_STACK);
	link->born = (started ? strtoull(started, NULL, 10) * STACK_FACTOR : 0) ^
		     (stack ? strtoull(stack, NULL, 10) : 0);
	return true;
}

/* False: the process has ended. */
static bool read_link(struct process_link *link, uint64_t pid)
{
	char path[32], text[512];
	ssize_t bytes = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		bytes = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (bytes <= 0)
		return false;
	text[bytes] = 0;
	link->pid = (pid_t)pid;
	return process_link__parse(link, text);
}

static int append(struct process_tree *tree, const struct process_link *link)
{
	enum { STEP = 256 };
	struct process_link *items;

	if (tree->count % STEP == 0) {
		items = realloc(tree->items, (tree->count + STEP) * sizeof(*items));
		if (!items)
			return -ENOMEM;
		tree->items = items;
	}
	tree->items[tree->count++] = *link;
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	const struct process_link *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

int process_tree__read(struct process_tree *tree)
{
	const struct dirent *entry;
	struct process_link link;
	int code = 0;
	DIR *folder;

	*tree = (struct process_tree){.count = 0};
	folder = opendir("/proc");
	if (!folder)
		return -errno;
	while (!code && (entry = readdir(folder))) {
		uint64_t pid;

		if (!parse__u64(entry->d_name, 1, INT32_MAX, &pid) && read_link(&link, pid))
			code = append(tree, &link);
	}
	closedir(folder);
	qsort(tree->items, tree->count, sizeof(*tree->items), compare_pids);
	if (code)
		process_tree__free(tree);
	return code;
}

void process_tree__free(struct process_tree *tree)
{
	free(tree->items);
	*tree = (struct process_tree){.count = 0};
}

const struct process_link *process_tree__find(const struct process_tree *tree, pid_t pid)
{
	const struct process_link key = {.pid = pid};

	return tree->count ? bsearch(&key, tree->items, tree->count, sizeof(key), compare_pids)
			   : NULL;
}

pid_t process_tree__parent(const struct process_tree *tree, pid_t pid)
{
	const struct process_link *found = process_tree__find(tree, pid);

	return found ? found->parent : 0;
}

/* The links were not read at the same moment: there could be a cycle, so the steps are counted. */
bool process_tree__is_below(const struct process_tree *tree, pid_t pid, pid_t ancestor)
{
	for (size_t steps = 0; pid > 0 && steps <= tree->count; steps++) {
		pid = process_tree__parent(tree, pid);
		if (pid == ancestor)
			return pid > 0;
	}
	return false;
}
