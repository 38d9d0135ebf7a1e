// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/authorities.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES_MAX = 8 << 20 };

static int read_whole(const char *path, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t bytes = 0;
	ssize_t got = -1;

	*text = fd >= 0 ? malloc(BYTES_MAX + 1) : NULL;
	if (!*text) {
		got = -errno;
		if (fd >= 0)
			close(fd);
		return (int)got;
	}
	while (bytes < BYTES_MAX && (got = read(fd, *text + bytes, BYTES_MAX - bytes)) > 0)
		bytes += (size_t)got;
	got = got < 0 ? -errno : 0;
	close(fd);
	(*text)[bytes] = 0;
	return (int)got;
}

int authorities__read(const char *given, const char *system, const char *option, char **text,
		      struct error *err)
{
	const char *path = given ? given : system;
	int code = read_whole(path, text);

	if (code && !given)
		return error__set(err, code,
				  "the system has no certificates of authorities (install "
				  "ca-certificates, or give %s)",
				  option);
	if (code)
		return error__set(err, code, "cannot read certificates from '%s': %s", path,
				  strerror(-code));
	if (!strstr(*text, "-----BEGIN CERTIFICATE-----"))
		return error__set(err, -EINVAL,
				  "cannot read certificates from '%s': it contains none", path);
	return 0;
}
