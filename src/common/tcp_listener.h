/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket that listens for TCP connections at one address. */
#ifndef STEPTRACE_COMMON_TCP_LISTENER_H
#define STEPTRACE_COMMON_TCP_LISTENER_H

#include <stdbool.h>

#include "common/error.h"
#include "common/host_port.h"

enum { TCP_LISTENER_NAME_BYTES = 280 };

struct tcp_listener {
	int fd;                             /* non-blocking, closed by exec; the caller closes it */
	char name[TCP_LISTENER_NAME_BYTES]; /* ADDRESS:PORT, with the port that the kernel chose */
	bool is_loopback;                   /* only processes of this machine can connect */
};

/* "ADDRESS:PORT" or "PORT", which is at 127.0.0.1. Port 0: the kernel chooses one. Returns 0 or
 * -EINVAL, without a sentence. `text` must outlive `address`. */
int tcp_listener__split(const char *text, struct host_port *address);

/* Looks the address up and listens. Returns 0 or a negative errno; the sentence in `err` says what
 * was wrong, and not for what the address was meant. */
int tcp_listener__open(struct tcp_listener *listener, const struct host_port *address, int backlog,
		       struct error *err);

#endif
