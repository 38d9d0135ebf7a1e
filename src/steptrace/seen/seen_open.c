// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/seen/seen_open.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

int seen_open__start(struct seen_open *seen, struct error *err)
{
	pid_t parent = getpid(), child;
	int sockets[2], code = 0;

	*seen = (struct seen_open){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error__set(err, -errno, "cannot make a socket: %s", strerror(errno));
	child = fork();
	if (child == 0)
		seen_child__run(sockets[1], parent);
	if (child < 0)
		code = error__set(err, -errno, "cannot start the process that attaches: %s",
				  strerror(errno));
	close(sockets[1]);
	seen->fd = sockets[0];
	return code;
}

/* Whether the child says something, or ends, within SEEN_PATIENCE_MS. Signals do not shorten that:
 * an answer comes at once. */
static bool says_something(const struct seen_open *seen)
{
	struct pollfd child = {.fd = seen->fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&child, 1, SEEN_PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* The end of the socket tells the child to end. The child closes its own when it has detached. A
 * child that is stopped ends when it continues. */
void seen_open__close(struct seen_open *seen)
{
	char byte;

	if (seen->fd >= 0) {
		shutdown(seen->fd, SHUT_WR);
		while (says_something(seen) && recv(seen->fd, &byte, 1, 0) > 0)
			continue;
		close(seen->fd);
	}
	free(seen->commands);
	free(seen->steps);
	*seen = (struct seen_open){.fd = -1};
}

/* ---- messages */

size_t seen_message__bytes(uint32_t kind)
{
	const size_t head = offsetof(struct seen_message, failure);

	switch (kind) {
	case SEEN_ATTACHED:
	case SEEN_OVER: return head;
	case SEEN_END: return head + sizeof(uint64_t);
	case SEEN_FAILED: return head + sizeof(struct error);
	case SEEN_COMMAND: return head + sizeof(struct open_command);
	case SEEN_STEP: return head + sizeof(struct open_step);
	default: return 0;
	}
}

#define ENDS(text) (memchr(text, 0, sizeof(text)) != NULL)

static bool is_valid(const struct seen_message *message, ssize_t bytes)
{
	const struct open_command *command = &message->command;
	const struct open_step *step = &message->step;

	if (bytes < (ssize_t)sizeof(message->kind) ||
	    (size_t)bytes != seen_message__bytes(message->kind))
		return false;
	switch (message->kind) {
	case SEEN_FAILED: return ENDS(message->failure.text);
	case SEEN_COMMAND:
		return ENDS(command->slug) && ENDS(command->user_id) &&
		       ENDS(command->request_source) && ENDS(command->correlation_id);
	case SEEN_STEP: return ENDS(step->type) && ENDS(step->name);
	default: return true;
	}
}

/* 0 or negative errno with a sentence. */
static int receive(const struct seen_open *seen, struct seen_message *message, struct error *err)
{
	ssize_t bytes;

	do
		bytes = recv(seen->fd, message, sizeof(*message), 0);
	while (bytes < 0 && errno == EINTR);
	if (!is_valid(message, bytes))
		return error__set(err, -EPIPE, "the process '%s' has ended", SEEN_CHILD_NAME);
	if (message->kind != SEEN_FAILED)
		return 0;
	*err = message->failure;
	if (!err->text[0])
		error__set(err, -EIO, "the process '%s' has failed", SEEN_CHILD_NAME);
	return -EIO;
}

/* ---- questions */

int seen_open__attach(struct seen_open *seen, const pid_t *pids, size_t count, bool no_children,
		      struct error *err)
{
	struct seen_targets *targets = &seen->targets;
	struct seen_message message;
	int code;

	targets->no_children = no_children;
	targets->pids_count = count < TARGETS_MAX ? count : TARGETS_MAX;
	memcpy(targets->pids, pids, targets->pids_count * sizeof(targets->pids[0]));
	if (send(seen->fd, targets, sizeof(*targets), MSG_NOSIGNAL) < 0)
		return error__set(err, -errno, "the process '%s' has ended", SEEN_CHILD_NAME);
	code = receive(seen, &message, err);
	if (!code)
		seen->attached_ns = clock__now_ns();
	return code;
}

/* Room for one more; NULL: there is no memory. */
static void *one_more(void **items, size_t count, size_t *room, size_t item_bytes)
{
	if (count == *room) {
		size_t larger = *room ? 2 * *room : 64;
		void *moved = realloc(*items, larger * item_bytes);

		if (!moved)
			return NULL;
		*items = moved;
		*room = larger;
	}
	return (char *)*items + count * item_bytes;
}

static void take_command(struct seen_open *seen, const struct seen_message *message)
{
	struct seen_command *command = one_more((void **)&seen->commands, seen->commands_count,
						&seen->commands_room, sizeof(*command));

	if (command) {
		*command = (struct seen_command){message->pid, message->command};
		seen->commands_count++;
	}
	seen->left_out += command == NULL;
}

static void take_step(struct seen_open *seen, const struct seen_message *message)
{
	struct seen_step *step = one_more((void **)&seen->steps, seen->steps_count,
					  &seen->steps_room, sizeof(*step));

	if (step) {
		*step = (struct seen_step){message->pid, message->step};
		seen->steps_count++;
	}
	seen->left_out += step == NULL;
}

int seen_open__ask(struct seen_open *seen, struct error *err)
{
	struct seen_message message;
	int code;

	seen->commands_count = seen->steps_count = 0;
	seen->left_out = 0;
	if (seen->is_over)
		return 0;
	send(seen->fd, "?", 1, MSG_NOSIGNAL); /* what it said before it ended can still be read */
	do {
		code = says_something(seen)
			       ? receive(seen, &message, err)
			       : error__set(err, -ETIMEDOUT, "the process '%s' does not answer",
					    SEEN_CHILD_NAME);
		if (!code && message.kind == SEEN_COMMAND)
			take_command(seen, &message);
		if (!code && message.kind == SEEN_STEP)
			take_step(seen, &message);
	} while (!code && message.kind < SEEN_END);
	if (!code && message.kind == SEEN_END)
		seen->lost = message.lost;
	seen->is_over = !code && message.kind == SEEN_OVER;
	return code;
}

/* ---- the answer */

/* The child follows forks. So it also sees a process whose parent has ended. */
static bool has_command(const struct seen_open *seen, pid_t pid)
{
	for (size_t i = 0; i < seen->commands_count; i++)
		if (seen->commands[i].pid == pid)
			return true;
	return false;
}

static bool is_attached(void *context, pid_t pid)
{
	const struct seen_open *seen = context;

	for (size_t i = 0; i < seen->targets.pids_count; i++)
		if (seen->targets.pids[i] == pid)
			return true;
	return has_command(seen, pid);
}

static void add_spans(void *context, pid_t pid, struct open_spans *spans)
{
	const struct seen_open *seen = context;

	for (size_t i = 0; i < seen->commands_count; i++)
		if (seen->commands[i].pid == pid)
			open_spans__add_command(spans, &seen->commands[i].command);
	for (size_t i = 0; i < seen->steps_count; i++)
		if (seen->steps[i].pid == pid)
			open_spans__add_step(spans, &seen->steps[i].step);
}

struct seen_source seen_open__source(struct seen_open *seen)
{
	return (struct seen_source){is_attached, add_spans, seen, seen->attached_ns};
}
