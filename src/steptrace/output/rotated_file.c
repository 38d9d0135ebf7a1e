// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/rotated_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/output/gzip.h"
#include "steptrace/output/rotation.h"

#define CHECK_NS  1000000000ull /* between two looks at the path */
#define RETRY_NS  1000000000ull /* between two attempts to rotate */
#define SECOND_NS 1000000000ull

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
static int open_or_make(const char *path, bool *is_made)
{
	const int flags =
		O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, flags | O_EXCL, 0640);

	*is_made = fd >= 0;
	return fd < 0 && errno == EEXIST ? open(path, flags, 0640) : fd;
}

static int open_path(const char *path, bool *is_made, struct error *err)
{
	int fd = open_or_make(path, is_made);
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

/* How long ago the file was made; 0 where the file system does not tell. */
static uint64_t age_of(int fd)
{
	struct timespec now;
	struct statx status;
	int64_t seconds;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) ||
	    !(status.stx_mask & STATX_BTIME) || clock_gettime(CLOCK_REALTIME, &now))
		return 0;
	seconds = now.tv_sec - status.stx_btime.tv_sec;
	return seconds > 0 ? (uint64_t)seconds * SECOND_NS : 0;
}

/* The next file gets this mode and group. Group 0 is not kept: it has rights of its own. */
static void keep_looks(struct rotated_file *file, const struct stat *status)
{
	file->mode = status->st_mode & 0666;
	file->group = status->st_gid ? status->st_gid : FILE_GROUP_ANY;
}

static void use(struct rotated_file *file, int fd, const struct stat *status)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->bytes = (uint64_t)status->st_size;
	file->begun_ns = file->checked_ns = clock__now_ns();
	file->is_new = true;
	file->has_lines = status->st_size > 0;
	file->age_before_ns = file->has_lines ? age_of(fd) : 0;
	keep_looks(file, status);
}

/* The tracer stays a member of this group. */
static gid_t later_group(const struct rotated_file *file)
{
	return file->options.has_file_group ? file->options.file_group : file->group;
}

/* Mode and group of a new file: as asked for, or else as the former file had them. */
static int dress(const struct rotated_file *file, int fd, struct error *err)
{
	const struct sink_options *options = &file->options;
	gid_t group = later_group(file);
	mode_t mode = options->file_mode ? options->file_mode : file->mode;
	int code = 0;

	if (group != FILE_GROUP_ANY && fchown(fd, (uid_t)-1, group))
		code = -errno;
	if (mode && fchmod(fd, mode) && !code)
		code = -errno;
	return code ? error__set(err, code, "cannot give '%s' the group %u and the mode %o: %s",
				 path_of(file), group, mode, strerror(-code))
		    : 0;
}

/* Root gives a file that is to be rotated to the user that the tracer becomes: all files of the
 * output shall belong to the same user. */
static void give_away(const struct rotated_file *file, int fd)
{
	if (rotates(file) && geteuid() == 0 && fchown(fd, privilege__later_uid(), (gid_t)-1))
		log__warn("cannot give '%s' to user %u: %s", path_of(file), privilege__later_uid(),
			  strerror(errno));
}

static int open_and_use(struct rotated_file *file, struct error *err)
{
	struct stat status = {0};
	bool is_made;
	int fd = open_path(path_of(file), &is_made, err), code = 0;

	if (fd < 0)
		return fd;
	if (is_made) {
		code = dress(file, fd, err);
		give_away(file, fd);
	}
	if (code) {
		unlink(path_of(file));
		close(fd);
		return code;
	}
	fstat(fd, &status);
	use(file, fd, &status);
	return 0;
}

/* ---- rights */

/* In a folder with the sticky bit, such as /tmp, only the owner of a file may rename it. A file
 * that is not there yet will be ours. */
static bool may_rename(const char *path, const char *folder)
{
	struct stat above = {0}, present;

	if (stat(folder, &above) || lstat(path, &present))
		return true;
	return !(above.st_mode & S_ISVTX) || geteuid() == 0 || above.st_uid == geteuid() ||
	       present.st_uid == geteuid();
}

/* Whether this process may rotate the file. Nothing is made. */
static int check_rights(const void *context, struct error *err)
{
	const char *named = context, *folder;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", named);
	folder = dirname(path);
	if (!may_rename(named, folder))
		return error__set(
			err, -EACCES,
			"cannot rotate '%s': steptrace gives up root, and user %u may not rename "
			"the files of other users in '%s' (choose a folder of that user)",
			named, geteuid(), folder);
	if (access(folder, W_OK | X_OK) == 0 || errno == ENOENT)
		return 0;
	return error__set(err, -EACCES,
			  "cannot rotate '%s': steptrace gives up root, and user %u may not make "
			  "files in '%s' (choose a folder of that user, or chown it)",
			  named, geteuid(), folder);
}

int rotated_file__open(struct rotated_file *file, const struct sink_options *options,
		       struct error *err)
{
	int code = 0;

	*file = (struct rotated_file){.options = *options, .fd = -1, .group = FILE_GROUP_ANY};
	if (rotates(file))
		code = privilege__check_later(check_rights, path_of(file), later_group(file), err);
	if (!code)
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

/* Once: it will be the same with each file. */
static void log_looks(struct rotated_file *file, const struct error *err)
{
	if (!file->said_looks)
		log__warn("%s", err->text);
	file->said_looks = true;
}

void rotated_file__reopen(struct rotated_file *file)
{
	struct stat present = {0}, found = {0};
	struct error err = {""};
	bool is_made;
	int fd = open_path(path_of(file), &is_made, &err);

	if (fd < 0) {
		on_reopen_failure(file, &err);
		return;
	}
	file->is_stuck = false;
	file->reopen_error.text[0] = 0;
	fstat(file->fd, &present);
	keep_looks(file, &present); /* it may have been changed meanwhile */
	if (is_made && dress(file, fd, &err))
		log_looks(file, &err);
	fstat(fd, &found);
	if (is_same(&found, &present))
		close(fd);
	else
		use(file, fd, &found);
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
	file->tried_ns = clock__now_ns();
}

/* Another process renamed or removed the file and sent no SIGHUP. Where the folders above may not
 * be searched any more, nothing is known: only is_removed() tells. */
static bool is_elsewhere(struct rotated_file *file, uint64_t now_ns)
{
	struct stat present, found;

	if (now_ns - file->checked_ns < CHECK_NS)
		return false;
	file->checked_ns = now_ns;
	if (fstat(file->fd, &present))
		return false;
	if (lstat(path_of(file), &found))
		return errno != EACCES || present.st_nlink == 0;
	return !is_same(&present, &found);
}

void rotated_file__took_lines(struct rotated_file *file, uint64_t now_ns)
{
	if (!file->has_lines)
		file->begun_ns = now_ns;
	file->has_lines = true;
}

static uint64_t left_of(uint64_t limit_ns, uint64_t passed_ns)
{
	return passed_ns < limit_ns ? limit_ns - passed_ns : 0;
}

/* When rotating failed it is tried again after a while. */
static uint64_t retry_in_ns(const struct rotated_file *file, uint64_t now_ns)
{
	return file->is_stuck ? left_of(RETRY_NS, now_ns - file->tried_ns) : 0;
}

/* A file contains at least one line, however small the limit is. */
static bool may_rotate(const struct rotated_file *file, uint64_t now_ns)
{
	return file->has_lines && retry_in_ns(file, now_ns) == 0;
}

uint64_t rotated_file__old_in_ns(const struct rotated_file *file, uint64_t now_ns)
{
	uint64_t limit_ns = file->options.rotate_age_ns, old_in_ns, retry_ns;

	if (!limit_ns || !file->has_lines)
		return UINT64_MAX;
	old_in_ns = left_of(limit_ns, file->age_before_ns + (now_ns - file->begun_ns));
	retry_ns = retry_in_ns(file, now_ns);
	return old_in_ns > retry_ns ? old_in_ns : retry_ns;
}

void rotated_file__rotate_if_old(struct rotated_file *file, uint64_t now_ns)
{
	if (rotated_file__old_in_ns(file, now_ns) == 0)
		rotate(file);
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
