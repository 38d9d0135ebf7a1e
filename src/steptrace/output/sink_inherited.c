// SPDX-License-Identifier: BSD-2-Clause
/* Standard output, or a named descriptor, FIFO or device. Another process opened or made it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/sink.h"

struct inherited {
	struct sink sink;
	int fd;
	bool is_owned; /* has to be closed */
	bool is_headed;
	char *rest; /* of a line whose beginning is still in the pipe; NULL: none */
	size_t rest_bytes;
};

static struct inherited *inherited_of(struct sink *sink)
{
	return (struct inherited *)sink;
}

static bool holds_bytes(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* When its reader closes a FIFO, unread bytes stay in it for the next reader. When they end within
 * a line, the rest of the line has to be written first for that reader. Returns the bytes of whole
 * lines that count as written. */
static size_t keep_rest(struct inherited *inherited, const char *lines, size_t bytes, size_t out)
{
	const char *newline = memchr(lines + out, '\n', bytes - out);
	size_t whole = descriptor__whole_lines(lines, out);

	if (out == whole || !newline || !holds_bytes(inherited->fd))
		return whole;
	inherited->rest_bytes = (size_t)(newline + 1 - lines) - out;
	inherited->rest = malloc(inherited->rest_bytes);
	if (!inherited->rest)
		return whole;
	memcpy(inherited->rest, lines + out, inherited->rest_bytes);
	return out + inherited->rest_bytes;
}

static int put(struct inherited *inherited, const char *lines, size_t bytes, size_t *written)
{
	size_t out = 0;
	int code =
		descriptor__write(inherited->fd, lines, bytes, &inherited->sink.write_state, &out);

	*written = out;
	if (code == 0)
		return 0;
	*written = descriptor__whole_lines(lines, out);
	descriptor__take_back(inherited->fd, out - *written);
	if (code == -EPIPE) {
		*written = keep_rest(inherited, lines, bytes, out);
		inherited->is_headed = false;
	}
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

static int put_header(struct sink *sink, const char *header, size_t count)
{
	size_t written;

	return put(inherited_of(sink), header, count, &written);
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

static const struct sink_ops inherited_ops = {.write = inherited_write, .close = inherited_close};

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
		free(inherited);
		return code;
	}
	if (!is_regular(inherited->fd))
		make_nonblocking(inherited);
	*sink = &inherited->sink;
	return 0;
}
