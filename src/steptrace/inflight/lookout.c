// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/lookout.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOP_ATTEMPTS = 400 };

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
				  "cannot start the process that looks for open commands: %s",
				  strerror(errno));
		lookout->child = 0;
	}
	close(sockets[1]);
	lookout->fd = sockets[0];
	return code;
}

size_t lookout_message__bytes(uint32_t kind)
{
	switch (kind) {
	case LOOKOUT_OVERDUE: return sizeof(struct lookout_message);
	case LOOKOUT_STATE:
	case LOOKOUT_LOOKED:
		return offsetof(struct lookout_message, state) + sizeof(struct lookout_state);
	case LOOKOUT_OPEN: return offsetof(struct lookout_message, open) + sizeof(struct open_item);
	case LOOKOUT_BLIND: return offsetof(struct lookout_message, blind_pid) + sizeof(uint32_t);
	default: return 0;
	}
}

#define ENDS(text) (memchr(text, 0, sizeof(text)) != NULL)

static bool state_is_valid(const struct lookout_state *state)
{
	return ENDS(state->failure.text) && ENDS(state->broken.text) && ENDS(state->no_times.text);
}

static bool item_is_valid(const struct open_item *item)
{
	return ENDS(item->slug) && ENDS(item->user_id) && ENDS(item->request_source) &&
	       ENDS(item->step_type) && ENDS(item->step_name);
}

static bool is_valid(const struct lookout_message *message, ssize_t bytes)
{
	if (bytes < (ssize_t)sizeof(message->kind) ||
	    (size_t)bytes != lookout_message__bytes(message->kind))
		return false;
	if (message->kind == LOOKOUT_OVERDUE)
		return open_row__is_valid(&message->overdue.row);
	if (message->kind == LOOKOUT_OPEN)
		return item_is_valid(&message->open);
	if (message->kind == LOOKOUT_BLIND)
		return true;
	return state_is_valid(&message->state);
}

bool lookout__ask(struct lookout *lookout, bool is_whole)
{
	const char question = is_whole ? LOOKOUT_ASK_WHOLE : LOOKOUT_ASK;

	return send(lookout->fd, &question, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

enum lookout_kind lookout__next(struct lookout *lookout, struct lookout_message *message)
{
	ssize_t bytes = recv(lookout->fd, message, sizeof(*message), MSG_DONTWAIT);

	if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
		return LOOKOUT_NOTHING;
	return is_valid(message, bytes) ? (enum lookout_kind)message->kind : LOOKOUT_ENDED;
}

/*
 * The signal is not permitted while the child has not given up root yet. The end of the socket ends
 * a child that waits until there is room for a message; messages that were sent can still be read.
 * A child that does not end, because the kernel lets it wait for a page, ends with the tracer
 * (child_process__end_with).
 */
void lookout__stop(struct lookout *lookout)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	if (lookout->child <= 0)
		return;
	shutdown(lookout->fd, SHUT_RDWR);
	for (int i = 0; i < STOP_ATTEMPTS; i++) {
		kill(lookout->child, SIGKILL);
		if (waitpid(lookout->child, NULL, WNOHANG) != 0)
			break;
		nanosleep(&pause, NULL);
	}
	lookout->child = 0;
}

void lookout__close(struct lookout *lookout)
{
	lookout__stop(lookout);
	if (lookout->fd >= 0)
		close(lookout->fd);
	lookout->fd = -1;
}
