// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/text_width.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "common/terminal.h"
#include "steptrace/stream/text_line.h"

/* The descriptor that `-o WHERE` names; -1: it is not one that the tracer was given. */
static int descriptor_of(const char *where)
{
	static const char prefix[] = "/dev/fd/";
	uint64_t number;

	if (!where || strcmp(where, "-") == 0 || strcmp(where, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(where, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strncmp(where, prefix, sizeof(prefix) - 1) != 0 ||
	    parse__u64(where + sizeof(prefix) - 1, 0, INT_MAX, &number))
		return -1;
	return (int)number;
}

/* 0: not a terminal. */
static unsigned int columns_of_terminal(const char *where)
{
	int fd = descriptor_of(where);

	return fd < 0 ? 0 : terminal__columns(fd, TEXT_COLUMNS);
}

unsigned int text_width__columns(const struct output_options *outputs, size_t count)
{
	unsigned int narrowest = count ? UINT_MAX : 0;

	for (size_t i = 0; i < count; i++) {
		unsigned int columns = columns_of_terminal(outputs[i].sink.where);

		narrowest = columns < narrowest ? columns : narrowest;
	}
	return narrowest;
}
