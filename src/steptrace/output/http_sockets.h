/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of an HTTP client, and whether something moves on them. The kernel counts what the
 * other side has acknowledged, and what it sent. libcurl would tell neither how much of its request
 * is still in the buffers of this kernel, nor that the head of an answer comes slowly.
 */
#ifndef STEPTRACE_HTTP_SOCKETS_H
#define STEPTRACE_HTTP_SOCKETS_H

#include <stdint.h>

/* Two addresses of a host may be tried at the same time. */
enum { HTTP_SOCKETS_MAX = 8 };

struct http_sockets {
	int fds[HTTP_SOCKETS_MAX]; /* -1: unused */
};

void http_sockets__init(struct http_sockets *sockets);

/* As socket(2) and close(2). A socket beyond HTTP_SOCKETS_MAX is opened, too, and not counted. */
int http_sockets__open(struct http_sockets *sockets, int family, int type, int protocol);
int http_sockets__close(struct http_sockets *sockets, int fd);

/* Bytes in both directions, on all that are open. The number changes when something moves. */
uint64_t http_sockets__bytes(const struct http_sockets *sockets);

#endif
