// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/writers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The kernel sends SIGIO only once for a lease, and only one SIGIO is pending at a time. So the
 * signal says no more than that some lease is broken; F_GETLEASE says which. */
static int open_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGIO);
	if (pthread_sigmask(SIG_BLOCK, &wanted, NULL))
		return -1;
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int wake_for(const struct writers *writers, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return fd < 0 ? -1 : epoll_ctl(writers->wakeup_fd, EPOLL_CTL_ADD, fd, &event);
}

int writers__open(struct writers *writers, struct error *err)
{
	int code = 0;

	*writers = (struct writers){
		.wakeup_fd = epoll_create1(EPOLL_CLOEXEC),
		.signal_fd = open_signals(),
		.inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
	};
	if (writers->wakeup_fd < 0 || wake_for(writers, writers->signal_fd))
		code = -errno;
	/* Without inotify (a limit of the user) changes are noticed by the timer. */
	if (!code && writers->inotify_fd >= 0 && wake_for(writers, writers->inotify_fd))
		code = -errno;
	if (!code)
		return 0;
	writers__close(writers);
	return error__set(err, code, "cannot wait for writers of binaries: %s", strerror(-code));
}

void writers__close(struct writers *writers)
{
	const int fds[] = {writers->wakeup_fd, writers->signal_fd, writers->inotify_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*writers = (struct writers){-1, -1, -1};
}

static int watch(const struct writers *writers, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return writers->inotify_fd < 0 ? -1
				       : inotify_add_watch(writers->inotify_fd, path, IN_MODIFY);
}

int writers__guard(struct writers *writers, int fd, struct guard *guard)
{
	*guard = (struct guard){.kind = GUARD_LEASE, .watch = -1};
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return 0;
	*guard = (struct guard){.refusal = -errno, .watch = -1};
	if (guard->refusal == -EAGAIN)
		return -ETXTBSY;
	guard->watch = watch(writers, fd);
	guard->kind = guard->watch >= 0 ? GUARD_WATCH : GUARD_NONE;
	return 0;
}

void writers__release(struct writers *writers, int fd, struct guard *guard)
{
	if (guard->kind == GUARD_LEASE)
		fcntl(fd, F_SETLEASE, F_UNLCK);
	else if (guard->kind == GUARD_WATCH)
		inotify_rm_watch(writers->inotify_fd, guard->watch);
	guard->kind = GUARD_NONE;
}

/* The kernel shows a broken lease as the one that it is to become. */
bool guard__is_broken(const struct guard *guard, int fd)
{
	return guard->kind == GUARD_LEASE && fcntl(fd, F_GETLEASE) == F_UNLCK;
}

void writers__clear(struct writers *writers)
{
	char bytes[4096];

	while (read(writers->signal_fd, bytes, sizeof(bytes)) > 0)
		continue;
	while (writers->inotify_fd >= 0 && read(writers->inotify_fd, bytes, sizeof(bytes)) > 0)
		continue;
}

int writers__refusal(int fd)
{
	struct writers writers = {-1, open_signals(), -1};
	struct guard guard;
	int code = writers__guard(&writers, fd, &guard);

	writers__release(&writers, fd, &guard);
	writers__close(&writers);
	return code ? code : guard.refusal;
}

unsigned int writers__patience_s(void)
{
	FILE *file = fopen("/proc/sys/fs/lease-break-time", "re");
	unsigned int seconds = 0;

	if (file && fscanf(file, "%u", &seconds) != 1)
		seconds = 0;
	if (file)
		fclose(file);
	return seconds;
}
