// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/clock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/parse.h"
#include "runner/value/time_text.h"

enum { FILE_BYTES = 128 };

#define LAST_US 253402300799999999 /* of the year 9999 */

static int64_t to_us(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

static int read_file(const char *path, char text[FILE_BYTES], int64_t *written_us,
		     struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;
	ssize_t bytes;

	if (fd < 0 || fstat(fd, &file) || (bytes = read(fd, text, FILE_BYTES - 1)) < 0) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return error__set(err, code, "cannot read the clock '%s': %s", path,
				  strerror(-code));
	}
	close(fd);
	text[bytes] = 0;
	*written_us = to_us(&file.st_mtim);
	return 0;
}

static int not_a_clock(const char *path, struct error *err)
{
	return error__set(err, -EINVAL,
			  "the clock '%s' does not hold a time and a rate, as in "
			  "2025-03-30T00:59:00Z 60",
			  path);
}

/* Times are written with years of four digits, from 1970 on. */
static int move(int64_t shown_us, int64_t passed_us, int64_t rate, int64_t *now_us)
{
	if (__builtin_mul_overflow(passed_us, rate, &passed_us) ||
	    __builtin_add_overflow(shown_us, passed_us, now_us) || *now_us < 0 || *now_us > LAST_US)
		return -ERANGE;
	return 0;
}

/* A process has one clock file. */
static _Atomic int64_t last_us;

int clock_file__now(const char *path, int64_t *now_us, struct error *err)
{
	char text[FILE_BYTES], *time_text, *rate_text, *rest = NULL;
	int64_t written_us = 0, shown_us = 0;
	struct timespec now;
	uint64_t rate = 0;
	int code = read_file(path, text, &written_us, err);

	if (code)
		return code;
	if (strlen(text) == FILE_BYTES - 1) /* its end was not read */
		return not_a_clock(path, err);
	time_text = strtok_r(text, " \n", &rest);
	rate_text = strtok_r(NULL, " \n", &rest);
	if (!rate_text || strtok_r(NULL, " \n", &rest) ||
	    parse__u64(rate_text, 0, CLOCK_FILE_RATE_MAX, &rate) ||
	    time_text__read(time_text, &shown_us))
		return not_a_clock(path, err);
	clock_gettime(CLOCK_REALTIME, &now);
	if (move(shown_us, to_us(&now) - written_us, (int64_t)rate, now_us))
		return error__set(err, -ERANGE,
				  "the clock '%s' shows a time before 1970 or after 9999", path);
	last_us = *now_us;
	return 0;
}

int64_t clock_file__last_us(void)
{
	return last_us;
}
