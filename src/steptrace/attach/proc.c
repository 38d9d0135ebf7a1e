// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

int proc__check(struct error *err)
{
	struct statfs mounted;

	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (statfs("/proc", &mounted) || mounted.f_type != PROC_SUPER_MAGIC)
		return error__set(err, -ENOENT,
				  "/proc is not mounted, and steptrace needs it (" PROC_ADVICE ")");
	return error__set(err, -ENOENT,
			  "/proc is that of a pid namespace that steptrace is not in (" PROC_ADVICE
			  ")");
}
