/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks up the addresses of hosts while the tracer is confined. The name service loads modules,
 * whose code the seccomp filter does not let the tracer map. So a child process does it, which is
 * forked before the tracer is confined:
 *
 *	tracer: question 7, host, port -> child: getaddrinfo() -> tracer: answer 7, addresses
 *
 * The child has given up root and all capabilities, and has no other descriptors open. It ends with
 * the tracer, or when the resolver is closed.
 */
#ifndef STEPTRACE_RESOLVER_H
#define STEPTRACE_RESOLVER_H

#include <stddef.h>
#include <sys/socket.h>

#include "common/error.h"
#include "common/host_port.h"

enum { ADDRESSES_MAX = 8 };

struct address {
	struct sockaddr_storage bytes;
	socklen_t size;
};

struct address_list {
	struct address items[ADDRESSES_MAX];
	size_t count;
};

/* Looks up in this process. 0, or a code of getaddrinfo(). */
int address_list__find(struct address_list *list, const struct host_port *named);
/* The same for numbers alone, without the name service. */
int address_list__find_numeric(struct address_list *list, const struct host_port *named);

struct resolver;

/* Starts the child. NULL: that failed. */
struct resolver *resolver__start(void);
/* Accepts NULL. Does not wait for the child. */
void resolver__close(struct resolver *resolver);

/* Asks the child, and waits for a few seconds. 0: `list` has at least one address. Negative errno:
 * it is unchanged. -ECANCELED: give_up_fd was readable. One thread at a time. */
int resolver__ask(struct resolver *resolver, const struct host_port *named,
		  struct address_list *list, int give_up_fd);

#endif
