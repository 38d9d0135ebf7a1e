// SPDX-License-Identifier: BSD-2-Clause
#include "common/host_port.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/parse.h"

/* getaddrinfo reduces a number above 65535 modulo 65536, so it is refused here. A port may also be
 * a service name, which getaddrinfo looks up. */
static bool is_port(const char *text)
{
	uint64_t number;
	int code = parse__u64(text, 0, 65535, &number);

	return text[0] && code != -ERANGE;
}

int host_port__split(const char *text, struct host_port *address)
{
	const char *colon = strrchr(text, ':');
	size_t bytes;

	if (!colon || colon == text || !is_port(colon + 1))
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
