// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/rotation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/output/gzip.h"

enum { NUMBERS_MAX = 100000 };

bool rotation__name(char name[4096], const char *path, unsigned int number)
{
	size_t bytes = strlen(path);
	const char *ending = gzip__is_named(path) ? ".gz" : "";

	return snprintf(name, 4096, "%.*s.%u%s", (int)(bytes - strlen(ending)), path, number,
			ending) < 4096;
}

/* The numbers of former files without a hole, from 1, up to `keep`. */
static unsigned int count_moved(const char *path, unsigned int keep)
{
	unsigned int count = 0;
	char name[4096];

	while (count < (keep ? keep : NUMBERS_MAX) && rotation__name(name, path, count + 1) &&
	       access(name, F_OK) == 0)
		count++;
	return count;
}

int rotation__move(const char *path, unsigned int keep)
{
	unsigned int count = count_moved(path, keep);
	char from[4096], to[4096];

	if (!rotation__name(to, path, NUMBERS_MAX))
		return -ENAMETOOLONG;
	if (keep && count == keep)
		count--; /* the oldest one is overwritten */
	for (; count > 0; count--) {
		rotation__name(from, path, count);
		rotation__name(to, path, count + 1);
		if (rename(from, to))
			return -errno;
	}
	rotation__name(to, path, 1);
	return rename(path, to) ? -errno : 0;
}
