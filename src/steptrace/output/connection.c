// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A peer that sends without end must not keep the thread from writing, or from ending. */
enum { CONNECT_MS = 5000, READS_AT_ONCE = 64 };

static int fail(struct error *why, int code)
{
	return error__set(why, code, "%s", strerror(-code));
}

/* ---- connecting */

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

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* TCP_USER_TIMEOUT is for what was sent and is not acknowledged. An idle connection is probed, so
 * that a peer that is gone is noticed there, too. */
static void limit_silence(int fd, uint64_t timeout_ns)
{
	int seconds = (int)(timeout_ns / 1000000000u / 3);

	if (timeout_ns == 0)
		return;
	seconds = seconds ? seconds : 1;
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(timeout_ns / 1000000u));
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static int connect_to(const struct address *address, const struct connection_options *options,
		      int give_up_fd)
{
	int family = address->bytes.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), code = 0;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		limit_silence(fd, options->timeout_ns);
	if (connect(fd, (const struct sockaddr *)&address->bytes, address->size))
		code = errno == EINPROGRESS ? await_connected(fd, give_up_fd) : -errno;
	if (code)
		close(fd);
	return code ? code : fd;
}

int connection__open(struct connection *connection, const struct address *address,
		     const struct connection_options *options, int give_up_fd, struct error *why)
{
	int fd = connect_to(address, options, give_up_fd), code = 0;

	*connection = (struct connection){.fd = -1};
	if (fd < 0)
		return fail(why, fd);
	if (options->identity)
		code = tls_session__open(options->identity, options->host, fd, give_up_fd,
					 &connection->tls, why);
	if (code) {
		close(fd);
		return code;
	}
	connection->fd = fd;
	return 0;
}

void connection__close(struct connection *connection)
{
	tls_session__close(connection->tls);
	if (connection->fd >= 0)
		close(connection->fd);
	*connection = (struct connection){.fd = -1};
}

/* ---- writing */

static int write_tls(struct connection *connection, const char *bytes, size_t count,
		     struct write_state *state, size_t *written)
{
	*written = 0;
	while (*written < count) {
		ssize_t done =
			tls_session__write(connection->tls, bytes + *written, count - *written);
		int code;

		if (done >= 0) {
			*written += (size_t)done;
			state->written_bytes += (unsigned long long)done;
			continue;
		}
		if (done != -EAGAIN)
			return (int)done;
		code = descriptor__await(connection->fd, tls_session__events(connection->tls),
					 state->give_up_fd);
		if (code)
			return code;
	}
	return 0;
}

int connection__write(struct connection *connection, const char *bytes, size_t count,
		      struct write_state *state, size_t *written, struct error *why)
{
	int code = connection->tls
			   ? write_tls(connection, bytes, count, state, written)
			   : descriptor__write(connection->fd, bytes, count, state, written);

	if (code == -EPROTO && connection->tls)
		return error__set(why, code, "TLS: %s", tls_session__reason(connection->tls));
	return code ? fail(why, code) : 0;
}

/* ---- reading */

/* At the end of file the connection is closed: the peer may have closed only its sending half, but
 * waiting to find out would lose lines. */
int connection__ignore_input(struct connection *connection, struct error *why)
{
	char bytes[256];
	ssize_t got = 1;

	if (connection->tls) {
		for (int i = 0; i < READS_AT_ONCE && got > 0; i++)
			got = tls_session__read(connection->tls, bytes, sizeof(bytes));
		if (got > 0)
			return 0;
		if (got == -EPROTO)
			return error__set(why, -EPROTO, "TLS: %s",
					  tls_session__reason(connection->tls));
		return got == -EAGAIN ? 0 : fail(why, got == 0 ? -EPIPE : (int)got);
	}
	for (int i = 0; i < READS_AT_ONCE && got > 0; i++)
		got = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	return fail(why, got == 0 ? -EPIPE : -errno);
}

static bool is_tcp(int fd)
{
	int family = AF_UNIX;
	socklen_t size = sizeof(family);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family != AF_UNIX;
}

size_t connection__untaken_bytes(const struct connection *connection)
{
	int bytes = 0;

	if (connection->fd < 0 || !is_tcp(connection->fd) ||
	    ioctl(connection->fd, SIOCOUTQ, &bytes) || bytes < 0)
		return 0;
	return (size_t)bytes;
}
