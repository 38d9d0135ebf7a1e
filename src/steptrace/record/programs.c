// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/programs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

#define KEPT_NS 1000000000ull

enum { KEPT = 1024 };

struct kept {
	uint32_t pid;
	uint64_t until_ns;
	char *path; /* owned; NULL: not known */
};

struct programs {
	struct kept kept[KEPT];
};

struct programs *programs__new(void)
{
	return calloc(1, sizeof(struct programs));
}

void programs__free(struct programs *programs)
{
	if (!programs)
		return;
	for (size_t i = 0; i < KEPT; i++)
		free(programs->kept[i].path);
	free(programs);
}

static char *read_link(uint32_t pid)
{
	char link[64], path[PATH_MAX];
	ssize_t bytes;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	bytes = readlink(link, path, sizeof(path) - 1);
	return bytes > 0 ? strndup(path, (size_t)bytes) : NULL;
}

const char *programs__path(void *context, uint32_t pid)
{
	struct programs *programs = context;
	struct kept *kept = &programs->kept[pid % KEPT];
	uint64_t now_ns = clock__now_ns();

	if (kept->pid == pid && now_ns < kept->until_ns)
		return kept->path;
	free(kept->path);
	*kept = (struct kept){pid, now_ns + KEPT_NS, read_link(pid)};
	return kept->path;
}
