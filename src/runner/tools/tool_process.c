// SPDX-License-Identifier: BSD-2-Clause
#include "runner/tools/tool_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child_process.h"
#include "common/clock.h"

enum { CHUNK_BYTES = 65536, EXEC_FAILED = 127 };

struct running {
	pid_t pid;
	int out, errors; /* the ends for reading; -1: closed */
	int failure;     /* says why exec() failed; -1: closed */
};

/* ---- the child */

static void reset_signals(void)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &usual, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* `ends`: for stdout, for stderr, and for the errno of a failure, which exec() closes. */
_Noreturn static void become(const struct tool_program *program, const int ends[3], pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int code;

	setpgid(0, 0);
	reset_signals();
	if (!child_process__end_with(parent)) /* killed with steprun */
		_exit(EXEC_FAILED);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(ends[0], STDOUT_FILENO) < 0 ||
	    dup2(ends[1], STDERR_FILENO) < 0 || chdir(program->directory))
		goto failed;
	if (dup2(ends[2], STDERR_FILENO + 1) < 0 || fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC))
		goto failed;
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0u, 0);
	execve(program->argv[0], program->argv, program->env);
	code = errno;
	if (write(STDERR_FILENO + 1, &code, sizeof(code)) < 0)
		_exit(EXEC_FAILED);
	_exit(EXEC_FAILED);
failed:
	code = errno;
	if (write(ends[2], &code, sizeof(code)) < 0)
		_exit(EXEC_FAILED);
	_exit(EXEC_FAILED);
}

/* ---- starting */

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Pipes for stdout, stderr and a failure: the ends for reading, then those for writing. */
static int make_pipes(int fds[6])
{
	for (int i = 0; i < 6; i++)
		fds[i] = -1;
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC)) {
			int code = -errno;

			close_all(fds, 6);
			return code;
		}
		fds[i] = ends[0];
		fds[3 + i] = ends[1];
	}
	return 0;
}

static int start(const struct tool_program *program, struct running *running, struct error *err)
{
	int fds[6], code = make_pipes(fds), reason = 0;
	pid_t parent = getpid();

	if (code)
		return error__set(err, code, "cannot make a pipe: %s", strerror(-code));
	running->pid = fork();
	if (running->pid == 0)
		become(program, fds + 3, parent);
	code = running->pid < 0 ? -errno : 0;
	close_all(fds + 3, 3);
	if (!code && read(fds[2], &reason, sizeof(reason)) == sizeof(reason)) {
		waitpid(running->pid, NULL, 0);
		code = -reason;
	}
	close(fds[2]);
	if (code) {
		close_all(fds, 2);
		return error__set(err, code, "cannot start '%s': %s", program->argv[0],
				  strerror(-code));
	}
	setpgid(running->pid, running->pid); /* the child does the same: one of the two is first */
	running->out = fds[0];
	running->errors = fds[1];
	return 0;
}

/* ---- output */

/* -E2BIG: it is too long. */
static int take_output(int *fd, struct strbuf *text, size_t limit)
{
	char chunk[CHUNK_BYTES];
	ssize_t bytes = read(*fd, chunk, sizeof(chunk));

	if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (bytes <= 0) {
		close(*fd);
		*fd = -1;
		return 0;
	}
	if ((size_t)bytes > limit - text->length) {
		strbuf__bytes(text, chunk, limit - text->length);
		return -E2BIG;
	}
	return strbuf__bytes(text, chunk, (size_t)bytes);
}

/* False: the program has ended, or its group was killed, and all of its output was read. */
static int read_until(struct running *running, const struct tool_program *program,
		      struct tool_ended *ended, int process, uint64_t until_ns)
{
	bool is_running = true, has_more = true;
	int code = 0;

	/* When the program has ended, what it wrote is in the pipes. A process that left its group
	 * may hold them open. */
	while (!code && (is_running || has_more)) {
		struct pollfd fds[] = {{.fd = running->out, .events = POLLIN},
				       {.fd = running->errors, .events = POLLIN},
				       {.fd = is_running ? process : -1, .events = POLLIN}};
		int ready = poll(fds, 3, is_running ? DEADLINE_SLICE_MS : 0);

		code = deadline__check_wait(program->deadline, NULL);
		if (!code && clock__now_ns() >= until_ns)
			code = -ETIMEDOUT;
		has_more = ready > 0 || is_running;
		if (code || ready <= 0)
			continue;
		if (fds[0].revents)
			code = take_output(&running->out, &ended->out, program->output_bytes);
		if (!code && fds[1].revents)
			code = take_output(&running->errors, &ended->errors, program->output_bytes);
		if (fds[2].revents && is_running) { /* what it left behind holds the pipes */
			is_running = false;
			kill(-running->pid, SIGKILL);
		}
	}
	return code;
}

/* A status that cannot be read is no success. */
static int await(pid_t pid)
{
	int status = 0;
	pid_t ended;

	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return EXEC_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int tool_process__run(const struct tool_program *program, struct tool_ended *ended,
		      struct error *err)
{
	uint64_t until_ns = clock__now_ns() + (uint64_t)program->timeout_ms * 1000000;
	struct running running = {.out = -1, .errors = -1, .failure = -1};
	int process, code;

	*ended = (struct tool_ended){.exit_status = -1};
	strbuf__init(&ended->out, program->output_bytes);
	strbuf__init(&ended->errors, program->output_bytes);
	code = start(program, &running, err);
	if (code)
		return code;
	process = (int)syscall(SYS_pidfd_open, running.pid, 0);
	code = process < 0 ? -errno : read_until(&running, program, ended, process, until_ns);
	kill(-running.pid, SIGKILL);
	close_all((const int[]){running.out, running.errors, process}, 3);
	ended->exit_status = await(running.pid);
	return code;
}
