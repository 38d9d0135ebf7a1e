// SPDX-License-Identifier: BSD-2-Clause
#include "common/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/printable.h"

enum { LOG_LINE_BYTES = 2048 };

static const char *program_name = "steptrace";

void log__init(const char *program)
{
	int fd;

	program_name = program;
	do /* O_RDONLY: a write to a standard output that was closed still fails with EBADF */
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The threads of outputs read it. */
static atomic_bool waits = true;

void log__do_not_wait(void)
{
	waits = false;
}

bool log__is_stuck(void)
{
	struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};

	return !waits && poll(&reader, 1, 0) == 0;
}

static void say(const char *level, const char *format, va_list args)
{
	char line[LOG_LINE_BYTES], shown[LOG_LINE_BYTES];

	if (log__is_stuck())
		return;
	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "%s: %s%s\n", program_name, level, printable__to(shown, line));
}

void log__error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void log__warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void log__info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}
