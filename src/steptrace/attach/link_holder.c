// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/link_holder.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child_process.h"
#include "common/fd_message.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"

struct held_link {
	uint32_t id;
	int *fds; /* owned; one, or with UPROBE_PERF one for each place */
	size_t count;
	pid_t releaser; /* the child that releases it; 0: it is not being released */
};

/* In the child. */
struct holding {
	int socket, parent_fd, children_fd; /* pidfd of the tracer; signalfd of SIGCHLD */
	struct held_link *links;            /* owned */
	size_t count;
};

/* ---- making */

static int attach_places(const struct link_order *order, const int *fds, struct held_link *link,
			 uint32_t *failed)
{
	while (link->count < order->count) {
		const struct uprobe_place *place = &order->places[link->count];
		int program_fd = fds[1 + order->programs[link->count]];
		struct uprobe uprobe;
		int code = uprobe__attach(program_fd, UPROBE_PERF, fds[0], place, &uprobe);

		*failed = (uint32_t)link->count;
		if (code)
			return code;
		link->fds[link->count++] = uprobe.fd;
	}
	return 0;
}

static int attach_at_once(const struct link_order *order, const int *fds, struct held_link *link)
{
	int fd = uprobe__link(fds[1], fds[0], order->places, order->count, order->pid);

	if (fd < 0)
		return fd;
	link->fds[link->count++] = fd;
	return 0;
}

static int attach(const struct link_order *order, const int *fds, struct held_link *link,
		  uint32_t *failed)
{
	*failed = order->count;
	*link = (struct held_link){.id = order->head.id};
	link->fds = calloc(order->count, sizeof(*link->fds));
	if (!link->fds)
		return -ENOMEM;
	if (order->method == UPROBE_MULTI)
		return attach_at_once(order, fds, link);
	return attach_places(order, fds, link, failed);
}

static struct held_link *append(struct holding *holding)
{
	struct held_link *links =
		realloc(holding->links, (holding->count + 1) * sizeof(*holding->links));

	if (!links)
		return NULL;
	holding->links = links;
	return &links[holding->count++];
}

/* ---- releasing */

static void answer(const struct holding *holding, const struct link_order_head *order, int code,
		   uint32_t failed)
{
	const struct link_answer made = {*order, code, failed};

	fd_message__send(holding->socket, &made, sizeof(made), NULL, 0);
}

static void remove_link(struct holding *holding, struct held_link *link)
{
	const struct link_order_head order = {LINK_RELEASE, link->id};

	free(link->fds);
	*link = holding->links[--holding->count];
	answer(holding, &order, 0, 0);
}

static void close_fds(const struct held_link *link)
{
	for (size_t i = 0; i < link->count; i++)
		close(link->fds[i]);
}

/* In a child of the holder. The kernel releases the link while this process exits. */
_Noreturn static void keep_only(const struct holding *holding, const struct held_link *kept,
				const int ready[2])
{
	for (size_t i = 0; i < holding->count; i++)
		if (&holding->links[i] != kept && !holding->links[i].releaser)
			close_fds(&holding->links[i]);
	close(ready[0]);
	close(ready[1]);
	_exit(0);
}

/* Waits until the child has closed the other links, so that it is never the last to have one. */
static pid_t fork_releaser(const struct holding *holding, const struct held_link *link)
{
	int ready[2];
	pid_t child;
	char unused;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready))
		return -1;
	child = fork();
	if (child == 0)
		keep_only(holding, link, ready);
	close(ready[1]);
	while (child > 0 && read(ready[0], &unused, 1) < 0 && errno == EINTR)
		continue;
	close(ready[0]);
	return child;
}

/* Without a child it is released here, which a SIGKILL would interrupt. */
static void release(struct holding *holding, struct held_link *link)
{
	pid_t child = link->count ? fork_releaser(holding, link) : -1;

	close_fds(link);
	link->releaser = child;
	if (child < 0)
		remove_link(holding, link);
}

/* ---- orders */

/* Of perf links some may have been made. They are gone before the tracer learns of the failure. */
static void undo(struct holding *holding, struct held_link *link)
{
	pid_t child = link->count ? fork_releaser(holding, link) : -1;

	close_fds(link);
	if (child > 0)
		waitpid(child, NULL, 0);
	free(link->fds);
	*link = holding->links[--holding->count];
}

static void make_link(struct holding *holding, const struct link_order *order, const int *fds)
{
	struct held_link *link = append(holding);
	uint32_t failed = order->count;
	int code = link ? attach(order, fds, link, &failed) : -ENOMEM;

	if (code && link)
		undo(holding, link);
	answer(holding, &order->head, code, failed);
}

static void release_link(struct holding *holding, uint32_t id)
{
	for (size_t i = 0; i < holding->count; i++) {
		struct held_link *link = &holding->links[i];

		if (link->id != id || link->releaser)
			continue;
		release(holding, link);
		return;
	}
}

/* Returns false when the tracer has closed its end. */
static bool take_order(struct holding *holding)
{
	static struct link_order order;
	int fds[FD_MESSAGE_FDS_MAX];
	size_t count;
	ssize_t bytes = fd_message__receive(holding->socket, &order, sizeof(order), fds, &count);

	if (bytes == -EMFILE)
		answer(holding, &order.head, -EMFILE, order.count);
	else if (bytes < (ssize_t)sizeof(order.head))
		return false;
	else if (order.head.kind == LINK_MAKE)
		make_link(holding, &order, fds);
	else
		release_link(holding, order.head.id);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return true;
}

/* The links whose children have ended are gone. */
static void reap(struct holding *holding)
{
	struct signalfd_siginfo info;
	pid_t child;

	while (read(holding->children_fd, &info, sizeof(info)) > 0)
		continue;
	while ((child = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = holding->count; i-- > 0;)
			if (holding->links[i].releaser == child)
				remove_link(holding, &holding->links[i]);
}

/* The kernel releases the links that are left while this process exits. */
_Noreturn static void end(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	_exit(0);
}

_Noreturn static void serve(struct holding *holding)
{
	struct pollfd waits[] = {{.fd = holding->socket, .events = POLLIN},
				 {.fd = holding->parent_fd, .events = POLLIN},
				 {.fd = holding->children_fd, .events = POLLIN}};

	for (;;) {
		if (poll(waits, 3, -1) < 0)
			continue;
		if (waits[2].revents)
			reap(holding);
		if (waits[1].revents || (waits[0].revents && !take_order(holding)))
			end();
	}
}

/* ---- starting and ending */

static int open_waits(struct holding *holding, pid_t tracer)
{
	sigset_t children;

	child_process__block_signals();
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	holding->children_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	holding->parent_fd = (int)syscall(SYS_pidfd_open, tracer, 0);
	return holding->children_fd < 0 || holding->parent_fd < 0 || getppid() != tracer ? -1 : 0;
}

static int confine(enum uprobe_method method)
{
	const struct privilege_needs needs = {
		.perf_links = method == UPROBE_PERF,
		.only_links = true,
	};
	struct error unused;
	int code = privilege__drop(&needs, &unused);

	return code ? code : seccomp__confine(&needs, &unused);
}

/* Forks a process that has the same parent as this one. */
static pid_t fork_sibling(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* Returns in each holder which of them it is. The first tells the tracer their pids. */
static int fork_siblings(int socket)
{
	pid_t pids[LINK_HOLDERS] = {getpid()};

	for (int i = 1; i < LINK_HOLDERS; i++) {
		pids[i] = fork_sibling();
		if (pids[i] == 0)
			return i;
		if (pids[i] < 0)
			pids[i] = 0;
	}
	fd_message__send(socket, pids, sizeof(pids), NULL, 0);
	return 0;
}

_Noreturn static void hold(const int sockets[LINK_HOLDERS], pid_t tracer, enum uprobe_method method)
{
	struct holding holding = {0};
	int own;

	_Static_assert((int)LINK_HOLDERS <= (int)KEPT_FDS_MAX, "too many descriptors to keep");
	if (child_process__close_others(sockets, LINK_HOLDERS) || open_waits(&holding, tracer) ||
	    confine(method))
		_exit(1);
	own = fork_siblings(sockets[0]);
	holding.socket = sockets[own];
	close_all(sockets, (size_t)own);
	close_all(sockets + own + 1, (size_t)(LINK_HOLDERS - own - 1));
	serve(&holding);
}

static int open_sockets(struct link_holder *holders, int theirs[LINK_HOLDERS])
{
	int sockets[2];

	for (int i = 0; i < LINK_HOLDERS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
			int code = -errno;

			close_all(theirs, (size_t)i);
			return code;
		}
		holders[i] = (struct link_holder){.socket = sockets[0]};
		theirs[i] = sockets[1];
	}
	return 0;
}

int link_holder__start(struct link_holder *holders, enum uprobe_method method)
{
	pid_t tracer = getpid();
	int theirs[LINK_HOLDERS], code;

	for (int i = 0; i < LINK_HOLDERS; i++)
		holders[i] = (struct link_holder){.socket = -1};
	code = open_sockets(holders, theirs);
	if (code == 0) {
		holders[0].pid = fork();
		if (holders[0].pid == 0)
			hold(theirs, tracer, method);
		code = holders[0].pid < 0 ? -errno : 0;
		close_all(theirs, LINK_HOLDERS);
	}
	if (code) {
		holders[0].pid = 0;
		for (int i = 0; i < LINK_HOLDERS; i++)
			link_holder__stop(&holders[i]);
	}
	return code;
}

void link_holder__meet(struct link_holder *holders)
{
	pid_t pids[LINK_HOLDERS];
	int fds[FD_MESSAGE_FDS_MAX];
	size_t count;

	if (fd_message__receive(holders[0].socket, pids, sizeof(pids), fds, &count) != sizeof(pids))
		memset(pids, 0, sizeof(pids));
	for (int i = 1; i < LINK_HOLDERS; i++) {
		holders[i].pid = pids[i];
		if (!pids[i])
			link_holder__stop(&holders[i]);
	}
}

/* Another process may have a copy of our end: a close() alone would not tell the holder. */
void link_holder__stop(struct link_holder *holder)
{
	if (holder->socket < 0)
		return;
	shutdown(holder->socket, SHUT_RDWR);
	close(holder->socket);
	holder->socket = -1;
}

void link_holder__await(struct link_holder *holder)
{
	while (holder->pid > 0 && waitpid(holder->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	holder->pid = 0;
}
