// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/absolute_path.h"
#include "common/parse.h"
#include "steptrace/attach/proc.h"

static int add_pid(struct targets *targets, const char *text, struct error *err)
{
	uint64_t pid;

	if (parse__u64(text, 1, 4194304, &pid))
		return error__set(err, -EINVAL, "'%s' is not a process id", text);
	if (targets->pids_count >= TARGETS_MAX)
		return error__set(
			err, -EINVAL,
			"-p takes up to %d process ids (-x PATH traces all processes of a program)",
			TARGETS_MAX);
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

/* Events contain the path, and their readers do not know our working directory. The copy lives as
 * long as the process. */
int targets__add_exe(struct targets *targets, const char *path, struct error *err)
{
	char absolute[PATH_MAX];

	if (targets->exes_count >= TARGETS_MAX)
		return error__set(err, -EINVAL,
				  "-x can be given up to %d times (-a traces all programs)",
				  TARGETS_MAX);
	path = absolute_path__of(path, absolute) ? NULL : strdup(absolute);
	if (!path)
		return error__set(err, -ENAMETOOLONG, "the path of a binary is too long");
	targets->exes[targets->exes_count++] = path;
	return 0;
}

/* /proc/PID exists for the id of a thread, too. */
int targets__check_pid(pid_t pid, struct error *err)
{
	char path[64], line[128], state = 'X';
	long leader = pid, threads = 1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "Tgid: %ld", &leader);
		sscanf(line, "State: %c", &state);
		sscanf(line, "Threads: %ld", &threads);
	}
	if (file)
		fclose(file);
	else if (proc__check(err))
		return -ENOENT;
	if (leader != pid)
		return error__set(err, -EINVAL, "%d is a thread; name its process instead", pid);
	if (state == 'X' || (state == 'Z' && threads < 2)) /* other threads may outlive the first */
		return error__set(err, -ESRCH, "there is no process %d", pid);
	return 0;
}
