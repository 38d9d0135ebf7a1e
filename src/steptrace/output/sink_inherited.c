// SPDX-License-Identifier: BSD-2-Clause
/* Standard output, or a named descriptor, FIFO or device. Another process opened or made it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/fifo.h"
#include "steptrace/output/sink.h"

struct inherited {
	struct sink sink;
	int fd;
	bool is_owned; /* has to be closed */
	bool is_headed;
	bool is_stream;    /* a pipe or socket */
	bool has_reader;   /* as far as the last write found out; false: not a stream */
	bool is_fifo;      /* its next reader gets what the former one left unread */
	size_t line_bytes; /* whole lines that this reader was given */
	char *rest;        /* of a line whose beginning is still in the pipe; NULL: none */
	size_t rest_bytes;
};

static struct inherited *inherited_of(struct sink *sink)
{
	return (struct inherited *)sink;
}

/* Of the whole lines that the reader was given. `torn_bytes`: the beginning of a line behind
 * them. */
static size_t lines_among(const struct inherited *inherited, size_t bytes, size_t torn_bytes)
{
	bytes = bytes > torn_bytes ? bytes - torn_bytes : 0;
	return bytes < inherited->line_bytes ? bytes : inherited->line_bytes;
}

/* Where the FIFO could not be emptied, its next reader begins with what is left in it. When that
 * ends within a line, the rest of the line has to be written first. Returns the bytes of whole
 * lines that count as written. */
static size_t keep_rest(struct inherited *inherited, const char *lines, size_t bytes, size_t out)
{
	const char *newline = memchr(lines + out, '\n', bytes - out);
	size_t whole = descriptor__whole_lines(lines, out);

	if (out == whole || !newline || fifo__unread_bytes(inherited->fd) == 0)
		return whole;
	inherited->rest_bytes = (size_t)(newline + 1 - lines) - out;
	inherited->rest = malloc(inherited->rest_bytes);
	if (!inherited->rest)
		return whole;
	memcpy(inherited->rest, lines + out, inherited->rest_bytes);
	return out + inherited->rest_bytes;
}

/* The last reader went. What it left unread is lost, and its next reader begins with a header. Of
 * the bytes, `out` were accepted. Returns the bytes of whole lines that count as written. */
static size_t lose_reader(struct inherited *inherited, const char *lines, size_t bytes, size_t out)
{
	size_t whole = descriptor__whole_lines(lines, out);
	ssize_t unread = inherited->is_fifo ? fifo__empty(inherited->fd) : 0;

	inherited->is_headed = inherited->has_reader = false;
	inherited->line_bytes += whole;
	if (unread < 0)
		whole = keep_rest(inherited, lines, bytes, out);
	else
		inherited->sink.lost_bytes = lines_among(inherited, (size_t)unread,
							 out - descriptor__whole_lines(lines, out));
	inherited->line_bytes = 0;
	return whole;
}

static int put(struct inherited *inherited, const char *lines, size_t bytes, size_t *written)
{
	size_t out = 0;
	int code =
		descriptor__write(inherited->fd, lines, bytes, &inherited->sink.write_state, &out);

	*written = out;
	if (code == 0) {
		inherited->line_bytes += out;
		inherited->has_reader = inherited->is_stream;
		return 0;
	}
	*written = descriptor__whole_lines(lines, out);
	descriptor__take_back(inherited->fd, out - *written);
	if (code == -EPIPE)
		*written = lose_reader(inherited, lines, bytes, out);
	return code;
}

static int put_rest(struct inherited *inherited)
{
	size_t out;
	int code = descriptor__write(inherited->fd, inherited->rest, inherited->rest_bytes,
				     &inherited->sink.write_state, &out);

	inherited->rest_bytes -= out;
	memmove(inherited->rest, inherited->rest + out, inherited->rest_bytes);
	if (inherited->rest_bytes == 0) {
		free(inherited->rest);
		inherited->rest = NULL;
	}
	return code;
}

/* A pipe has an error, and a socket is hung up, when the last reader has closed it. */
static bool has_lost_reader(const struct inherited *inherited)
{
	struct pollfd fd = {.fd = inherited->fd};

	return inherited->has_reader && poll(&fd, 1, 0) > 0 && fd.revents & (POLLERR | POLLHUP);
}

static int put_header(struct sink *sink, const char *header, size_t count)
{
	struct inherited *inherited = inherited_of(sink);
	size_t written;
	int code = put(inherited, header, count, &written);

	inherited->line_bytes = 0;
	return code;
}

static int inherited_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
			   struct error *err)
{
	struct inherited *inherited = inherited_of(sink);
	int code = inherited->rest ? put_rest(inherited) : 0;

	if (!code && !inherited->is_headed) {
		code = sink__put_header(sink, put_header);
		inherited->is_headed = code == 0;
	}
	if (!code && bytes == 0 && has_lost_reader(inherited)) {
		lose_reader(inherited, "", 0, 0);
		code = -EPIPE;
	}
	if (!code)
		code = put(inherited, lines, bytes, written);
	if (code == 0)
		return 0;
	if (code == -EPIPE)
		return error__set(err, code, "the reader of %s closed it", sink->name);
	if (code == -ECANCELED)
		return error__set(err, code, "stopped because the reader of %s did not read",
				  sink->name);
	return error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code));
}

static void inherited_close(struct sink *sink)
{
	struct inherited *inherited = inherited_of(sink);

	free(inherited->rest);
	inherited->rest = NULL;
	if (inherited->is_owned && inherited->fd >= 0)
		close(inherited->fd);
}

static int inherited_watched_fd(const struct sink *sink)
{
	const struct inherited *inherited = (const struct inherited *)sink;

	return inherited->has_reader ? inherited->fd : -1;
}

static size_t fifo_untaken_bytes(const struct sink *sink)
{
	const struct inherited *inherited = (const struct inherited *)sink;

	return lines_among(inherited, fifo__unread_bytes(inherited->fd), 0);
}

static const struct sink_ops inherited_ops = {
	.write = inherited_write,
	.watched_fd = inherited_watched_fd,
	.close = inherited_close,
};

static const struct sink_ops fifo_ops = {
	.write = inherited_write,
	.watched_fd = inherited_watched_fd,
	.untaken_bytes = fifo_untaken_bytes,
	.close = inherited_close,
};

static bool is_stream(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

/* O_NONBLOCK belongs to the open file description, which other processes share and do not expect to
 * be non-blocking. So the file is opened again. A socket cannot be opened again; there send() gets
 * a flag. */
static void make_nonblocking(struct inherited *inherited)
{
	struct stat status;
	char path[32];
	int fd;

	if (fstat(inherited->fd, &status) == 0 && S_ISSOCK(status.st_mode)) {
		inherited->sink.write_state.is_socket = true;
		inherited->sink.write_state.is_connection = true;
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", inherited->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	inherited_close(&inherited->sink);
	inherited->fd = fd;
	inherited->is_owned = true;
}

static int open_named(struct inherited *inherited, const char *path, struct error *err)
{
	int number = descriptor__named(path);
	/* Not O_RDWR: the tracer would count as a reader of the FIFO, and never see that the last
	 * one left. */
	const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	int code;

	inherited->fd =
		number >= 0 ? fcntl(number, F_DUPFD_CLOEXEC, 3) : open(path, flags | O_NONBLOCK);
	if (inherited->fd < 0 && errno == ENXIO) {
		log__info("waiting for a reader of '%s'", path);
		inherited->fd = open(path, flags);
	}
	if (inherited->fd >= 0) {
		inherited->is_owned = true;
		return 0;
	}
	code = -errno;
	return error__set(err, code, "cannot write to '%s': %s", path, strerror(-code));
}

static int check_reading(const void *path, struct error *err)
{
	return access(path, R_OK) ? error__set(err, -errno, "%s", strerror(errno)) : 0;
}

/* A FIFO is emptied when its reader goes. The tracer has to be allowed to read it then. */
static void use_fifo(struct inherited *inherited, const char *path)
{
	struct error err = {""};

	inherited->is_fifo = true;
	inherited->sink.ops = &fifo_ops;
	if (privilege__check_later(check_reading, path, (gid_t)-1, &err))
		log__warn(
			"steptrace may not read the FIFO '%s' (%s): when a reader closes it in the "
			"middle of a line, the next reader gets the rest of this line",
			path, err.text);
}

static bool is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

static bool is_regular(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

int sink_inherited__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	struct inherited *inherited = calloc(1, sizeof(*inherited));
	const char *path = options->where && strcmp(options->where, "-") ? options->where : NULL;
	int code = 0;

	if (!inherited)
		return error__set(err, -ENOMEM, "out of memory");
	inherited->fd = STDOUT_FILENO;
	sink__init(&inherited->sink, &inherited_ops, path ? path : "standard output");
	if (path)
		code = open_named(inherited, path, err);
	if (!code && !is_writable(inherited->fd))
		code = error__set(err, -EBADF, "cannot write to %s: %s", inherited->sink.name,
				  strerror(EBADF));
	if (code) {
		inherited_close(&inherited->sink);
		free(inherited);
		return code;
	}
	if (!is_regular(inherited->fd))
		make_nonblocking(inherited);
	inherited->is_stream = is_stream(inherited->fd);
	if (path && descriptor__named(path) < 0 && fifo__is(inherited->fd))
		use_fifo(inherited, path);
	*sink = &inherited->sink;
	return 0;
}
