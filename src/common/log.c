// SPDX-License-Identifier: BSD-2-Clause
#include "common/log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- messages that are kept */

static struct {
	pthread_mutex_t mutex;
	bool is_on, prints;
	unsigned long count;
	char *lines[LOG_HELD_MAX]; /* owned; the place is the number of the message */
} held = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void log__hold(void)
{
	pthread_mutex_lock(&held.mutex);
	held.is_on = true;
	held.prints = !isatty(STDERR_FILENO);
	pthread_mutex_unlock(&held.mutex);
}

/* Without memory, the message is left out. */
static void keep(const char *line)
{
	char **place = &held.lines[held.count % LOG_HELD_MAX];

	free(*place);
	*place = strdup(line);
	held.count++;
}

/* After log__do_not_wait(), stops where stderr would block. */
static void print_held(void)
{
	unsigned long first = held.count > LOG_HELD_MAX ? held.count - LOG_HELD_MAX : 0;

	if (first && !log__is_stuck())
		fprintf(stderr, "%s: %lu earlier messages are not shown\n", program_name, first);
	for (unsigned long i = first; i < held.count && !log__is_stuck(); i++)
		if (held.lines[i % LOG_HELD_MAX])
			fprintf(stderr, "%s: %s\n", program_name, held.lines[i % LOG_HELD_MAX]);
}

void log__release(void)
{
	pthread_mutex_lock(&held.mutex);
	if (held.is_on && !held.prints)
		print_held();
	for (int i = 0; i < LOG_HELD_MAX; i++) {
		free(held.lines[i]);
		held.lines[i] = NULL;
	}
	held.is_on = false;
	held.count = 0;
	pthread_mutex_unlock(&held.mutex);
}

unsigned long log__held(char *text, size_t bytes)
{
	unsigned long count;
	const char *newest;

	pthread_mutex_lock(&held.mutex);
	count = held.count;
	newest = count ? held.lines[(count - 1) % LOG_HELD_MAX] : NULL;
	snprintf(text, bytes, "%s", newest ? newest : "");
	pthread_mutex_unlock(&held.mutex);
	return count;
}

/* Whether the message has to be printed now, too. */
static bool hold_line(const char *line)
{
	bool prints;

	pthread_mutex_lock(&held.mutex);
	prints = !held.is_on || held.prints;
	if (held.is_on)
		keep(line);
	pthread_mutex_unlock(&held.mutex);
	return prints;
}

/* ---- messages */

static void say(const char *level, const char *format, va_list args)
{
	char text[LOG_LINE_BYTES], shown[LOG_LINE_BYTES], line[LOG_LINE_BYTES + 16];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(line, sizeof(line), "%s%s", level, printable__to(shown, text));
	if (hold_line(line) && !log__is_stuck())
		fprintf(stderr, "%s: %s\n", program_name, line);
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

static bool leaves_out_infos;

void log__leave_out_infos(void)
{
	leaves_out_infos = true;
}

void log__info(const char *format, ...)
{
	va_list args;

	if (leaves_out_infos)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}
