// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/traced_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/absolute_path.h"
#include "common/printable.h"

static int is_program(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || access(path, X_OK))
		return -EACCES;
	return 0;
}

static int search_path(const char *name, char path[PATH_MAX])
{
	const char *at = getenv("PATH");
	int found = -ENOENT;

	while (at && *at) {
		size_t bytes = strcspn(at, ":");
		int used = snprintf(path, PATH_MAX, "%.*s%s%s", (int)bytes, at, bytes ? "/" : "./",
				    name);
		int code = used < PATH_MAX ? is_program(path) : -ENAMETOOLONG;

		if (code == 0)
			return 0;
		if (code == -EACCES)
			found = code;
		at += bytes + (at[bytes] == ':');
	}
	return found;
}

static int resolve(const char *name, char path[PATH_MAX], struct error *err)
{
	int code;

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		code = is_program(path);
	} else {
		code = search_path(name, path);
	}
	if (code == 0)
		return 0;
	return error__set(err, code, "cannot run '%s': %s", name,
			  code == -ENOENT ? "no such program" : strerror(-code));
}

/* Signal dispositions, signal mask and limits are those with which steptrace was started. */
_Noreturn static void run(const char *path, char *const argv[], int go_fd, bool stdout_to_stderr)
{
	char go, shown[2 * PATH_MAX];
	int code;

	if (stdout_to_stderr && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	if (read(go_fd, &go, 1) != 1)
		_exit(127);
	execv(path, argv);
	code = errno;
	dprintf(STDERR_FILENO, "steptrace: cannot run '%s': %s\n", printable__to(shown, path),
		strerror(code));
	_exit(code == ENOENT ? 127 : 126);
}

/* For events. The child executes the path as it was named: a script sees it as its $0. */
static void name_absolutely(struct traced_command *command)
{
	char absolute[PATH_MAX];

	if (absolute_path__of(command->path, absolute) == 0)
		snprintf(command->path, sizeof(command->path), "%s", absolute);
}

int traced_command__start(struct traced_command *command, char *const argv[], bool stdout_to_stderr,
			  struct error *err)
{
	int pipe_fds[2];
	pid_t pid;
	int code;

	code = resolve(argv[0], command->path, err);
	if (code)
		return code;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return error__set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(pipe_fds[1]);
		run(command->path, argv, pipe_fds[0], stdout_to_stderr);
	}
	code = -errno;
	close(pipe_fds[0]);
	if (pid < 0) {
		close(pipe_fds[1]);
		return error__set(err, code, "cannot start a process: %s", strerror(-code));
	}
	command->pid = pid;
	command->go_fd = pipe_fds[1];
	name_absolutely(command);
	return 0;
}

int traced_command__release(struct traced_command *command)
{
	ssize_t done = write(command->go_fd, "g", 1);

	close(command->go_fd);
	command->go_fd = -1;
	return done == 1 ? 0 : -EPIPE;
}

void traced_command__forward_signal(const struct traced_command *command, int signal,
				    bool from_terminal)
{
	if (signal != SIGINT || !from_terminal)
		kill(command->pid, signal);
}

int traced_command__wait(struct traced_command *command)
{
	int status = 0;

	if (command->go_fd >= 0)
		close(command->go_fd); /* the child reads end-of-file and exits */
	command->go_fd = -1;
	while (waitpid(command->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	command->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
