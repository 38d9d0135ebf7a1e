// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

int descriptor__await(int fd, short events, int give_up_fd)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = give_up_fd, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return -ECANCELED;
	}
}

int descriptor__write(int fd, const char *bytes, size_t count, int give_up_fd, size_t *written)
{
	*written = 0;
	while (*written < count) {
		ssize_t done = write(fd, bytes + *written, count - *written);
		int code;

		if (done > 0)
			*written += (size_t)done;
		if (done >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		code = descriptor__await(fd, POLLOUT, give_up_fd);
		if (code)
			return code;
	}
	return 0;
}

size_t descriptor__whole_lines(const char *lines, size_t bytes)
{
	while (bytes > 0 && lines[bytes - 1] != '\n')
		bytes--;
	return bytes;
}

void descriptor__take_back(int fd, size_t bytes)
{
	struct stat status;

	if (bytes == 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    status.st_size < (off_t)bytes)
		return;
	if (ftruncate(fd, status.st_size - (off_t)bytes))
		return; /* nothing more can be done about it */
}
