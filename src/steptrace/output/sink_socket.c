// SPDX-License-Identifier: BSD-2-Clause
/*
 * A stream socket. Connects, and connects again whenever the connection breaks, with growing
 * pauses. When a connection breaks within a line, the next one begins with that line. Bytes that
 * the kernel accepted and the peer never read count as written.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host_port.h"
#include "common/log.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/sink.h"

enum { ADDRESSES_MAX = 8, FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 5000, CONNECT_MS = 5000 };

#define LASTING_NS 1000000000ull  /* a connection of this age resets the pause */
#define LOG_NS     10000000000ull /* between two messages that the peer cannot be reached */

struct address {
	struct sockaddr_storage bytes;
	socklen_t size;
};

struct socket_sink {
	struct sink sink; /* its name is the text of -o */
	struct address addresses[ADDRESSES_MAX];
	size_t addresses_count, next; /* next: the one to try */
	int fd;                       /* -1: not connected */
	uint64_t connected_ns;        /* the last time */
	int pause_ms;                 /* before the next attempt */
	bool is_away;                 /* the last attempt failed, or the connection broke */
	bool logged_away;             /* that was logged, so the next connection is logged, too */
	uint64_t logged_ns;           /* when it was logged last */
};

static struct socket_sink *socket_of(struct sink *sink)
{
	return (struct socket_sink *)sink;
}

/* ---- addresses */

static int find_unix(struct socket_sink *socket, const char *path, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!path[0] || strlen(path) >= sizeof(address.sun_path))
		return error__set(err, -EINVAL, "'%s': the path of a socket has 1 to %zu bytes",
				  socket->sink.name, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	memcpy(&socket->addresses[0].bytes, &address, sizeof(address));
	socket->addresses[0].size = sizeof(address);
	socket->addresses_count = 1;
	return 0;
}

static int find_tcp(struct socket_sink *socket, const char *text, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct host_port named;
	int code;

	if (host_port__split(text, &named))
		return error__set(
			err, -EINVAL,
			"'%s' is not tcp:HOST:PORT (write an IPv6 address in brackets; the largest "
			"port is 65535)",
			socket->sink.name);
	code = getaddrinfo(named.host, named.port, &hints, &found);
	if (code)
		return error__set(err, -EADDRNOTAVAIL, "cannot resolve '%s': %s", socket->sink.name,
				  gai_strerror(code));
	for (struct addrinfo *at = found; at && socket->addresses_count < ADDRESSES_MAX;
	     at = at->ai_next) {
		struct address *address = &socket->addresses[socket->addresses_count++];

		memcpy(&address->bytes, at->ai_addr, at->ai_addrlen);
		address->size = at->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

/* ---- connections */

/* Logged once in LOG_NS, because a peer may accept and close every moment. */
static void log_away(struct socket_sink *socket, int code)
{
	uint64_t now = clock__now_ns();

	if (!socket->is_away && now - socket->logged_ns >= LOG_NS) {
		log__info("%s cannot be reached (%s); trying again", socket->sink.name,
			  strerror(-code));
		socket->logged_ns = now;
		socket->logged_away = true;
	}
	socket->is_away = true;
}

static void log_connected(struct socket_sink *socket)
{
	if (socket->is_away && socket->logged_away)
		log__info("%s is connected", socket->sink.name);
	socket->is_away = socket->logged_away = false;
}

static void hang_up(struct socket_sink *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
	socket->sink.write_state.is_connection = false;
}

static int await_connected(int fd, int give_up_fd)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT},
				{.fd = give_up_fd, .events = POLLIN}};
	socklen_t size = sizeof(int);
	int code = 0;

	if (poll(fds, 2, CONNECT_MS) <= 0)
		return -ETIMEDOUT;
	if (fds[1].revents)
		return -ECANCELED;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size))
		return -errno;
	return -code;
}

/* Connects to the next of the addresses. 0 or negative errno. */
static int try_once(struct socket_sink *socket_sink)
{
	const struct address *address = &socket_sink->addresses[socket_sink->next];
	int family = address->bytes.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	int code = 0;

	socket_sink->next = (socket_sink->next + 1) % socket_sink->addresses_count;
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address->bytes, address->size))
		code = errno == EINPROGRESS
			       ? await_connected(fd, socket_sink->sink.write_state.give_up_fd)
			       : -errno;
	if (code) {
		close(fd);
		return code;
	}
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	socket_sink->fd = fd;
	socket_sink->sink.write_state.is_connection = true;
	return 0;
}

/* -ECANCELED: the output was given up. */
static int pause_for(const struct socket_sink *socket, int ms)
{
	struct pollfd fd = {.fd = socket->sink.write_state.give_up_fd, .events = POLLIN};

	return poll(&fd, 1, ms) > 0 ? -ECANCELED : 0;
}

static int longer(int pause_ms)
{
	if (pause_ms == 0)
		return FIRST_PAUSE_MS;
	return pause_ms < LONGEST_PAUSE_MS / 2 ? 2 * pause_ms : LONGEST_PAUSE_MS;
}

static int put(struct socket_sink *socket, const char *bytes, size_t count, size_t *written)
{
	return descriptor__write(socket->fd, bytes, count, &socket->sink.write_state, written);
}

static int put_header(struct sink *sink, const char *header, size_t count)
{
	size_t written;

	return put(socket_of(sink), header, count, &written);
}

/* Tries until there is a connection and its header is written. 0; or -ECANCELED: the output was
 * given up. After connections that did not last there is a pause before the next one, longer each
 * time. */
static int connect_again(struct socket_sink *socket)
{
	int code, pause_ms;

	if (clock__now_ns() - socket->connected_ns >= LASTING_NS)
		socket->pause_ms = 0;
	for (pause_ms = socket->pause_ms;; pause_ms = longer(pause_ms)) {
		code = pause_for(socket, pause_ms);
		if (code)
			return code;
		code = try_once(socket);
		if (code == 0)
			code = sink__put_header(&socket->sink, put_header);
		if (code == 0 || code == -ECANCELED)
			break;
		hang_up(socket);
		log_away(socket, code);
	}
	socket->pause_ms = longer(socket->pause_ms);
	socket->connected_ns = clock__now_ns();
	if (code == 0)
		log_connected(socket);
	return code;
}

/* Reads what the peer sent, and ignores it. At the end of file the connection is closed: the peer
 * may have closed only its sending half, but waiting to find out would lose lines. */
static void socket_on_readable(struct sink *sink)
{
	struct socket_sink *socket = socket_of(sink);
	char bytes[256];
	ssize_t got;

	if (socket->fd < 0)
		return;
	do
		got = recv(socket->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (got > 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	log_away(socket, got == 0 ? -EPIPE : -errno);
	hang_up(socket);
}

static int socket_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
			struct error *err)
{
	struct socket_sink *socket = socket_of(sink);

	do {
		size_t out = 0;
		int code = 0;

		socket_on_readable(sink);
		if (socket->fd < 0)
			code = connect_again(socket);
		if (!code)
			code = put(socket, lines + *written, bytes - *written, &out);
		if (code == 0)
			return *written = bytes, 0;
		*written += descriptor__whole_lines(lines + *written, out);
		if (code == -ECANCELED)
			return error__set(err, code,
					  socket->is_away
						  ? "stopped because %s could not be reached"
						  : "stopped because the reader of %s did not read",
					  sink->name);
		log_away(socket, code);
		hang_up(socket);
	} while (*written < bytes);
	return 0;
}

static int socket_watched_fd(const struct sink *sink)
{
	return ((const struct socket_sink *)sink)->fd;
}

static void socket_close(struct sink *sink)
{
	hang_up(socket_of(sink));
}

static const struct sink_ops socket_ops = {
	.write = socket_write,
	.watched_fd = socket_watched_fd,
	.on_readable = socket_on_readable,
	.close = socket_close,
};

typedef int find_addresses(struct socket_sink *socket, const char *text, struct error *err);

static int open_socket(const char *where, find_addresses *find, struct sink **sink,
		       struct error *err)
{
	struct socket_sink *socket = calloc(1, sizeof(*socket));
	int code;

	if (!socket)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&socket->sink, &socket_ops, where);
	socket->fd = -1;
	code = find(socket, strchr(where, ':') + 1, err);
	if (code) {
		free(socket);
		return code;
	}
	*sink = &socket->sink;
	return 0;
}

int sink_socket__open_unix(const struct sink_options *options, struct sink **sink,
			   struct error *err)
{
	return open_socket(options->where, find_unix, sink, err);
}

int sink_socket__open_tcp(const struct sink_options *options, struct sink **sink, struct error *err)
{
	return open_socket(options->where, find_tcp, sink, err);
}
