// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/foreign_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int foreign_file__root(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* From a descriptor that only names the file to one that reads it. Takes the first one over. */
static int open_named(int named, struct stat *status)
{
	char path[32];
	int fd;

	if (fstat(named, status) || !S_ISREG(status->st_mode)) {
		close(named);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", named);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	close(named);
	return fd;
}

static bool is_link(int fd)
{
	struct stat status;

	return fstat(fd, &status) || S_ISLNK(status.st_mode);
}

/* One step down. Takes `folder` over. */
static int enter(int folder, const char *name)
{
	int fd = strcmp(name, "..") == 0 ? -1
					 : openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int code = strcmp(name, "..") == 0 ? -ELOOP : -errno;

	close(folder);
	if (fd < 0)
		return code;
	if (!is_link(fd))
		return fd;
	close(fd);
	return -ELOOP;
}

int foreign_file__open_below(int root, const char *path, struct stat *status)
{
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	if (at < 0)
		return -errno;
	for (path += strspn(path, "/"); *path && at >= 0; path += strspn(path, "/")) {
		size_t bytes = strcspn(path, "/");

		if (bytes > NAME_MAX) {
			close(at);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, bytes);
		name[bytes] = 0;
		at = enter(at, name);
		path += bytes;
	}
	return at < 0 ? at : open_named(at, status);
}

int foreign_file__open(const char *path, struct stat *status)
{
	int named = open(path, O_PATH | O_CLOEXEC);

	return named < 0 ? -errno : open_named(named, status);
}
