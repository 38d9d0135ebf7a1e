// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/peer.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/un.h>

/* What follows the "unix:" or "tcp:". */
static const char *rest_of(const char *where)
{
	return strchr(where, ':') + 1;
}

/* ---- a path */

int peer__check_unix(const char *where, struct error *err)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	size_t bytes = strlen(rest_of(where));

	if (bytes == 0 || bytes >= room)
		return error__set(err, -EINVAL, "'%s': the path of a socket has 1 to %zu bytes",
				  where, room - 1);
	return 0;
}

int peer__find_unix(struct peer *peer, const char *where, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int code = peer__check_unix(where, err);

	if (code)
		return code;
	memcpy(address.sun_path, rest_of(where), strlen(rest_of(where)));
	memcpy(&peer->addresses.items[0].bytes, &address, sizeof(address));
	peer->addresses.items[0].size = sizeof(address);
	peer->addresses.count = 1;
	return 0;
}

/* ---- a host */

static int split(const char *where, struct host_port *named, struct error *err)
{
	if (host_port__split(rest_of(where), named) == 0)
		return 0;
	return error__set(err, -EINVAL,
			  "'%s' is not %.3s:HOST:PORT (write an IPv6 address in brackets; the "
			  "largest port is 65535)",
			  where, where);
}

int peer__check_host(const char *where, struct error *err)
{
	struct host_port named;

	return split(where, &named, err);
}

static bool is_numeric(const char *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, NULL, &hints, &found))
		return false;
	freeaddrinfo(found);
	return true;
}

int peer__find_host(struct peer *peer, const char *where, struct error *err)
{
	int code = split(where, &peer->named, err);

	if (code)
		return code;
	code = address_list__find(&peer->addresses, &peer->named);
	if (code)
		return error__set(err, -EADDRNOTAVAIL, "cannot resolve '%s': %s", where,
				  gai_strerror(code));
	peer->is_fresh = true;
	if (is_numeric(peer->named.host))
		return 0;
	peer->resolver = resolver__start();
	return peer->resolver
		       ? 0
		       : error__set(err, -EAGAIN, "cannot start a process that looks up '%s' again",
				    peer->named.host);
}

void peer__close(struct peer *peer)
{
	resolver__close(peer->resolver);
	peer->resolver = NULL;
}

/* ---- taking turns */

/* When the lookup fails, the former addresses stay. */
static int look_up_again(struct peer *peer, int give_up_fd)
{
	int code = peer->resolver ? resolver__ask(peer->resolver, &peer->named, &peer->addresses,
						  give_up_fd)
				  : 0;

	return code == -ECANCELED ? code : 0;
}

int peer__next(struct peer *peer, int give_up_fd, const struct address **address)
{
	int code = 0;

	if (peer->next >= peer->addresses.count)
		peer->next = 0;
	if (peer->next == 0 && !peer->is_fresh)
		code = look_up_again(peer, give_up_fd);
	peer->is_fresh = false;
	*address = &peer->addresses.items[peer->next++];
	return code;
}

void peer__begin_again(struct peer *peer)
{
	peer->next = 0;
}
