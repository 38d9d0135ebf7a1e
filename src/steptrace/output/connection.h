/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a socket output, plain or TLS.
 *
 * When it breaks, the peer may not have taken all that the kernel accepted. For TCP the kernel
 * knows what the other side has acknowledged. What was acknowledged may not have been read.
 */
#ifndef STEPTRACE_CONNECTION_H
#define STEPTRACE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/resolver.h"
#include "steptrace/output/tls.h"

struct connection {
	int fd;                  /* -1: not connected */
	struct tls_session *tls; /* NULL: plain */
};

struct connection_options {
	/* TCP: a peer that does not answer for so long is gone; 0: as the kernel has it. */
	uint64_t timeout_ns;
	const struct tls_identity *identity; /* NULL: plain */
	const char *host;                    /* of the certificate */
};

/* Connects. 0; or negative errno with a reason in `why` ("Connection refused"), and nothing stays
 * open. -ECANCELED: give_up_fd was readable. */
int connection__open(struct connection *connection, const struct address *address,
		     const struct connection_options *options, int give_up_fd, struct error *why);
void connection__close(struct connection *connection);

/* As descriptor__write(); a reason in `why`. */
int connection__write(struct connection *connection, const char *bytes, size_t count,
		      struct write_state *state, size_t *written, struct error *why);

/* Reads what the peer sent, and ignores it. 0; or negative errno with a reason in `why`: the peer
 * closed the connection, or it is broken. */
int connection__ignore_input(struct connection *connection, struct error *why);

/* How many of the bytes that were written last the other side has not acknowledged; under TLS an
 * upper bound. 0: all, or that is not known (Unix sockets). */
size_t connection__untaken_bytes(const struct connection *connection);

#endif
