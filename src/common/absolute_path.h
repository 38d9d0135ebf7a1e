/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STEPTRACE_COMMON_ABSOLUTE_PATH_H
#define STEPTRACE_COMMON_ABSOLUTE_PATH_H

#include <limits.h>

/* The path with the working directory in front of it, unless it begins with '/': "./one" and "one"
 * become "/home/mia/one". Symbolic links stay as they are. 0, or -ENAMETOOLONG or another negative
 * errno. */
int absolute_path__of(const char *path, char absolute[PATH_MAX]);

#endif
