// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/wanted_cgroup.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/log.h"

static bool is_cgroup(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* The part of the path below the mount point, whose parent is in another file system. */
static const char *inner_path(const char *path)
{
	const char *inner = path + strlen(path);
	char parent[PATH_MAX], *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	while ((slash = strrchr(parent, '/'))) {
		*slash = 0;
		if (!is_cgroup(parent[0] ? parent : "/"))
			break;
		inner = path + (slash - parent);
	}
	return inner;
}

/* On a 64-bit kernel the id of a cgroup is its directory's inode number. */
int wanted_cgroup__find(struct wanted_cgroup *cgroup, const char *path, struct error *err)
{
	static const char *const mounts[] = {"", "/sys/fs/cgroup/", "/sys/fs/cgroup/unified/"};
	char full[PATH_MAX];
	struct stat status;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		snprintf(full, sizeof(full), "%s%s", mounts[i], path);
		if (!is_cgroup(full) || !realpath(full, cgroup->path) ||
		    stat(cgroup->path, &status))
			continue;
		cgroup->id = status.st_ino;
		cgroup->inner = inner_path(cgroup->path);
		return 0;
	}
	cgroup->path[0] = 0;
	return error__set(err, -ENOENT,
			  "'%s' is no cgroup (example: --cgroup system.slice/x.service; "
			  "only cgroup v2 is supported)",
			  path);
}

void cgroup_watch__look(struct cgroup_watch *watch, struct capture *capture)
{
	const char *path = watch->cgroup->path;
	struct stat status;

	if (!path[0])
		return;
	if (stat(path, &status)) {
		if (!watch->is_gone)
			log__info("the cgroup '%s' was removed: steptrace waits until it is "
				  "created again",
				  path);
		watch->is_gone = true;
		return;
	}
	watch->is_gone = false;
	if (status.st_ino == watch->id)
		return;
	watch->id = status.st_ino;
	capture__set_cgroup_id(capture, watch->id);
	log__info("the cgroup '%s' was created again and is recorded", path);
}
