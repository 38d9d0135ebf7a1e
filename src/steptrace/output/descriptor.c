// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"

/* poll() reports room in a socket only when much of its buffer is free. So the write is tried again
 * after this time. */
enum { AGAIN_MS = 200 };

int descriptor__await(int fd, short events, int give_up_fd)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = give_up_fd, .events = POLLIN}};

	for (;;) {
		int ready = poll(fds, 2, AGAIN_MS);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0)
			return 0;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return -ECANCELED;
	}
}

static ssize_t put_some(int fd, const char *bytes, size_t count, const struct write_state *state)
{
	return state->is_socket ? send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL)
				: write(fd, bytes, count);
}

int descriptor__write(int fd, const char *bytes, size_t count, struct write_state *state,
		      size_t *written)
{
	*written = 0;
	while (*written < count) {
		ssize_t done = put_some(fd, bytes + *written, count - *written, state);
		int code;

		if (done > 0) {
			*written += (size_t)done;
			state->written_bytes += (unsigned long long)done;
		}
		if (done >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		code = descriptor__await(fd, POLLOUT, state->give_up_fd);
		if (code)
			return code;
	}
	return 0;
}

int descriptor__named(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
	uint64_t number;

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t bytes = strlen(folders[i]);

		if (strncmp(path, folders[i], bytes) == 0 &&
		    parse__u64(path + bytes, 0, INT_MAX, &number) == 0)
			return (int)number;
	}
	return -1;
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
		return; /* the incomplete line stays */
	/* Without O_APPEND the next write would leave a hole. */
	lseek(fd, -(off_t)bytes, SEEK_CUR);
}
