// SPDX-License-Identifier: BSD-2-Clause
/* A file of our own: appended to, rotated, found again when somebody moved it, perhaps compressed. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/gzip.h"
#include "steptrace/output/rotation.h"
#include "steptrace/output/sink.h"

#define SECOND_NS 1000000000ull

struct file {
	struct sink sink; /* its name is the path */
	struct sink_options options;
	int fd;
	uint64_t bytes;      /* in it */
	uint64_t opened_ns;  /* when it was begun */
	uint64_t checked_ns; /* when it was last seen to be the one at the path */
	struct gzip *gzip;   /* NULL: plain */
	bool has_lines;
	bool is_stuck;      /* it could not be rotated, or made anew, which was said */
	struct error stuck; /* why it could not be made anew; empty: it could */
};

static struct file *file_of(struct sink *sink)
{
	return (struct file *)sink;
}

/* ---- opening */

/* Whatever somebody put there: a pipe is not waited for. */
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

/* Whether lines can be written behind what is there. */
static int check_end(const struct file *file, off_t size, struct error *err)
{
	char last = '\n';

	if (size == 0)
		return 0;
	if (file->gzip ? gzip__check(file->fd) == 0
		       : pread(file->fd, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return error__set(
		err, -EINVAL,
		"'%s' does not end with a whole line: it was cut off, or is no event file "
		"(choose another file, or remove its last line)",
		file->sink.name);
}

static void begin(struct file *file, int fd, off_t size)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->bytes = (uint64_t)size;
	file->opened_ns = file->checked_ns = clock__now_ns();
	file->sink.is_headed = false;
	file->has_lines = size > 0;
}

static bool rotates(const struct file *file)
{
	return file->options.rotate_bytes || file->options.rotate_age_ns;
}

/* What another tracer left torn is moved aside where files are moved aside anyway. */
static int open_first(struct file *file, struct error *err)
{
	struct stat status = {0};
	int fd = open_path(file->sink.name, err);
	int code;

	if (fd < 0)
		return fd;
	fstat(fd, &status);
	begin(file, fd, status.st_size);
	code = check_end(file, status.st_size, err);
	if (!code || !rotates(file))
		return code;
	code = rotation__move(file->sink.name, file->options.keep);
	if (code)
		return code;
	err->text[0] = 0;
	fd = open_path(file->sink.name, err);
	if (fd < 0)
		return fd;
	begin(file, fd, 0);
	return 0;
}

/* ---- another file at the same path */

/* Nobody could ever read what is written there. */
static bool is_removed(const struct file *file)
{
	struct stat status;

	return fstat(file->fd, &status) == 0 && status.st_nlink == 0;
}

/* Without the new one the old one is written on; where there is no new one, too. */
static void open_again(struct file *file)
{
	struct stat status = {0}, ours = {0};
	struct error err = {""};
	int fd = open_path(file->sink.name, &err);

	if (fd < 0) {
		if (!file->is_stuck && !is_removed(file))
			log__error("%s; the former file is written on", err.text);
		file->is_stuck = true;
		file->stuck = err;
		return;
	}
	file->is_stuck = false;
	file->stuck.text[0] = 0;
	fstat(fd, &status);
	fstat(file->fd, &ours);
	if (status.st_ino == ours.st_ino && status.st_dev == ours.st_dev)
		close(fd);
	else
		begin(file, fd, status.st_size);
}

static void rotate(struct file *file)
{
	int code = rotation__move(file->sink.name, file->options.keep);

	if (code == 0) {
		open_again(file);
		return;
	}
	if (!file->is_stuck)
		log__error("cannot rotate '%s': %s; it is written on", file->sink.name,
			   strerror(-code));
	file->is_stuck = true;
	file->opened_ns = clock__now_ns();
}

/* Somebody removed it, or moved it and told nobody. */
static bool is_elsewhere(struct file *file, uint64_t now)
{
	struct stat ours, there;

	if (now - file->checked_ns < SECOND_NS)
		return false;
	file->checked_ns = now;
	return fstat(file->fd, &ours) == 0 &&
	       (lstat(file->sink.name, &there) || ours.st_ino != there.st_ino ||
		ours.st_dev != there.st_dev);
}

/* A file holds a line at least, however small it is to be. */
static bool may_rotate(const struct file *file, uint64_t now)
{
	return file->has_lines && !(file->is_stuck && now - file->opened_ns < SECOND_NS);
}

static bool is_too_old(const struct file *file, uint64_t now)
{
	uint64_t age_ns = file->options.rotate_age_ns;

	return age_ns && may_rotate(file, now) && now - file->opened_ns >= age_ns;
}

static bool is_too_small(const struct file *file, size_t bytes, uint64_t now)
{
	uint64_t limit = file->options.rotate_bytes;

	return limit && may_rotate(file, now) && file->bytes + bytes > limit;
}

/* ---- writing */

/* Appends; what went in behind the last whole piece, of which *written tells, is taken back. */
static int append(struct file *file, const char *bytes, size_t count, bool in_lines,
		  size_t *written)
{
	size_t out;
	int code = descriptor__write(file->fd, bytes, count, &file->sink.write_state, &out);

	*written = code == 0 ? out : in_lines ? descriptor__whole_lines(bytes, out) : 0;
	descriptor__take_back(file->fd, out - *written);
	file->bytes += *written;
	return code;
}

static int put_header(struct sink *sink, const char *header, size_t count)
{
	struct file *file = file_of(sink);
	size_t written;

	if (file->gzip)
		count = gzip__member(file->gzip, header, count, &header);
	return count ? append(file, header, count, !file->gzip, &written) : -ENOMEM;
}

/* Room for so many bytes, in another file if need be, and its header. */
static int make_room(struct file *file, size_t bytes, uint64_t now)
{
	if (is_too_small(file, bytes, now))
		rotate(file);
	return file->sink.is_headed ? 0 : sink__put_header(&file->sink, put_header);
}

static size_t first_line(const char *lines, size_t bytes)
{
	const char *end = memchr(lines, '\n', bytes);

	return end ? (size_t)(end - lines) + 1 : bytes;
}

/* Of these lines, those that still fit; one at least. */
static size_t portion(const struct file *file, const char *lines, size_t bytes)
{
	uint64_t limit = file->options.rotate_bytes;
	size_t room, fitting;

	if (!limit || file->is_stuck)
		return bytes;
	room = limit > file->bytes ? limit - file->bytes : 0;
	fitting = room < bytes ? descriptor__whole_lines(lines, room) : bytes;
	return fitting ? fitting : first_line(lines, bytes);
}

static int put_plain(struct file *file, const char *lines, size_t bytes, uint64_t now,
		     size_t *written)
{
	int code;

	do {
		const char *rest = lines + *written;
		size_t left = bytes - *written, out = 0;

		code = make_room(file, left ? first_line(rest, left) : 0, now);
		if (code || !left)
			break;
		code = append(file, rest, portion(file, rest, left), true, &out);
		file->has_lines = file->has_lines || out;
		*written += out;
	} while (!code && *written < bytes);
	return code;
}

/* How large a member is only shows when it is made. A header that has to go in front of it is one, too,
 * and is made in the same place. */
static int put_member(struct file *file, const char *lines, size_t bytes, uint64_t now,
		      size_t *written)
{
	const char *member = NULL;
	size_t size = bytes ? gzip__member(file->gzip, lines, bytes, &member) : 0, out;
	int code = 0;

	if (!file->sink.is_headed || is_too_small(file, size, now)) {
		code = make_room(file, size, now);
		size = bytes ? gzip__member(file->gzip, lines, bytes, &member) : 0;
	}
	if (code || !bytes)
		return code;
	code = size ? append(file, member, size, false, &out) : -ENOMEM;
	if (code == 0) {
		file->has_lines = true;
		*written = bytes;
	}
	return code;
}

static int file_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		      struct error *err)
{
	struct file *file = file_of(sink);
	uint64_t now = clock__now_ns();
	int code;

	if (is_elsewhere(file, now))
		open_again(file);
	if (file->stuck.text[0] && is_removed(file))
		return error__set(
			err, -ENOENT,
			"'%s' was removed, and as user %u the tracer cannot make it anew (%s)",
			sink->name, geteuid(), file->stuck.text);
	if (is_too_old(file, now))
		rotate(file);
	code = file->gzip ? put_member(file, lines, bytes, now, written)
			  : put_plain(file, lines, bytes, now, written);
	return code ? error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code))
		    : 0;
}

/* In a folder like /tmp only who owns a file may rename it. */
static bool may_rename(const struct file *file, const char *folder)
{
	struct stat above = {0}, ours = {0};

	stat(folder, &above);
	fstat(file->fd, &ours);
	return !(above.st_mode & S_ISVTX) || geteuid() == 0 || above.st_uid == geteuid() ||
	       ours.st_uid == geteuid();
}

/* Where a new file will have to be made, that must be allowed to who we are now. */
static int file_check_rights(const struct sink *sink, struct error *err)
{
	const struct file *file = (const struct file *)sink;
	char path[PATH_MAX];
	const char *folder;

	snprintf(path, sizeof(path), "%s", sink->name);
	folder = dirname(path);
	if (!rotates(file))
		return 0;
	if (!may_rename(file, folder))
		return error__set(
			err, -EACCES,
			"cannot rotate '%s': the tracer gave root up, and as user %u may not rename "
			"the files of others in '%s' (choose a folder of that user)",
			sink->name, geteuid(), folder);
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return error__set(err, -EACCES,
			  "cannot rotate '%s': the tracer gave root up, and as user %u may make no "
			  "files in '%s' (choose a folder of that user, or chown it)",
			  sink->name, geteuid(), folder);
}

/* A file that nobody writes to gets too old as well. */
static uint64_t file_idles_ns(const struct sink *sink)
{
	const struct file *file = (const struct file *)sink;
	uint64_t age_ns = clock__now_ns() - file->opened_ns, limit_ns = file->options.rotate_age_ns;

	if (!limit_ns || !file->has_lines)
		return UINT64_MAX;
	if (file->is_stuck && limit_ns < SECOND_NS)
		limit_ns = SECOND_NS;
	return age_ns < limit_ns ? limit_ns - age_ns : 0;
}

static void file_idled(struct sink *sink)
{
	struct file *file = file_of(sink);

	if (is_too_old(file, clock__now_ns()))
		rotate(file);
	if (!sink->is_headed)
		sink__put_header(sink, put_header);
}

static void file_reopen(struct sink *sink)
{
	open_again(file_of(sink));
}

static void file_close(struct sink *sink)
{
	struct file *file = file_of(sink);

	if (file->fd >= 0)
		close(file->fd);
	gzip__free(file->gzip);
}

static const struct sink_ops file_ops = {
	.write = file_write,
	.idles_ns = file_idles_ns,
	.idled = file_idled,
	.reopen = file_reopen,
	.check_rights = file_check_rights,
	.close = file_close,
};

static bool is_gzip(const char *path)
{
	size_t bytes = strlen(path);

	return bytes > 3 && strcmp(path + bytes - 3, ".gz") == 0;
}

int sink_file__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	struct file *file = calloc(1, sizeof(*file));
	int code;

	if (!file)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&file->sink, &file_ops, options->where);
	file->options = *options;
	file->fd = -1;
	if (is_gzip(options->where)) {
		file->gzip = gzip__new();
		file->sink.gathers_ns = SECOND_NS;
	}
	if (is_gzip(options->where) && !file->gzip)
		code = error__set(err, -ENOMEM, "out of memory");
	else
		code = open_first(file, err);
	if (code) {
		file_close(&file->sink);
		free(file);
		return code;
	}
	*sink = &file->sink;
	return 0;
}
