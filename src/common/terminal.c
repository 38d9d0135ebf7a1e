// SPDX-License-Identifier: BSD-2-Clause
#include "common/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned int terminal__columns(int fd, unsigned int otherwise)
{
	struct winsize size = {.ws_col = 0};

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col == 0)
		return otherwise;
	return size.ws_col;
}

bool terminal__wants_colours(void)
{
	const char *refusal = getenv("NO_COLOR"), *kind = getenv("TERM");

	return !(refusal && refusal[0]) && !(kind && strcmp(kind, "dumb") == 0);
}
