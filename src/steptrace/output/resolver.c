// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/confine/privilege.h"

enum { ANSWER_MS = 5000, OWN_FD = 3 };

struct resolver {
	int fd; /* of a pair of sockets; the child has the other one */
	pid_t child;
	uint32_t asked; /* the number of the last question: an earlier answer may come late */
};

struct answer {
	uint32_t number;
	struct address_list list; /* empty: the lookup failed */
};

int address_list__find(struct address_list *list, const struct host_port *named)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(named->host, named->port, &hints, &found);

	list->count = 0;
	if (code)
		return code;
	for (struct addrinfo *at = found; at && list->count < ADDRESSES_MAX; at = at->ai_next) {
		struct address *address = &list->items[list->count++];

		memcpy(&address->bytes, at->ai_addr, at->ai_addrlen);
		address->size = at->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

/* ---- the child */

/* Nothing of the tracer stays open here: a reader of its standard output, for example, waits until
 * all processes have closed it. */
static int keep_only(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int i = 0; i < OWN_FD; i++)
		if (dup2(null, i) < 0)
			return -errno;
	if (fd != OWN_FD && dup2(fd, OWN_FD) < 0)
		return -errno;
	return close_range(OWN_FD + 1, ~0u, 0) ? -errno : 0;
}

/* Ctrl-C reaches all processes of the terminal, but the outputs may still have to be drained. */
static int confine(pid_t parent)
{
	const struct privilege_needs nothing = {.perf_links = false};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (privilege__drop_all(&nothing))
		return -EPERM;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of the user id would reset it */
	return getppid() == parent ? 0 : -ESRCH;
}

/* Waits for a question and takes the newest: while a lookup lasted, the tracer may have given up
 * several. False: the tracer has closed its end. */
static bool take_question(uint32_t *number)
{
	if (recv(OWN_FD, number, sizeof(*number), 0) != sizeof(*number))
		return false;
	while (recv(OWN_FD, number, sizeof(*number), MSG_DONTWAIT) == sizeof(*number))
		continue;
	return true;
}

_Noreturn static void serve(int fd, pid_t parent, const struct host_port *named)
{
	struct answer answer;

	memset(&answer, 0, sizeof(answer));
	if (keep_only(fd) || confine(parent))
		_exit(1);
	while (take_question(&answer.number)) {
		address_list__find(&answer.list, named);
		if (send(OWN_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

struct resolver *resolver__start(const struct host_port *named)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	pid_t parent = getpid();
	int sockets[2];

	if (!resolver || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		free(resolver);
		return NULL;
	}
	resolver->child = fork();
	if (resolver->child == 0)
		serve(sockets[1], parent, named);
	close(sockets[1]);
	resolver->fd = sockets[0];
	if (resolver->child > 0)
		return resolver;
	resolver__close(resolver);
	return NULL;
}

/* ---- the tracer */

/* The child ends when it reads end-of-file. In the middle of a lookup this takes a while; it is not
 * waited for, and the tracer's end ends it. */
void resolver__close(struct resolver *resolver)
{
	if (!resolver)
		return;
	close(resolver->fd);
	if (resolver->child > 0)
		waitpid(resolver->child, NULL, WNOHANG);
	free(resolver);
}

static int await_answer(const struct resolver *resolver, int give_up_fd)
{
	struct pollfd fds[2] = {{.fd = resolver->fd, .events = POLLIN},
				{.fd = give_up_fd, .events = POLLIN}};

	if (poll(fds, 2, ANSWER_MS) <= 0)
		return -ETIMEDOUT;
	return fds[1].revents ? -ECANCELED : 0;
}

int resolver__ask(struct resolver *resolver, struct address_list *list, int give_up_fd)
{
	struct answer answer;
	int code;

	resolver->asked++;
	/* The queue is full when a lookup takes very long: the tracer does not wait for room. */
	if (send(resolver->fd, &resolver->asked, sizeof(resolver->asked),
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	do {
		code = await_answer(resolver, give_up_fd);
		if (code)
			return code;
		if (recv(resolver->fd, &answer, sizeof(answer), MSG_DONTWAIT) != sizeof(answer))
			return -EPIPE;
	} while (answer.number != resolver->asked);
	if (answer.list.count == 0 || answer.list.count > ADDRESSES_MAX)
		return -EADDRNOTAVAIL;
	*list = answer.list;
	return 0;
}
