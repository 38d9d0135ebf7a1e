// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/exec_hold.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd_message.h"
#include "common/log.h"
#include "steptrace/attach/exec_holder.h"
#include "steptrace/attach/exec_marks.h"

/* Execs wait from the first mark on, so the holder is ready before. */
static int await_holder(int socket, int fanotify_fd)
{
	char ready;
	int marked;

	if (recv(socket, &ready, 1, 0) != 1)
		return -EPERM;
	marked = exec_marks__add(fanotify_fd);
	return marked < 0 ? marked : 0;
}

static int start_holder(struct exec_hold *hold, int fanotify_fd, const struct capture *capture)
{
	pid_t tracer = getpid();
	int sockets[2], code;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	hold->holder = fork();
	if (hold->holder == 0)
		exec_holder__run(fanotify_fd, sockets[1], capture, tracer);
	code = hold->holder < 0 ? -errno : 0;
	close(sockets[1]);
	hold->fd = sockets[0];
	if (!code)
		code = await_holder(hold->fd, fanotify_fd);
	if (code)
		exec_hold__stop(hold);
	return code;
}

/* The descriptor that remains is the holder's. */
int exec_hold__start(struct exec_hold *hold, const struct capture *capture)
{
	int fanotify_fd = exec_marks__open(), code;

	*hold = (struct exec_hold){.holder = 0};
	if (fanotify_fd < 0)
		return fanotify_fd;
	code = start_holder(hold, fanotify_fd, capture);
	close(fanotify_fd);
	return code;
}

/* Other children of the tracer have the socket open, too, so closing it would not be enough. The
 * signal also ends a holder that is stopped. Where it is not permitted, the message does. */
void exec_hold__stop(struct exec_hold *hold)
{
	const uint64_t ends = HOLD_ENDS;

	if (hold->holder == 0)
		return;
	send(hold->fd, &ends, sizeof(ends), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (hold->holder > 0)
		kill(hold->holder, SIGKILL);
	close(hold->fd);
	while (hold->holder > 0 && waitpid(hold->holder, NULL, 0) < 0 && errno == EINTR)
		continue;
	*hold = (struct exec_hold){.holder = 0};
}

/* WNOWAIT: exec_hold__stop() sends a signal to this pid, so it must not be free yet. */
void exec_hold__look_after(struct exec_hold *hold)
{
	siginfo_t state = {.si_pid = 0};

	if (hold->holder <= 0 ||
	    waitid(P_PID, (id_t)hold->holder, &state, WEXITED | WSTOPPED | WNOHANG | WNOWAIT))
		return;
	if (state.si_pid == 0)
		return;
	log__warn("the process '%s' was stopped or killed: programs of the command do not wait "
		  "any more until their probes are attached",
		  EXEC_HOLDER_NAME);
	exec_hold__stop(hold);
}

/* The descriptor of the program; -1: there was no room for it. */
static int take_file(int *fds, size_t count)
{
	while (count > 1)
		close(fds[--count]);
	return count ? fds[0] : -1;
}

bool exec_hold__next(struct exec_hold *hold, struct held_exec *exec)
{
	struct hold_question question = {.id = 0};
	int fds[FD_MESSAGE_FDS_MAX];
	size_t count;
	ssize_t bytes;

	if (hold->holder == 0)
		return false;
	bytes = fd_message__try_receive(hold->fd, &question, sizeof(question), fds, &count);
	if (bytes == 0)
		exec_hold__look_after(hold); /* the holder was killed */
	exec->file_fd = take_file(fds, count);
	if (bytes != sizeof(question) && bytes != -EMFILE) {
		if (exec->file_fd >= 0)
			close(exec->file_fd);
		return false;
	}
	exec->id = question.id;
	exec->until_ns = hold->answered_ns + HOLD_MAX_MS * 1000000ull;
	if (exec->until_ns < question.until_ns)
		exec->until_ns = question.until_ns;
	exec->pid = question.pid;
	return true;
}

void exec_hold__let_go(struct exec_hold *hold, const struct held_exec *exec)
{
	hold->answered_ns = clock__now_ns();
	if (hold->holder)
		send(hold->fd, &exec->id, sizeof(exec->id), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int exec_hold__check(void)
{
	int fd = exec_marks__open(), code;

	if (fd < 0)
		return fd;
	code = exec_marks__try(fd);
	close(fd);
	return code;
}
