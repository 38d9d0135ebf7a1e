// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

bool fifo__is(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

size_t fifo__unread_bytes(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

ssize_t fifo__empty(int fd)
{
	char path[32], bytes[4096];
	ssize_t got, sum = 0;
	int reader;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (reader < 0)
		return -errno;
	while ((got = read(reader, bytes, sizeof(bytes))) > 0)
		sum += got;
	close(reader);
	return sum;
}
