// SPDX-License-Identifier: BSD-2-Clause
#include "common/tcp_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/parse.h"

int tcp_listener__split(const char *text, struct host_port *address)
{
	uint64_t number;

	*address = (struct host_port){.host = "127.0.0.1", .port = text};
	return strchr(text, ':') ? host_port__split(text, address)
				 : parse__u64(text, 0, 65535, &number);
}

static int listen_at(const struct addrinfo *at, int backlog)
{
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, code;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, backlog) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
	const struct in_addr *four = &((const struct sockaddr_in *)address)->sin_addr;

	if (address->ss_family == AF_INET)
		return ntohl(four->s_addr) >> 24 == 127;
	if (address->ss_family != AF_INET6)
		return false;
	return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
}

static void learn_name(struct tcp_listener *listener)
{
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(listener->fd, (struct sockaddr *)&address, &size) == 0)
		getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
			    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	listener->is_loopback = is_loopback(&address);
	snprintf(listener->name, sizeof(listener->name),
		 strchr(host, ':') ? "[%.250s]:%.10s" : "%.250s:%.10s", host, port);
}

int tcp_listener__open(struct tcp_listener *listener, const struct host_port *address, int backlog,
		       struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(address->host, address->port, &hints, &found);

	if (code)
		return error__set(err, -EADDRNOTAVAIL, "%s", gai_strerror(code));
	listener->fd = listen_at(found, backlog);
	freeaddrinfo(found);
	if (listener->fd < 0)
		return error__set(err, listener->fd, "%s", strerror(-listener->fd));
	learn_name(listener);
	return 0;
}
