// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/confine/privilege.h"

enum { ANSWER_MS = 5000, OWN_FD = 3, PORT_BYTES = 64 };

struct resolver {
	int fd; /* of a pair of sockets; the child has the other one */
	pid_t child;
	uint32_t asked; /* the number of the last question: an earlier answer may come late */
};

struct question {
	uint32_t number;
	char host[sizeof(((struct host_port *)NULL)->host)];
	char port[PORT_BYTES];
};

struct answer {
	uint32_t number;
	struct address_list list; /* empty: the lookup failed */
};

static int find(struct address_list *list, const struct host_port *named, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
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

int address_list__find(struct address_list *list, const struct host_port *named)
{
	return find(list, named, 0);
}

int address_list__find_numeric(struct address_list *list, const struct host_port *named)
{
	return find(list, named, AI_NUMERICHOST | AI_NUMERICSERV);
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
static bool take_question(struct question *question)
{
	if (recv(OWN_FD, question, sizeof(*question), 0) != sizeof(*question))
		return false;
	while (recv(OWN_FD, question, sizeof(*question), MSG_DONTWAIT) == sizeof(*question))
		continue;
	return true;
}

static void look_up(struct question *question, struct answer *answer)
{
	struct host_port named = {.port = question->port};

	memcpy(named.host, question->host, sizeof(named.host));
	named.host[sizeof(named.host) - 1] = question->port[sizeof(question->port) - 1] = 0;
	answer->number = question->number;
	address_list__find(&answer->list, &named);
}

_Noreturn static void serve(int fd, pid_t parent)
{
	struct question question;
	struct answer answer;

	memset(&answer, 0, sizeof(answer));
	if (keep_only(fd) || confine(parent))
		_exit(1);
	while (take_question(&question)) {
		look_up(&question, &answer);
		if (send(OWN_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

struct resolver *resolver__start(void)
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
		serve(sockets[1], parent);
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

/* The queue is full when a lookup takes very long: the tracer does not wait for room. */
static int ask(struct resolver *resolver, const struct host_port *named)
{
	struct question question;

	if (strlen(named->port) >= sizeof(question.port))
		return -EINVAL;
	memset(&question, 0, sizeof(question));
	question.number = ++resolver->asked;
	snprintf(question.host, sizeof(question.host), "%s", named->host);
	snprintf(question.port, sizeof(question.port), "%s", named->port);
	if (send(resolver->fd, &question, sizeof(question), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

int resolver__ask(struct resolver *resolver, const struct host_port *named,
		  struct address_list *list, int give_up_fd)
{
	struct answer answer;
	int code = ask(resolver, named);

	if (code)
		return code;
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
