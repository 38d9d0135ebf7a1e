// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/targets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

static int add_pid(struct targets *targets, const char *text, struct error *err)
{
	uint64_t pid;

	if (parse__u64(text, 1, 4194304, &pid))
		return error__set(err, -EINVAL, "'%s' is not a process id", text);
	if (targets->pids_count >= TARGETS_MAX)
		return error__set(err, -EINVAL, "more than %d process ids", TARGETS_MAX);
	for (size_t i = 0; i < targets->pids_count; i++)
		if (targets->pids[i] == (pid_t)pid)
			return 0;
	targets->pids[targets->pids_count++] = (pid_t)pid;
	return 0;
}

int targets__add_pids(struct targets *targets, const char *list, struct error *err)
{
	char *copy = strdup(list), *at = copy, *word;
	int code = 0;

	if (!copy)
		return error__set(err, -ENOMEM, "out of memory");
	while (!code && (word = strsep(&at, ",")))
		code = add_pid(targets, word, err);
	free(copy);
	return code;
}

int targets__add_exe(struct targets *targets, const char *path, struct error *err)
{
	if (targets->exes_count >= TARGETS_MAX)
		return error__set(err, -EINVAL, "more than %d binaries", TARGETS_MAX);
	targets->exes[targets->exes_count++] = path;
	return 0;
}

static int count_binary(struct binary *binary, void *context)
{
	size_t *count = context;

	(void)binary;
	(*count)++;
	return 0;
}

/* A thread's id opens the same doors under /proc, but is no process. */
static bool is_thread(pid_t pid)
{
	char path[64], line[128];
	long leader = pid;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file) && sscanf(line, "Tgid: %ld", &leader) != 1)
		continue;
	fclose(file);
	return leader != pid;
}

static int open_process(struct binaries *set, pid_t pid, struct error *err)
{
	size_t count = 0;
	int code = binaries__of_process(set, pid, count_binary, &count, err);

	if (code == 0 && is_thread(pid))
		code = error__set(err, -EINVAL, "%d is a thread: name its process", pid);
	else if (code == 0 && count == 0)
		code = error__set(err, -ENOENT,
				  "process %d runs nothing with steptrace probes (steptrace list "
				  "shows what does; usdt/README.md says how to add them)",
				  pid);
	return code;
}

static int open_exe(struct binaries *set, const char *path, struct error *err)
{
	struct binary *binary;
	int code = binaries__add(set, path, path, &binary, err);

	if (code == 0 && binary__probes_count(binary) == 0)
		code = error__set(err, -ENOENT,
				  "there are no steptrace probes in '%s' (usdt/README.md says how "
				  "to add them)",
				  path);
	return code;
}

int targets__open(const struct targets *targets, struct binaries *set, struct child *child,
		  struct error *err)
{
	int code = 0;

	for (size_t i = 0; i < targets->pids_count && !code; i++)
		code = open_process(set, targets->pids[i], err);
	for (size_t i = 0; i < targets->exes_count && !code; i++)
		code = open_exe(set, targets->exes[i], err);
	if (!code && targets->command) {
		code = child__start(child, targets->command, err);
		if (!code)
			code = open_exe(set, child->path, err);
	}
	return code;
}
