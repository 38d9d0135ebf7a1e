// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/rotated_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/output/gzip.h"
#include "steptrace/output/rotation.h"

#define CHECK_NS 1000000000ull /* between two looks at the path */
#define RETRY_NS 1000000000ull /* between two attempts to rotate */

static const char *path_of(const struct rotated_file *file)
{
	return file->options.where;
}

static bool rotates(const struct rotated_file *file)
{
	return file->options.rotate_bytes || file->options.rotate_age_ns;
}

/* ---- opening */

/* O_NONBLOCK: a FIFO that another process put there must not block the open. */
static int open_path(const char *path, struct error *err)
{
	int fd = open(path,
		      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
		      0640);
	int code = -errno;
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		return error__set(err, -EINVAL, "'%s' is not a regular file any more", path);
	}
	if (code == -ELOOP)
		return error__set(err, code, "'%s' is a symbolic link: name the file itself", path);
	return error__set(err, code, "cannot write to '%s': %s", path, strerror(-code));
}

/* Lines can only be appended to whole lines, members only to whole members. */
static int check_end(const struct rotated_file *file, struct error *err)
{
	off_t size = (off_t)file->bytes;
	char last = '\n';

	if (size == 0)
		return 0;
	if (gzip__is_named(path_of(file))
		    ? gzip__check(file->fd) == 0
		    : pread(file->fd, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return error__set(
		err, -EINVAL,
		"'%s' does not end with a whole line: it was cut off, or it is not an event file "
		"(choose another file, or remove its last line)",
		path_of(file));
}

static void use(struct rotated_file *file, int fd, off_t size)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->bytes = (uint64_t)size;
	file->opened_ns = file->checked_ns = clock__now_ns();
	file->is_new = true;
	file->has_lines = size > 0;
}

static int open_and_use(struct rotated_file *file, struct error *err)
{
	struct stat status = {0};
	int fd = open_path(path_of(file), err);

	if (fd < 0)
		return fd;
	fstat(fd, &status);
	use(file, fd, status.st_size);
	return 0;
}

int rotated_file__open(struct rotated_file *file, const struct sink_options *options,
		       struct error *err)
{
	int code;

	*file = (struct rotated_file){.options = *options, .fd = -1};
	code = open_and_use(file, err);
	if (code)
		return code;
	code = check_end(file, err);
	if (!code || !rotates(file))
		return code;
	code = rotation__move(path_of(file), file->options.keep);
	if (code)
		return code;
	err->text[0] = 0;
	return open_and_use(file, err);
}

void rotated_file__close(struct rotated_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- another file at the same path */

/* No process can ever read what is written to it. */
static bool is_removed(const struct rotated_file *file)
{
	struct stat status;

	return fstat(file->fd, &status) == 0 && status.st_nlink == 0;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_ino == other->st_ino && one->st_dev == other->st_dev;
}

static void on_reopen_failure(struct rotated_file *file, const struct error *err)
{
	if (!file->is_stuck && !is_removed(file))
		log__error("%s; steptrace goes on writing to the former file", err->text);
	file->is_stuck = true;
	file->reopen_error = *err;
}

void rotated_file__reopen(struct rotated_file *file)
{
	struct stat present = {0}, found = {0};
	struct error err = {""};
	int fd = open_path(path_of(file), &err);

	if (fd < 0) {
		on_reopen_failure(file, &err);
		return;
	}
	file->is_stuck = false;
	file->reopen_error.text[0] = 0;
	fstat(fd, &found);
	fstat(file->fd, &present);
	if (is_same(&found, &present))
		close(fd);
	else
		use(file, fd, found.st_size);
}

static void rotate(struct rotated_file *file)
{
	int code = rotation__move(path_of(file), file->options.keep);

	if (code == 0) {
		rotated_file__reopen(file);
		return;
	}
	if (!file->is_stuck)
		log__error("cannot rotate '%s': %s; steptrace goes on writing to it", path_of(file),
			   strerror(-code));
	file->is_stuck = true;
	file->opened_ns = clock__now_ns();
}

/* Another process renamed or removed the file and sent no SIGHUP. */
static bool is_elsewhere(struct rotated_file *file, uint64_t now_ns)
{
	struct stat present, found;

	if (now_ns - file->checked_ns < CHECK_NS)
		return false;
	file->checked_ns = now_ns;
	return fstat(file->fd, &present) == 0 &&
	       (lstat(path_of(file), &found) || !is_same(&present, &found));
}

/* A file contains at least one line, however small the limit is. */
static bool may_rotate(const struct rotated_file *file, uint64_t now_ns)
{
	return file->has_lines && !(file->is_stuck && now_ns - file->opened_ns < RETRY_NS);
}

void rotated_file__rotate_if_old(struct rotated_file *file, uint64_t now_ns)
{
	uint64_t age_ns = file->options.rotate_age_ns;

	if (age_ns && may_rotate(file, now_ns) && now_ns - file->opened_ns >= age_ns)
		rotate(file);
}

uint64_t rotated_file__old_in_ns(const struct rotated_file *file, uint64_t now_ns)
{
	uint64_t age_ns = now_ns - file->opened_ns, limit_ns = file->options.rotate_age_ns;

	if (!limit_ns || !file->has_lines)
		return UINT64_MAX;
	if (file->is_stuck && limit_ns < RETRY_NS)
		limit_ns = RETRY_NS;
	return age_ns < limit_ns ? limit_ns - age_ns : 0;
}

int rotated_file__check(struct rotated_file *file, uint64_t now_ns, struct error *err)
{
	if (is_elsewhere(file, now_ns))
		rotated_file__reopen(file);
	if (file->reopen_error.text[0] && is_removed(file))
		return error__set(err, -ENOENT,
				  "'%s' was removed, and steptrace, now running as user %u, cannot "
				  "make it again (%s)",
				  path_of(file), geteuid(), file->reopen_error.text);
	rotated_file__rotate_if_old(file, now_ns);
	return 0;
}

void rotated_file__make_room(struct rotated_file *file, size_t bytes, uint64_t now_ns)
{
	uint64_t limit = file->options.rotate_bytes;

	if (limit && may_rotate(file, now_ns) && file->bytes + bytes > limit)
		rotate(file);
}

size_t rotated_file__room(const struct rotated_file *file)
{
	uint64_t limit = file->options.rotate_bytes;

	if (!limit || file->is_stuck)
		return SIZE_MAX;
	return limit > file->bytes ? limit - file->bytes : 0;
}

/* ---- rights */

/* In a folder with the sticky bit, such as /tmp, only the owner of a file may rename it. */
static bool may_rename(const struct rotated_file *file, const char *folder)
{
	struct stat above = {0}, present = {0};

	stat(folder, &above);
	fstat(file->fd, &present);
	return !(above.st_mode & S_ISVTX) || geteuid() == 0 || above.st_uid == geteuid() ||
	       present.st_uid == geteuid();
}

int rotated_file__check_rights(const struct rotated_file *file, struct error *err)
{
	char path[PATH_MAX];
	const char *folder;

	if (!rotates(file))
		return 0;
	snprintf(path, sizeof(path), "%s", path_of(file));
	folder = dirname(path);
	if (!may_rename(file, folder))
		return error__set(
			err, -EACCES,
			"cannot rotate '%s': steptrace has given up root, and user %u may not "
			"rename the files of other users in '%s' (choose a folder of that user)",
			path_of(file), geteuid(), folder);
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return error__set(
		err, -EACCES,
		"cannot rotate '%s': steptrace has given up root, and user %u may not make files "
		"in '%s' (choose a folder of that user, or chown it)",
		path_of(file), geteuid(), folder);
}
