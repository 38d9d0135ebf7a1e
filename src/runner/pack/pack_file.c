// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/utf8.h"

/* Before Linux 5.6 there is no openat2(2): then no symbolic link is followed. O_NONBLOCK: opening a
 * FIFO does not wait for a writer. */
static int open_beneath(int folder, const char *name)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH};
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(folder, name, flags | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int open_file(const char *directory, const char *name, struct file_problem *problem)
{
	int folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = folder < 0 ? -errno : open_beneath(folder, name);
	struct stat status;

	if (folder >= 0)
		close(folder);
	if (fd == -EXDEV || fd == -ELOOP)
		return file_problem__set(problem, -EINVAL, 0, 0,
					 "a symbolic link that leads out of the pack");
	if (fd < 0)
		return file_problem__set(problem, fd, 0, 0, "cannot be read: %s", strerror(-fd));
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return file_problem__set(problem, -EINVAL, 0, 0, "not a regular file");
}

/* One byte more than the limit is read, to notice a longer file. Returns how many, or negative
 * errno. */
static ssize_t read_bytes(int fd, char *text, size_t bytes_max)
{
	size_t done = 0;
	ssize_t result;

	do {
		result = read(fd, text + done, bytes_max + 1 - done);
		if (result < 0 && errno != EINTR)
			return -errno;
		if (result > 0)
			done += (size_t)result;
	} while (result != 0 && done <= bytes_max);
	return (ssize_t)done;
}

/* ---- what the text is */

struct place {
	unsigned int line, column; /* from 1; a column is a code point */
};

/* The size of the character at `at`; 0: it is a NUL, or not valid UTF-8. */
static int size_of(const uint8_t *at, const uint8_t *end)
{
	if (*at == 0)
		return 0;
	return *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);
}

static int check(const char *text, size_t bytes, struct file_problem *problem)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + bytes;
	struct place place = {1, 1};

	for (int size; at < end; at += size) {
		size = size_of(at, end);
		if (size == 0)
			return file_problem__set(problem, -EINVAL, place.line, place.column, "%s",
						 *at ? "not valid UTF-8"
						     : "a NUL character is not text");
		place.column++;
		if (*at == '\n')
			place = (struct place){place.line + 1, 1};
	}
	return 0;
}

static void skip_mark(char *text, size_t *bytes)
{
	if (*bytes < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0)
		return;
	*bytes -= 3;
	memmove(text, text + 3, *bytes);
}

int pack_file__read(const char *directory, const char *name, size_t bytes_max, char **text,
		    size_t *bytes, struct file_problem *problem)
{
	int fd = open_file(directory, name, problem), code = 0;
	ssize_t count;

	*text = NULL;
	*bytes = 0;
	if (fd < 0)
		return fd;
	*text = malloc(bytes_max + 2);
	count = *text ? read_bytes(fd, *text, bytes_max) : -ENOMEM;
	close(fd);
	if (count < 0)
		code = file_problem__set(problem, (int)count, 0, 0, "cannot be read: %s",
					 strerror((int)-count));
	else if ((size_t)count > bytes_max)
		code = file_problem__set(problem, -E2BIG, 0, 0, "larger than %zu bytes", bytes_max);
	if (!code) {
		*bytes = (size_t)count;
		skip_mark(*text, bytes);
		(*text)[*bytes] = 0;
		code = check(*text, *bytes, problem);
	}
	if (!code)
		return 0;
	free(*text);
	*text = NULL;
	return code;
}
