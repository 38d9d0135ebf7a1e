/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a socket output connects to: the path of a Unix socket, or a host and a port. A host may
 * have several addresses, which are tried in turn. Before they are tried once more, a name is
 * looked up again: the host may have moved.
 */
#ifndef STEPTRACE_PEER_H
#define STEPTRACE_PEER_H

#include <stdbool.h>

#include "common/error.h"
#include "common/host_port.h"
#include "steptrace/output/resolver.h"

struct peer {
	struct host_port named; /* of tcp: and tls: */
	struct address_list addresses;
	size_t next;               /* the one to try */
	bool is_fresh;             /* they were just looked up */
	struct resolver *resolver; /* owned; NULL: it has no name */
};

/* Whether the text of -o, such as "tcp:collector:5170", names a peer. 0, or -EINVAL with a sentence
 * in `err`. */
int peer__check_unix(const char *where, struct error *err);
int peer__check_host(const char *where, struct error *err);

/* For zeroed memory and a text that was checked. 0, or negative errno with a sentence in `err`;
 * peer__close() in any case. The resolver keeps a pointer to the struct. */
int peer__find_unix(struct peer *peer, const char *where, struct error *err);
int peer__find_host(struct peer *peer, const char *where, struct error *err);
void peer__close(struct peer *peer);

/* The next address to try. -ECANCELED: give_up_fd was readable. */
int peer__next(struct peer *peer, int give_up_fd, const struct address **address);

/* A connection broke that had worked: the host may have moved. */
void peer__begin_again(struct peer *peer);

#endif
