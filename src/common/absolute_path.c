// SPDX-License-Identifier: BSD-2-Clause
#include "common/absolute_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Behind all "./" and "/" in front of it. */
static const char *without_dots(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		path += 1 + strspn(path + 1, "/");
	return path;
}

int absolute_path__of(const char *path, char absolute[PATH_MAX])
{
	char folder[PATH_MAX];
	int bytes;

	if (path[0] == '/')
		bytes = snprintf(absolute, PATH_MAX, "%s", path);
	else if (!getcwd(folder, sizeof(folder)))
		return -errno;
	else
		bytes = snprintf(absolute, PATH_MAX, "%s/%s", strcmp(folder, "/") ? folder : "",
				 without_dots(path));
	return bytes < PATH_MAX ? 0 : -ENAMETOOLONG;
}
