// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/lookout.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int lookout__start(struct lookout *lookout, const struct lookout_options *options,
		   struct error *err)
{
	pid_t tracer = getpid();
	int sockets[2], code = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error__set(err, -errno, "cannot make a socket: %s", strerror(errno));
	lookout->child = fork();
	if (lookout->child == 0)
		lookout_child__run(sockets[1], options, tracer);
	if (lookout->child < 0) {
		code = error__set(err, -errno,
				  "cannot start the process that looks for overdue "
				  "commands: %s",
				  strerror(errno));
		lookout->child = 0;
	}
	close(sockets[1]);
	lookout->fd = sockets[0];
	return code;
}

static bool is_valid(const struct lookout_message *message, ssize_t bytes)
{
	if (bytes != sizeof(*message))
		return false;
	if (message->kind == LOOKOUT_OVERDUE)
		return open_row__is_valid(&message->overdue.row);
	return message->kind == LOOKOUT_STATE &&
	       memchr(message->state.failure.text, 0, ERROR_TEXT_BYTES) &&
	       memchr(message->state.no_times.text, 0, ERROR_TEXT_BYTES);
}

enum lookout_kind lookout__next(struct lookout *lookout, struct lookout_message *message)
{
	ssize_t bytes = recv(lookout->fd, message, sizeof(*message), MSG_DONTWAIT);

	if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
		return LOOKOUT_NOTHING;
	return is_valid(message, bytes) ? (enum lookout_kind)message->kind : LOOKOUT_ENDED;
}

/* The signal is not permitted while the child has not given up root yet. Then it ends when it sees
 * the end of the socket. */
void lookout__stop(struct lookout *lookout)
{
	if (lookout->child <= 0)
		return;
	shutdown(lookout->fd, SHUT_WR);
	kill(lookout->child, SIGKILL);
	while (waitpid(lookout->child, NULL, 0) < 0 && errno == EINTR)
		continue;
	lookout->child = 0;
}

void lookout__close(struct lookout *lookout)
{
	lookout__stop(lookout);
	if (lookout->fd >= 0)
		close(lookout->fd);
	lookout->fd = -1;
}
