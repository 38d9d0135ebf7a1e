// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd_message.h"

enum { STOP_ATTEMPTS = 400 };

/* ---- readers */

/* False: nothing came within the time. Signals do not make it longer. */
static bool says_something(int fd, int patience_ms)
{
	uint64_t end_ns = clock__now_ns() + (uint64_t)patience_ms * 1000000;
	struct pollfd other = {.fd = fd, .events = POLLIN};
	uint64_t now_ns;
	int ready;

	do {
		now_ns = clock__now_ns();
		ready = poll(&other, 1,
			     now_ns < end_ns ? (int)((end_ns - now_ns) / 1000000) + 1 : 0);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

static void lose_reader(struct helper *helper)
{
	close(helper->reader_fd);
	helper->reader_fd = -1;
	helper->lost++;
}

/* The keeper ends the last reader, if there is one, and forks another one. */
static int fetch_reader(struct helper *helper)
{
	int fds[FD_MESSAGE_FDS_MAX];
	size_t count = 0;
	char byte = '+';

	if (send(helper->keeper_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
	    !says_something(helper->keeper_fd, helper->patience_ms) ||
	    fd_message__try_receive(helper->keeper_fd, &byte, 1, fds, &count) != 1)
		return -EPIPE;
	if (count != 1) {
		while (count > 0)
			close(fds[--count]);
		return -EPIPE;
	}
	helper->reader_fd = fds[0];
	helper->generation++;
	return 0;
}

/* Another question to it would take as long. */
static void lose_keeper(struct helper *helper)
{
	close(helper->keeper_fd);
	helper->keeper_fd = -1;
	helper->lost++;
}

/* It ended between two questions: no file is to blame. */
static bool has_ended(int fd)
{
	struct pollfd other = {.fd = fd};

	return poll(&other, 1, 0) > 0 && other.revents & (POLLHUP | POLLERR);
}

static bool has_reader(struct helper *helper)
{
	if (helper->reader_fd >= 0)
		return true;
	if (helper->keeper_fd < 0 || helper->lost >= HELPER_LOST_MAX)
		return false;
	if (fetch_reader(helper) == 0)
		return true;
	lose_keeper(helper);
	return false;
}

bool helper__is_ready(struct helper *helper)
{
	if (helper->reader_fd >= 0 && has_ended(helper->reader_fd))
		lose_reader(helper);
	return has_reader(helper);
}

/* ---- questions */

static bool is_answered(struct helper *helper, const struct helper_question *question,
			int patience_ms)
{
	ssize_t bytes;

	if (!says_something(helper->reader_fd, patience_ms))
		return false;
	do
		bytes = recv(helper->reader_fd, helper->answer, sizeof(*helper->answer),
			     MSG_DONTWAIT | MSG_TRUNC);
	while (bytes < 0 && errno == EINTR);
	return bytes > 0 && (size_t)bytes <= sizeof(*helper->answer) &&
	       helper_answer__is_valid(helper->answer, (size_t)bytes, question);
}

int helper__ask(struct helper *helper, const struct helper_question *question, int fd,
		const struct helper_answer **answer)
{
	return helper__ask_within(helper, question, fd, helper->patience_ms, answer);
}

int helper__ask_within(struct helper *helper, const struct helper_question *question, int fd,
		       int patience_ms, const struct helper_answer **answer)
{
	if (!has_reader(helper))
		return -EPIPE;
	if (fd_message__try_send(helper->reader_fd, question, helper_question__bytes(question), &fd,
				 fd >= 0 ? 1 : 0) ||
	    !is_answered(helper, question, patience_ms)) {
		lose_reader(helper);
		return -EPIPE;
	}
	*answer = helper->answer;
	return 0;
}

/* ---- the keeper */

static int fork_keeper(struct helper *helper, struct error *err)
{
	pid_t tracer = getpid();
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return error__set(err, -errno, "cannot make a socket: %s", strerror(errno));
	helper->keeper = fork();
	if (helper->keeper == 0)
		helper_child__run(sockets[1], tracer);
	close(sockets[1]);
	helper->keeper_fd = sockets[0];
	if (helper->keeper > 0)
		return 0;
	helper->keeper = 0;
	return error__set(err, -errno, "cannot start the process that reads symbols: %s",
			  strerror(errno));
}

int helper__start(struct helper *helper, struct error *err)
{
	int code;

	*helper = (struct helper){
		.keeper_fd = -1, .reader_fd = -1, .patience_ms = HELPER_PATIENCE_MS};
	helper->answer = calloc(1, sizeof(*helper->answer));
	if (!helper->answer)
		return error__set(err, -ENOMEM, "out of memory");
	code = fork_keeper(helper, err);
	if (code || helper__is_ready(helper))
		return code;
	return error__set(err, -EPIPE, "the process '%s', which reads symbols, has ended",
			  HELPER_NAME);
}

/* The end of the socket ends the keeper. The signal is for a keeper that is stopped; it is not
 * permitted before the keeper has given up root. */
static void end_keeper(struct helper *helper)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < STOP_ATTEMPTS; i++) {
		if (waitpid(helper->keeper, NULL, WNOHANG) != 0)
			break;
		if (i > 0)
			kill(helper->keeper, SIGKILL);
		nanosleep(&pause, NULL);
	}
	helper->keeper = 0;
}

void helper__close(struct helper *helper)
{
	if (helper->reader_fd >= 0)
		close(helper->reader_fd);
	if (helper->keeper_fd >= 0)
		close(helper->keeper_fd);
	helper->reader_fd = helper->keeper_fd = -1;
	if (helper->keeper > 0)
		end_keeper(helper);
	free(helper->answer);
	helper->answer = NULL;
}
