// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child_process.h"
#include "common/fd_message.h"
#include "common/process_maps.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/reader.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* its shadow memory is larger than any limit, and it prints what it finds */
enum { LAST_KEPT = 2 };
#else
enum { LAST_KEPT = 3 };
#endif

#define MEMORY_BYTES (2ull << 30)

/* ---- the reader */

static void limit(int resource, rlim_t wanted)
{
	struct rlimit now;

	if (getrlimit(resource, &now))
		_exit(1);
	if (now.rlim_max < wanted)
		wanted = now.rlim_max;
	now.rlim_cur = now.rlim_max = wanted;
	if (setrlimit(resource, &now))
		_exit(1);
}

static void confine_reader(void)
{
	struct error err;

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, HELPER_FILES_MAX);
#ifndef SANITIZED
	limit(RLIMIT_AS, MEMORY_BYTES);
#endif
	if (seccomp__confine_reader(&err))
		_exit(1);
}

/* One descriptor at most; more are no question of the tracer. */
static ssize_t receive(int socket, struct helper_question *question, int *fd)
{
	int fds[FD_MESSAGE_FDS_MAX];
	size_t count;
	ssize_t bytes = fd_message__receive(socket, question, sizeof(*question), fds, &count);

	while (bytes >= 0 && count > 1)
		close(fds[--count]);
	*fd = bytes >= 0 && count == 1 ? fds[0] : -1;
	return bytes;
}

_Noreturn static void serve(int socket)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct helper_answer *answer = calloc(1, sizeof(*answer));
	struct helper_question question;
	ssize_t bytes;
	int fd;

	if (!reader || !answer)
		_exit(1);
	while ((bytes = receive(socket, &question, &fd)) > 0) {
		if (!helper_question__is_valid(&question, (size_t)bytes))
			_exit(1);
		bytes = (ssize_t)reader__answer(reader, &question, fd, answer);
		if (send(socket, answer, (size_t)bytes, MSG_NOSIGNAL) != bytes)
			_exit(1);
	}
	_exit(0);
}

_Noreturn static void run_reader(int socket, pid_t keeper)
{
	const int kept[] = {0, 1, 2, socket};

	if (!child_process__end_with(keeper) || child_process__close_others(kept, 4))
		_exit(1);
	confine_reader();
	serve(socket);
}

/* ---- the keeper */

static void end_reader(pid_t reader)
{
	if (reader <= 0)
		return;
	kill(reader, SIGKILL);
	while (waitpid(reader, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* Answers with the reader's socket, or without one. */
static pid_t start_reader(int tracer)
{
	pid_t keeper = getpid(), reader = -1;
	const char byte = '+';
	int sockets[2] = {-1, -1};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0)
		reader = fork();
	if (reader == 0)
		run_reader(sockets[1], keeper);
	fd_message__send(tracer, &byte, 1, sockets, reader > 0 ? 1 : 0);
	for (int i = 0; i < 2; i++)
		if (sockets[i] >= 0)
			close(sockets[i]);
	return reader;
}

/* A change of the user takes back that the process ends with its parent. */
static void drop_rights(pid_t tracer)
{
	const struct privilege_needs nothing = {.only_memory = true};

	if (privilege__drop_all(&nothing))
		_exit(1);
	if (prctl(PR_SET_DUMPABLE, 0) || !child_process__end_with(tracer))
		_exit(1);
}

/* The maps of BPF and the buffers of perf that the tracer shares with the kernel: the fork has them
 * too, even when their descriptors are closed, and a reader could write to them. */
static void unmap_shared(void)
{
	static const char prefix[] = "anon_inode:";
	struct process_mapping mapping;
	struct process_maps maps;

	if (process_maps__open(&maps, 0))
		_exit(1);
	while (process_maps__next(&maps, &mapping))
		if (strncmp(mapping.untrusted_path, prefix, sizeof(prefix) - 1) == 0 &&
		    munmap((void *)(uintptr_t)mapping.start, mapping.end - mapping.start))
			_exit(1);
	process_maps__close(&maps);
}

/* The numbers of standard input, output and error stay in use: what a library prints must not get
 * into a socket. Returns the socket under another number than those. */
static int close_files(int socket)
{
	int kept[] = {0, 1, 2, fcntl(socket, F_DUPFD_CLOEXEC, 3)};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (kept[3] < 0 || null < 0)
		_exit(1);
	for (int fd = 0; fd < LAST_KEPT; fd++)
		if (dup2(null, fd) < 0)
			_exit(1);
	if (child_process__close_others(kept, 4))
		_exit(1);
	return kept[3];
}

_Noreturn void helper_child__run(int socket, pid_t tracer)
{
	pid_t reader = -1;
	char byte;

	child_process__block_signals();
	prctl(PR_SET_NAME, HELPER_NAME);
	if (!child_process__end_with(tracer))
		_exit(1);
	unmap_shared();
	socket = close_files(socket);
	drop_rights(tracer);
	while (recv(socket, &byte, 1, 0) == 1) {
		end_reader(reader);
		reader = start_reader(socket);
	}
	end_reader(reader);
	_exit(0);
}
