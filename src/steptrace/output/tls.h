/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS for socket outputs, with GnuTLS. Only tls.c uses GnuTLS.
 *
 *	struct tls_identity	read once, at the start: whom to trust, and who we are
 *	struct tls_session	one connection
 *
 * The server has to show a certificate for the name of the host, which is signed by a trusted
 * authority. The descriptor is non-blocking; the functions wait for it until give_up_fd is
 * readable, and then return -ECANCELED.
 */
#ifndef STEPTRACE_TLS_H
#define STEPTRACE_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

struct tls_files {
	const char *authorities;       /* PEM; NULL: those of the system */
	const char *certificate, *key; /* PEM, of the client; NULL: none */
};

struct tls_identity;

/* Reads the files. NULL, and a sentence in `err`. */
struct tls_identity *tls_identity__open(const struct tls_files *files, struct error *err);
/* Accepts NULL. */
void tls_identity__close(struct tls_identity *identity);

struct tls_session;

/* Does the handshake on a connected socket, which stays the caller's. `host` is the name that the
 * certificate has to be for. 0 and *session; or negative errno with a reason in `why`. */
int tls_session__open(const struct tls_identity *identity, const char *host, int fd, int give_up_fd,
		      struct tls_session **session, struct error *why);
/* Tells the peer that no more will follow, when that needs no waiting. Accepts NULL. */
void tls_session__close(struct tls_session *session);

/* As write() and recv(), but negative errno; -EAGAIN: wait for tls_session__events(). A write that
 * returned -EAGAIN has to be repeated with the same bytes. */
ssize_t tls_session__write(struct tls_session *session, const char *bytes, size_t count);
ssize_t tls_session__read(struct tls_session *session, char *bytes, size_t count);
/* POLLIN or POLLOUT: what the last call waits for. */
short tls_session__events(const struct tls_session *session);
/* Why the last call failed: "certificate expired". */
const char *tls_session__reason(const struct tls_session *session);

#endif
