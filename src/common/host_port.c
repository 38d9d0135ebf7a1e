// SPDX-License-Identifier: BSD-2-Clause
#include "common/host_port.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int host_port__split(const char *text, struct host_port *address)
{
	const char *colon = strrchr(text, ':');
	size_t bytes;

	if (!colon || colon == text || !colon[1])
		return -EINVAL;
	bytes = (size_t)(colon - text);
	if (text[0] == '[') {
		if (bytes < 3 || colon[-1] != ']')
			return -EINVAL;
		text++;
		bytes -= 2;
	} else if (memchr(text, ':', bytes)) {
		return -EINVAL;
	}
	if (bytes >= sizeof(address->host))
		return -EINVAL;
	memcpy(address->host, text, bytes);
	address->host[bytes] = 0;
	address->port = colon + 1;
	return 0;
}
