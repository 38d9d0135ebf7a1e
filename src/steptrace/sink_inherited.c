// SPDX-License-Identifier: BSD-2-Clause
/* Standard output, or a pipe or device that is named: somebody else made it, and may read it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/descriptor.h"
#include "steptrace/sink.h"

struct inherited {
	struct sink sink;
	int fd;
	bool is_ours; /* to be closed */
};

static struct inherited *inherited_of(struct sink *sink)
{
	return (struct inherited *)sink;
}

static int put(struct inherited *inherited, const char *lines, size_t bytes, size_t *written)
{
	size_t out = 0;
	int code = descriptor__write(inherited->fd, lines, bytes, &inherited->sink.effort, &out);

	*written = out;
	if (code == 0)
		return 0;
	*written = descriptor__whole_lines(lines, out);
	descriptor__take_back(inherited->fd, out - *written);
	return code;
}

static int put_header(struct inherited *inherited)
{
	char *header = sink__next_header(&inherited->sink);
	size_t written;
	int code = header ? put(inherited, header, strlen(header), &written) : 0;

	free(header);
	inherited->sink.parts += code == 0;
	return code;
}

static int inherited_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
			   struct error *err)
{
	struct inherited *inherited = inherited_of(sink);
	int code = sink->parts == 0 ? put_header(inherited) : 0;

	if (!code)
		code = put(inherited, lines, bytes, written);
	if (code == 0)
		return 0;
	if (code == -EPIPE)
		return error__set(err, code, "the reader of %s went away", sink->name);
	if (code == -ECANCELED)
		return error__set(err, code, "stopped while the reader of %s did not read",
				  sink->name);
	return error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code));
}

static void inherited_close(struct sink *sink)
{
	struct inherited *inherited = inherited_of(sink);

	if (inherited->is_ours && inherited->fd >= 0)
		close(inherited->fd);
}

static const struct sink_ops inherited_ops = {.write = inherited_write, .close = inherited_close};

/* A description of our own that never waits: the inherited one is shared with others, who do not
 * expect that. A socket has none. */
static void stop_waiting(struct inherited *inherited)
{
	struct stat status;
	char path[32];
	int fd;

	if (fstat(inherited->fd, &status) == 0 && S_ISSOCK(status.st_mode)) {
		inherited->sink.effort.is_socket = true;
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", inherited->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	inherited_close(&inherited->sink);
	inherited->fd = fd;
	inherited->is_ours = true;
}

static int open_named(struct inherited *inherited, const char *path, struct error *err)
{
	/* It is only written to: whoever could read it too would be its own reader. */
	const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	int code;

	inherited->fd = open(path, flags | O_NONBLOCK);
	if (inherited->fd < 0 && errno == ENXIO) {
		log__info("waiting for a reader of '%s'", path);
		inherited->fd = open(path, flags);
	}
	if (inherited->fd >= 0) {
		inherited->is_ours = true;
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

int sink_inherited__open(const char *path, struct sink **sink, struct error *err)
{
	struct inherited *inherited = calloc(1, sizeof(*inherited));
	int code = 0;

	if (!inherited)
		return error__set(err, -ENOMEM, "out of memory");
	inherited->fd = STDOUT_FILENO;
	inherited->sink.ops = &inherited_ops;
	snprintf(inherited->sink.name, PATH_MAX, "%s", path ? path : "standard output");
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
		stop_waiting(inherited);
	*sink = &inherited->sink;
	return 0;
}
