// SPDX-License-Identifier: BSD-2-Clause
/*
 * A socket. Connects, and connects again whenever the connection breaks, with growing pauses. When
 * a connection breaks within a line, the next one begins with that line. Whole lines before it that
 * the other side has not acknowledged are lost (see connection.h).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/output/away.h"
#include "steptrace/output/connection.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/peer.h"
#include "steptrace/output/sink.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 5000 };

#define LASTING_NS 1000000000ull /* a connection of this age resets the pause */

struct socket_sink {
	struct sink sink; /* its name is the text of -o */
	struct peer peer;
	struct connection connection;
	struct connection_options options;
	struct tls_identity *identity; /* owned; NULL: plain */
	size_t line_bytes;             /* whole lines that this connection was given */
	uint64_t connected_ns;         /* the last time */
	int pause_ms;                  /* before the next attempt */
	bool was_root;                 /* when it was opened */
	struct away away;
};

static struct socket_sink *socket_of(struct sink *sink)
{
	return (struct socket_sink *)sink;
}

/* ---- messages */

/* A socket that root may open is not open to the user that the tracer has become. */
static void log_reason(const struct socket_sink *socket, int code, const char *why)
{
	if (code != -EACCES && code != -EPERM)
		log__info("%s cannot be reached (%s); trying again", socket->sink.name, why);
	else if (socket->was_root && geteuid() != 0)
		log__info(
			"%s cannot be reached (%s): steptrace has given up root and tries as user "
			"%u; trying again",
			socket->sink.name, why, geteuid());
	else
		log__info("%s cannot be reached (%s): steptrace tries as user %u; trying again",
			  socket->sink.name, why, geteuid());
}

static void log_away(struct socket_sink *socket, int code, const struct error *why)
{
	if (away__begin(&socket->away, why))
		log_reason(socket, code, why->text);
}

static void log_connected(struct socket_sink *socket)
{
	if (away__end(&socket->away))
		log__info("%s is connected", socket->sink.name);
}

/* ---- connections */

/* Of the whole lines that the connection was given. `torn_bytes`: the beginning of a line behind
 * them. */
static size_t untaken_bytes(const struct socket_sink *socket, size_t torn_bytes)
{
	size_t bytes = connection__untaken_bytes(&socket->connection);

	bytes = bytes > torn_bytes ? bytes - torn_bytes : 0;
	return bytes < socket->line_bytes ? bytes : socket->line_bytes;
}

static void hang_up(struct socket_sink *socket, size_t torn_bytes)
{
	socket->sink.lost_bytes = untaken_bytes(socket, torn_bytes);
	connection__close(&socket->connection);
	socket->line_bytes = 0;
	socket->sink.write_state.is_connection = false;
	peer__begin_again(&socket->peer);
}

static int try_once(struct socket_sink *socket, struct error *why)
{
	int give_up_fd = socket->sink.write_state.give_up_fd;
	const struct address *address;
	int code = peer__next(&socket->peer, give_up_fd, &address);

	if (!code)
		code = connection__open(&socket->connection, address, &socket->options, give_up_fd,
					why);
	socket->sink.write_state.is_connection = code == 0;
	return code;
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

static int put(struct socket_sink *socket, const char *bytes, size_t count, size_t *written,
	       struct error *why)
{
	return connection__write(&socket->connection, bytes, count, &socket->sink.write_state,
				 written, why);
}

static int put_header(struct sink *sink, const char *header, size_t count)
{
	struct error why;
	size_t written;

	return put(socket_of(sink), header, count, &written, &why);
}

/* 0: connected, and the header is written. */
static int connect_once(struct socket_sink *socket)
{
	struct error why = {""};
	int code = try_once(socket, &why);

	if (code == 0) {
		code = sink__put_header(&socket->sink, put_header);
		if (code)
			error__set(&why, code, "%s", strerror(-code));
	}
	if (code == 0 || code == -ECANCELED)
		return code;
	if (socket->connection.fd >= 0)
		hang_up(socket, 0);
	log_away(socket, code, &why);
	return code;
}

/* Tries until there is a connection. 0; or -ECANCELED: the output was given up. After connections
 * that did not last there is a pause before the next one, longer each time. */
static int connect_again(struct socket_sink *socket)
{
	int code, pause_ms;

	if (clock__now_ns() - socket->connected_ns >= LASTING_NS)
		socket->pause_ms = 0;
	for (pause_ms = socket->pause_ms;; pause_ms = longer(pause_ms)) {
		code = pause_for(socket, pause_ms);
		if (!code)
			code = connect_once(socket);
		if (code == 0 || code == -ECANCELED)
			break;
	}
	socket->pause_ms = longer(socket->pause_ms);
	socket->connected_ns = clock__now_ns();
	if (code == 0)
		log_connected(socket);
	return code;
}

/* ---- the sink */

static void socket_on_readable(struct sink *sink)
{
	struct socket_sink *socket = socket_of(sink);
	struct error why = {""};
	int code;

	if (socket->connection.fd < 0)
		return;
	code = connection__ignore_input(&socket->connection, &why);
	if (!code)
		return;
	log_away(socket, code, &why);
	hang_up(socket, 0);
}

static int canceled(const struct socket_sink *socket, struct error *err)
{
	return error__set(err, -ECANCELED,
			  socket->away.is_away ? "stopped because %s could not be reached"
					       : "stopped because the reader of %s did not read",
			  socket->sink.name);
}

/* -EAGAIN: the connection broke, and the rest has to be written to the next one. */
static int socket_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
			struct error *err)
{
	struct socket_sink *socket = socket_of(sink);
	struct error why = {""};
	size_t out = 0;
	int code = 0;

	socket_on_readable(sink);
	if (sink->lost_bytes)
		return -EAGAIN;
	if (socket->connection.fd < 0)
		code = connect_again(socket);
	if (!code)
		code = put(socket, lines, bytes, &out, &why);
	*written = code ? descriptor__whole_lines(lines, out) : bytes;
	socket->line_bytes += *written;
	if (code == 0)
		return 0;
	if (code == -ECANCELED)
		return canceled(socket, err);
	log_away(socket, code, &why);
	hang_up(socket, out - *written);
	return -EAGAIN;
}

static size_t socket_untaken_bytes(const struct sink *sink)
{
	return untaken_bytes((const struct socket_sink *)sink, 0);
}

static int socket_watched_fd(const struct sink *sink)
{
	return ((const struct socket_sink *)sink)->connection.fd;
}

static void socket_close(struct sink *sink)
{
	struct socket_sink *socket = socket_of(sink);

	connection__close(&socket->connection);
	peer__close(&socket->peer);
	tls_identity__close(socket->identity);
}

static const struct sink_ops socket_ops = {
	.write = socket_write,
	.untaken_bytes = socket_untaken_bytes,
	.watched_fd = socket_watched_fd,
	.on_readable = socket_on_readable,
	.close = socket_close,
};

/* ---- opening */

typedef int find_peer(struct peer *peer, const char *where, struct error *err);

static int open_tls(struct socket_sink *socket, const struct tls_files *files, struct error *err)
{
	socket->identity = tls_identity__open(files, err);
	socket->options.identity = socket->identity;
	return socket->identity ? 0 : -EINVAL;
}

static int open_socket(const struct sink_options *options, find_peer *find, bool is_tls,
		       struct sink **sink, struct error *err)
{
	struct socket_sink *socket = calloc(1, sizeof(*socket));
	int code;

	if (!socket)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&socket->sink, &socket_ops, options->where);
	socket->sink.write_state.is_socket = true;
	socket->connection.fd = -1;
	socket->was_root = geteuid() == 0;
	socket->options.timeout_ns = options->tcp_timeout_ns;
	socket->options.host = socket->peer.named.host;
	code = find(&socket->peer, options->where, err);
	if (!code && is_tls)
		code = open_tls(socket, &options->tls, err);
	if (code) {
		socket_close(&socket->sink);
		free(socket);
		return code;
	}
	*sink = &socket->sink;
	return 0;
}

int sink_socket__open_unix(const struct sink_options *options, struct sink **sink,
			   struct error *err)
{
	return open_socket(options, peer__find_unix, false, sink, err);
}

int sink_socket__open_tcp(const struct sink_options *options, struct sink **sink, struct error *err)
{
	return open_socket(options, peer__find_host, false, sink, err);
}

int sink_socket__open_tls(const struct sink_options *options, struct sink **sink, struct error *err)
{
	return open_socket(options, peer__find_host, true, sink, err);
}
