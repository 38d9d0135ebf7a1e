/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a terminal that the program writes to. */
#ifndef STEPTRACE_COMMON_TERMINAL_H
#define STEPTRACE_COMMON_TERMINAL_H

#include <stdbool.h>

/* How many columns the terminal has, if it says so, else `otherwise`. 0: `fd` is not a terminal. */
unsigned int terminal__columns(int fd, unsigned int otherwise);

/* Whether terminals get colours: the environment variable NO_COLOR is not set or empty
 * (no-color.org), and TERM is not "dumb". */
bool terminal__wants_colours(void);

#endif
