// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_last_line(const struct sink *sink, off_t size, struct error *err)
{
	char last;

	if (size == 0 || pread(sink->fd, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return error__set(
		err, -EINVAL,
		"'%s' does not end with a whole line: it was cut off, or is no event file "
		"(choose another file, or remove its last line)",
		sink->name);
}

static int open_file(struct sink *sink, const char *path, struct error *err)
{
	const int flags = O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	struct stat status;
	int code;

	/* A pipe or device is only written to: whoever could read it too would be its own reader. */
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		sink->fd = open(path, O_WRONLY | flags);
	else
		sink->fd = open(path, O_RDWR | O_CREAT | flags, 0640);
	if (sink->fd >= 0)
		return 0;
	code = -errno;
	if (code == -ELOOP)
		return error__set(err, code, "'%s' is a symbolic link: name the file itself", path);
	return error__set(err, code, "cannot write to '%s': %s", path, strerror(-code));
}

/* A description of our own that never waits: the inherited one is shared with others, who do not
 * expect that. A socket has none; there a write may wait. */
static void stop_waiting(struct sink *sink)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", sink->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	sink__close(sink);
	sink->fd = fd;
	sink->close_at_end = true;
}

int sink__open(struct sink *sink, const char *path, struct error *err)
{
	struct stat status;
	int code = 0;

	*sink = (struct sink){.fd = STDOUT_FILENO, .patience_ms = -1};
	snprintf(sink->name, sizeof(sink->name), "standard output");
	if (path && strcmp(path, "-") != 0) {
		snprintf(sink->name, sizeof(sink->name), "%s", path);
		code = open_file(sink, path, err);
		sink->close_at_end = code == 0;
	}
	if (code)
		return code;
	if (fstat(sink->fd, &status)) {
		code = -errno;
		return error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code));
	}
	sink->is_file = S_ISREG(status.st_mode);
	if (!sink->is_file)
		stop_waiting(sink);
	else if (sink->close_at_end)
		code = check_last_line(sink, status.st_size, err);
	if (code)
		sink__close(sink);
	return code;
}

void sink__close(struct sink *sink)
{
	if (sink->close_at_end && sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
}

/* Waits until a pipe or terminal takes bytes, or it is time to stop. */
static int wait_writable(const struct sink *sink, const struct wakeups *wakeups)
{
	struct pollfd fds[3] = {{.fd = sink->fd, .events = POLLOUT},
				{.fd = wakeups->signal_fd, .events = POLLIN},
				{.fd = wakeups->deadline_fd, .events = POLLIN}};

	for (;;) {
		int count = poll(fds, 3, sink->patience_ms);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count == 0)
			return -ECANCELED;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents || fds[2].revents)
			return -ECANCELED;
	}
}

static int write_some(const struct sink *sink, const char *bytes, size_t count,
		      const struct wakeups *wakeups, size_t *written)
{
	while (*written < count) {
		size_t chunk = count - *written;
		ssize_t done;
		int code;

		done = write(sink->fd, bytes + *written, chunk);
		if (done > 0)
			*written += (size_t)done;
		if (done >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		code = wait_writable(sink, wakeups);
		if (code)
			return code;
	}
	return 0;
}

static size_t whole_lines(const char *lines, size_t bytes)
{
	while (bytes > 0 && lines[bytes - 1] != '\n')
		bytes--;
	return bytes;
}

/* Takes back the part of a line that still went in before the disk was full. */
static void take_back(const struct sink *sink, size_t torn_bytes)
{
	struct stat status;

	if (!sink->is_file || torn_bytes == 0 || fstat(sink->fd, &status) ||
	    status.st_size < (off_t)torn_bytes)
		return;
	if (ftruncate(sink->fd, status.st_size - (off_t)torn_bytes))
		return; /* nothing more can be done about it */
}

int sink__write(struct sink *sink, const char *lines, size_t bytes, const struct wakeups *wakeups,
		size_t *written, struct error *err)
{
	size_t out = 0;
	int code;

	code = write_some(sink, lines, bytes, wakeups, &out);
	*written = out;
	if (code == 0)
		return 0;
	*written = whole_lines(lines, out);
	take_back(sink, out - *written);
	if (code == -EPIPE)
		return error__set(err, code, "the reader of %s went away", sink->name);
	if (code == -ECANCELED)
		return error__set(err, code, "stopped while the reader of %s did not read",
				  sink->name);
	return error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code));
}
