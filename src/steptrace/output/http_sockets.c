// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/http_sockets.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

void http_sockets__init(struct http_sockets *sockets)
{
	for (int i = 0; i < HTTP_SOCKETS_MAX; i++)
		sockets->fds[i] = -1;
}

int http_sockets__open(struct http_sockets *sockets, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	for (int i = 0; i < HTTP_SOCKETS_MAX && fd >= 0; i++)
		if (sockets->fds[i] < 0) {
			sockets->fds[i] = fd;
			break;
		}
	return fd;
}

int http_sockets__close(struct http_sockets *sockets, int fd)
{
	for (int i = 0; i < HTTP_SOCKETS_MAX; i++)
		if (sockets->fds[i] == fd)
			sockets->fds[i] = -1;
	return close(fd);
}

uint64_t http_sockets__bytes(const struct http_sockets *sockets)
{
	uint64_t bytes = 0;

	for (int i = 0; i < HTTP_SOCKETS_MAX; i++) {
		struct tcp_info about = {.tcpi_state = 0};
		socklen_t size = sizeof(about);

		if (sockets->fds[i] >= 0 &&
		    getsockopt(sockets->fds[i], IPPROTO_TCP, TCP_INFO, &about, &size) == 0)
			bytes += about.tcpi_bytes_acked + about.tcpi_bytes_received;
	}
	return bytes;
}
