// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const struct whole_file *file, int code, struct error *err)
{
	return error__set(err, code, "cannot write '%s': %s", file->path, strerror(-code));
}

static void forget(struct whole_file *file)
{
	free(file->target);
	free(file->temporary);
	file->target = file->temporary = NULL;
}

/* ---- the temporary file */

static int open_without_name(const struct whole_file *file)
{
	const char *slash = strrchr(file->target, '/');
	char *folder =
		slash ? strndup(file->target, (size_t)(slash - file->target) + 1) : strdup(".");
	int fd = folder ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;

	free(folder);
	return fd;
}

static int open_with_name(struct whole_file *file)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	fd = mkostemp(file->temporary, O_CLOEXEC);
	file->has_name = fd >= 0;
	if (fd >= 0)
		fchmod(fd, 0666 & ~mask);
	return fd;
}

/* A symbolic link stays: what it points to is replaced. */
static char *target_of(const char *path)
{
	char *target = realpath(path, NULL);

	return target ? target : strdup(path);
}

static int open_temporary(struct whole_file *file, const struct stat *before)
{
	int fd;

	file->target = target_of(file->path);
	if (!file->target || asprintf(&file->temporary, "%s.XXXXXX", file->target) < 0) {
		file->temporary = NULL;
		return -1;
	}
	fd = open_without_name(file);
	if (fd < 0)
		fd = open_with_name(file);
	if (fd < 0 || !before)
		return fd;
	/* Only root can give a file away; the mode is set last, because fchown() may clear bits. */
	if (fchown(fd, before->st_uid, before->st_gid) == 0 || before->st_uid == geteuid())
		fchmod(fd, before->st_mode & 0777);
	return fd;
}

/* ---- open and close */

static FILE *open_stream(struct whole_file *file)
{
	struct stat before;
	bool exists = stat(file->path, &before) == 0;
	int fd = -1;

	if (!exists || S_ISREG(before.st_mode))
		fd = open_temporary(file, exists ? &before : NULL);
	if (fd >= 0)
		return fdopen(fd, "w");
	forget(file);
	return fopen(file->path, "we");
}

int whole_file__open(struct whole_file *file, const char *path, struct error *err)
{
	*file = (struct whole_file){.path = path, .stream = stdout};
	if (!path)
		return 0;
	file->stream = open_stream(file);
	return file->stream ? 0 : refuse(file, -errno, err);
}

/* A file without a name gets one first: a link cannot replace a file. */
static int name_it(struct whole_file *file)
{
	char of_process[64];
	int fd;

	if (file->has_name)
		return 0;
	fd = mkostemp(file->temporary, O_CLOEXEC); /* finds a name that is free */
	if (fd < 0)
		return -errno;
	close(fd);
	unlink(file->temporary);
	snprintf(of_process, sizeof(of_process), "/proc/self/fd/%d", fileno(file->stream));
	if (linkat(AT_FDCWD, of_process, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW))
		return -errno;
	file->has_name = true;
	return 0;
}

static int replace(struct whole_file *file)
{
	int code = fflush(file->stream) ? -errno : 0;

	if (!code && file->target)
		code = name_it(file);
	if (!code && file->target && rename(file->temporary, file->target))
		code = -errno;
	if (!code)
		file->has_name = false;
	return code;
}

int whole_file__close(struct whole_file *file, bool is_complete, struct error *err)
{
	int code = 0;

	if (!file->path)
		return 0;
	if (is_complete)
		code = replace(file);
	if (file->has_name)
		unlink(file->temporary);
	if (fclose(file->stream) && is_complete && !code)
		code = -errno;
	forget(file);
	return code ? refuse(file, code, err) : 0;
}
