// SPDX-License-Identifier: BSD-2-Clause
#include "common/cgroup2.h"

#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

const char *cgroup2__mount(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs status;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (statfs(mounts[i], &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	return NULL;
}

/* The line of version 2 is "0::PATH". */
bool cgroup2__path_of(uint32_t pid, char path[CGROUP2_PATH_BYTES])
{
	char name[64], line[CGROUP2_PATH_BYTES + 8];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	file = fopen(name, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		found = strncmp(line, "0::/", 4) == 0 && strchr(line, '\n');
		if (found)
			snprintf(path, CGROUP2_PATH_BYTES, "%.*s", (int)strcspn(line + 3, "\n"),
				 line + 3);
	}
	if (file)
		fclose(file);
	return found;
}

bool cgroup2__contains(const char *outer, const char *inner)
{
	size_t bytes = strlen(outer);

	while (bytes && outer[bytes - 1] == '/')
		bytes--;
	return strncmp(inner, outer, bytes) == 0 && (inner[bytes] == '/' || !inner[bytes]);
}
