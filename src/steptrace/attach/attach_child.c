// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/attach_child.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS_IN_MESSAGE = 128, CLOSERS_MAX = 32 };

/* The first message of the child. The messages after it carry the descriptors. */
struct report {
	ssize_t made; /* how many descriptors, or negative errno */
	struct error err;
};

/* ---- sending descriptors through a socket */

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(FDS_IN_MESSAGE * sizeof(int))];
};

static void message_init(struct msghdr *message, struct iovec *byte, union control *control)
{
	static char content; /* a message without any would be the end of the stream */

	*byte = (struct iovec){&content, 1};
	*message = (struct msghdr){.msg_iov = byte,
				   .msg_iovlen = 1,
				   .msg_control = control->bytes,
				   .msg_controllen = sizeof(control->bytes)};
}

static int send_fds(int socket, int *fds, size_t count)
{
	union control control;
	struct msghdr message;
	struct iovec byte;

	memset(&control, 0, sizeof(control));
	message_init(&message, &byte, &control);
	message.msg_controllen = CMSG_SPACE(count * sizeof(*fds));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(*fds));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(*fds));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_fds(int socket, int *fds, size_t count)
{
	union control control;
	struct msghdr message;
	struct iovec byte;

	message_init(&message, &byte, &control);
	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	if (message.msg_controllen < sizeof(control.header) ||
	    control.header.cmsg_len != CMSG_LEN(count * sizeof(*fds)))
		return -EMFILE; /* our table of descriptors is full: the kernel left some out */
	memcpy(fds, CMSG_DATA(&control.header), count * sizeof(*fds));
	return 0;
}

/* Sends or receives them in as many messages as it takes. */
static int in_messages(int (*move)(int socket, int *fds, size_t count), int socket, int *fds,
		       size_t count)
{
	int code = 0;

	for (size_t at = 0; at < count && !code; at += FDS_IN_MESSAGE) {
		size_t left = count - at;

		code = move(socket, fds + at, left < FDS_IN_MESSAGE ? left : FDS_IN_MESSAGE);
	}
	return code;
}

/* ---- making in a child */

_Noreturn static void make_and_send(int socket, attach_child_make_fn *make, void *context, int *fds,
				    size_t max)
{
	struct report report = {.err = {""}};

	report.made = make(context, fds, max, &report.err);
	if (send(socket, &report, sizeof(report), MSG_NOSIGNAL) == sizeof(report) &&
	    report.made > 0)
		in_messages(send_fds, socket, fds, (size_t)report.made);
	_exit(0); /* this closes the descriptors that the tracer did not receive */
}

static ssize_t receive(int socket, int *fds, size_t max, struct error *err)
{
	struct report report;
	int code;

	if (recv(socket, &report, sizeof(report), 0) != sizeof(report))
		return error__set(err, -EIO,
				  "the child process that attaches the probes was killed");
	if (report.made < 0)
		return error__set(err, (int)report.made, "%s", report.err.text);
	for (size_t i = 0; i < max; i++)
		fds[i] = -1;
	code = in_messages(receive_fds, socket, fds, (size_t)report.made);
	if (code == 0)
		return report.made;
	attach_child__await(attach_child__close(fds, max));
	return error__set(err, code, "cannot hold so many probes open: %s", strerror(-code));
}

ssize_t attach_child__make(attach_child_make_fn *make, void *context, int *fds, size_t max,
			   struct error *err)
{
	int sockets[2];
	ssize_t made;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		made = -errno;
		return error__set(err, (int)made, "cannot attach: %s", strerror(errno));
	}
	child = fork();
	if (child == 0)
		make_and_send(sockets[1], make, context, fds, max);
	close(sockets[1]);
	if (child > 0)
		made = receive(sockets[0], fds, max, err);
	else
		made = error__set(err, -EAGAIN,
				  "cannot attach: the child process that attaches the probes "
				  "cannot be started");
	close(sockets[0]);
	attach_child__await(child);
	return made;
}

/* ---- closing in a child */

static void *close_one(void *fd)
{
	close((int)(intptr_t)fd);
	return NULL;
}

static void await_all(pthread_t *threads, size_t *count)
{
	while (*count > 0)
		pthread_join(threads[--*count], NULL);
}

/* One thread for each descriptor: close() of a link waits for all processors, and so they wait at
 * the same time. */
static void close_in_parallel(const int *fds, size_t count)
{
	pthread_t threads[CLOSERS_MAX];
	size_t running = 0;

	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		if (running == CLOSERS_MAX)
			await_all(threads, &running);
		if (pthread_create(&threads[running], NULL, close_one, (void *)(intptr_t)fds[i]))
			close(fds[i]);
		else
			running++;
	}
	await_all(threads, &running);
}

static size_t count_open(const int *fds, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += fds[i] >= 0;
	return open;
}

/*
 * Waits until this child is the only process that has the descriptors open: the tracer closes its
 * copies and then its end of the socket, or it dies.
 */
_Noreturn static void close_and_exit(const int sockets[2], const int *fds, size_t count)
{
	char unused;

	close(sockets[0]);
	while (recv(sockets[1], &unused, 1, 0) < 0 && errno == EINTR)
		continue;
	close_in_parallel(fds, count);
	_exit(0);
}

pid_t attach_child__close(int *fds, size_t count)
{
	int sockets[2];
	pid_t child = -1;

	if (count_open(fds, count) == 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0) {
		child = fork();
		if (child == 0)
			close_and_exit(sockets, fds, count);
		close(sockets[1]);
	}
	for (size_t i = 0; i < count && child > 0; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (child > 0)
		close(sockets[0]);
	else
		close_in_parallel(fds, count); /* without a child: here */
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	return child > 0 ? child : 0;
}

void attach_child__await(pid_t child)
{
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}
