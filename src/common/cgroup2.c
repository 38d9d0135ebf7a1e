// SPDX-License-Identifier: BSD-2-Clause
#include "common/cgroup2.h"

#include <linux/magic.h>
#include <stddef.h>
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
