// SPDX-License-Identifier: BSD-2-Clause
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static _Noreturn void give_up(const char *name, const char *what)
{
	fprintf(stderr, "bench: %s %s\n", name, what);
	exit(1);
}

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC))
		give_up("pipe", strerror(errno));
}

void program__start(struct program *program, const char *const argv[], int hears)
{
	posix_spawn_file_actions_t actions;
	int input[2], output[2], code;

	memset(program, 0, sizeof(*program));
	program->name = argv[0];
	make_pipe(input);
	make_pipe(output);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input[0], 0);
	posix_spawn_file_actions_adddup2(&actions, output[1], hears);
	posix_spawn_file_actions_addopen(&actions, hears == 1 ? 2 : 1, "/dev/null", O_WRONLY, 0);
	program->started_ns = bench__now_ns();
	code = posix_spawnp(&program->pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (code)
		give_up(argv[0], strerror(code));
	close(input[0]);
	close(output[1]);
	program->stdin_fd = input[1];
	program->said_fd = output[0];
}

/* Reads more output. Returns false at its end, or if none comes within patience_ms. */
static bool hear(struct program *program, int patience_ms)
{
	struct pollfd said = {.fd = program->said_fd, .events = POLLIN};
	ssize_t count;

	memmove(program->said, program->said + program->taken_bytes,
		program->said_bytes - program->taken_bytes);
	program->said_bytes -= program->taken_bytes;
	program->taken_bytes = 0;
	if (program->said_bytes == sizeof(program->said))
		program->said_bytes = 0; /* drop a line that is longer than the buffer */
	if (poll(&said, 1, patience_ms) <= 0)
		return false;
	count = read(program->said_fd, program->said + program->said_bytes,
		     sizeof(program->said) - program->said_bytes);
	if (count <= 0)
		return false;
	program->said_bytes += (size_t)count;
	return true;
}

const char *program__line(struct program *program, int patience_ms)
{
	for (;;) {
		char *line = program->said + program->taken_bytes;
		char *end = memchr(line, '\n', program->said_bytes - program->taken_bytes);

		if (end) {
			*end = 0;
			program->taken_bytes = (size_t)(end + 1 - program->said);
			return line;
		}
		if (!hear(program, patience_ms))
			return NULL;
	}
}

bool program__await(struct program *program, const char *word)
{
	const char *line;

	while ((line = program__line(program, PROGRAM_PATIENCE_MS)))
		if (strstr(line, word))
			return true;
	return false;
}

static void await_end(const struct program *program)
{
	int pid_fd = (int)syscall(SYS_pidfd_open, program->pid, 0);
	struct pollfd ended = {.fd = pid_fd, .events = POLLIN};

	if (pid_fd >= 0 && poll(&ended, 1, PROGRAM_PATIENCE_MS) == 0) {
		fprintf(stderr, "bench: %s does not end and is killed\n", program->name);
		kill(program->pid, SIGKILL);
	}
	if (pid_fd >= 0)
		close(pid_fd);
	while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

double program__end(struct program *program, int signal)
{
	uint64_t asked_ns = bench__now_ns();
	double took_ms;

	if (signal)
		kill(program->pid, signal);
	else
		close(program->stdin_fd);
	await_end(program);
	took_ms = (double)(bench__now_ns() - asked_ns) / 1e6;
	if (signal)
		close(program->stdin_fd);
	close(program->said_fd);
	return took_ms;
}

const char *program__path(const char *relative)
{
	char folder[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	char *path;

	if (bytes < 0)
		give_up("/proc/self/exe", strerror(errno));
	folder[bytes] = 0;
	*strrchr(folder, '/') = 0;
	if (asprintf(&path, "%s/%s", folder, relative) < 0)
		give_up(relative, "cannot be found: out of memory");
	return path;
}
