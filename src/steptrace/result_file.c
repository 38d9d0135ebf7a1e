// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool result_file__is_stdout(const struct result_file *file)
{
	return !file->path || strcmp(file->path, "-") == 0;
}

int result_file__open(struct result_file *file, const char *path, struct error *err)
{
	*file = (struct result_file){path, STDOUT_FILENO};
	if (result_file__is_stdout(file))
		return 0;
	file->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	return file->fd < 0 ? error__set(err, -errno, "cannot open '%s' for writing: %s", path,
					 strerror(errno))
			    : 0;
}

/* Standard output may be one that does not wait, because another process made it so. */
static int wait_for_room(int fd)
{
	struct pollfd output = {.fd = fd, .events = POLLOUT};

	return poll(&output, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t written = write(fd, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			int code = wait_for_room(fd);

			if (code)
				return code;
			continue;
		}
		if (written < 0)
			return -errno;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

/* What is no regular file cannot be truncated. */
static int empty(const struct result_file *file)
{
	if (result_file__is_stdout(file) || ftruncate(file->fd, 0) == 0)
		return 0;
	return errno == EINVAL ? 0 : -errno;
}

int result_file__write(struct result_file *file, const char *bytes, size_t count, struct error *err)
{
	const char *name = result_file__is_stdout(file) ? "standard output" : file->path;
	int code = empty(file);

	if (!code)
		code = write_all(file->fd, bytes, count);
	if (!result_file__is_stdout(file) && close(file->fd) && !code)
		code = -errno;
	return code ? error__set(err, code, "cannot write to '%s': %s", name, strerror(-code)) : 0;
}
