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

#include "common/log.h"
#include "steptrace/clock.h"
#include "steptrace/descriptor.h"
#include "steptrace/gzip.h"
#include "steptrace/rotation.h"
#include "steptrace/sink.h"

#define SECOND_NS 1000000000ull

struct file {
	struct sink sink; /* its name is the path */
	struct sink_options options;
	int fd;
	uint64_t bytes;           /* in it */
	uint64_t opened_ns;       /* when it was begun */
	uint64_t checked_ns;      /* when it was last seen to be the one at the path */
	struct gzip *gzip;        /* NULL: plain */
	bool is_headed, is_stuck; /* stuck: it could not be rotated, which was said */
};

static struct file *file_of(struct sink *sink)
{
	return (struct file *)sink;
}

/* ---- opening */

static int open_path(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0640);
	int code = -errno;

	if (fd >= 0)
		return fd;
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
	file->is_headed = false;
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

/* Without the new one the old one is written on. */
static void open_again(struct file *file)
{
	struct stat status = {0};
	struct error err = {""};
	int fd = open_path(file->sink.name, &err);

	if (fd < 0) {
		if (!file->is_stuck)
			log__error("%s; the former file is written on", err.text);
		file->is_stuck = true;
		return;
	}
	fstat(fd, &status);
	file->is_stuck = false;
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

static bool is_due(const struct file *file, size_t bytes, uint64_t now)
{
	const struct sink_options *options = &file->options;

	if (file->bytes == 0)
		return false;
	if (file->is_stuck && now - file->opened_ns < SECOND_NS)
		return false;
	return (options->rotate_bytes && file->bytes + bytes > options->rotate_bytes) ||
	       (options->rotate_age_ns && now - file->opened_ns >= options->rotate_age_ns);
}

/* ---- writing */

static int put_plain(struct file *file, const char *lines, size_t bytes, size_t *written)
{
	size_t out;
	int code = descriptor__write(file->fd, lines, bytes, file->sink.give_up_fd, &out);

	*written = code ? descriptor__whole_lines(lines, out) : out;
	descriptor__take_back(file->fd, out - *written);
	file->bytes += *written;
	return code;
}

static int put_member(struct file *file, const char *lines, size_t bytes, size_t *written)
{
	const char *member;
	size_t size = gzip__member(file->gzip, lines, bytes, &member), out;
	int code;

	*written = 0;
	if (size == 0)
		return -ENOMEM;
	code = descriptor__write(file->fd, member, size, file->sink.give_up_fd, &out);
	if (code) {
		descriptor__take_back(file->fd, out);
		return code;
	}
	file->bytes += size;
	*written = bytes;
	return 0;
}

static int put(struct file *file, const char *lines, size_t bytes, size_t *written)
{
	return file->gzip ? put_member(file, lines, bytes, written)
			  : put_plain(file, lines, bytes, written);
}

static int put_header(struct file *file)
{
	char *header = sink__next_header(&file->sink);
	size_t written;
	int code = header ? put(file, header, strlen(header), &written) : 0;

	free(header);
	file->is_headed = code == 0;
	return code;
}

static int file_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		      struct error *err)
{
	struct file *file = file_of(sink);
	uint64_t now = clock__now_ns();
	int code = 0;

	if (is_elsewhere(file, now))
		open_again(file);
	if (is_due(file, bytes, now))
		rotate(file);
	if (!file->is_headed)
		code = put_header(file);
	if (!code)
		code = put(file, lines, bytes, written);
	return code ? error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code))
		    : 0;
}

/* Where a new file will have to be made, that must be allowed to who we are now. */
static int file_check_rights(const struct sink *sink, struct error *err)
{
	const struct file *file = (const struct file *)sink;
	char path[PATH_MAX];
	const char *folder;

	snprintf(path, sizeof(path), "%s", sink->name);
	folder = dirname(path);
	if (!rotates(file) || faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return error__set(err, -EACCES,
			  "cannot rotate '%s': the tracer gave root up, and as user %u may make no "
			  "files in '%s' (choose a folder of that user, or chown it)",
			  sink->name, geteuid(), folder);
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
	file->sink.ops = &file_ops;
	file->options = *options;
	file->fd = -1;
	snprintf(file->sink.name, sizeof(file->sink.name), "%s", options->where);
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
