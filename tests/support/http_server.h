/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small HTTP server for tests. It listens on 127.0.0.1, on a port that the kernel chooses, and
 * gives the same reply to every request. A few threads answer requests in parallel. Stopping the
 * server ends the delay of a reply early.
 */
#ifndef STEPTRACE_TESTS_HTTP_SERVER_H
#define STEPTRACE_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server;

struct http_reply {
	int status;        /* 0: 200 */
	const char *body;  /* borrowed until another reply is set; NULL: empty */
	size_t body_bytes; /* 0: strlen(body) */
	size_t repeat;     /* how many times the body is sent; 0: once */
	int delay_ms;
	bool hang_up;         /* close the connection without an answer */
	const char *location; /* target of a redirect, or NULL */
};

/* Returns NULL when it cannot open a socket. The caller stops the server, which also frees it. */
struct http_server *http_server__start(const struct http_reply *reply);
void http_server__stop(struct http_server *server);

int http_server__port(const struct http_server *server);
void http_server__set_reply(struct http_server *server, const struct http_reply *reply);

/* Number of requests so far; head and body of the last one, valid until the next request. */
int http_server__request_count(struct http_server *server);
const char *http_server__last_request(struct http_server *server);

/* The answer of a model's server, as JSON text, which the caller frees. */
char *http_server__completion(const char *content, int prompt_tokens, int completion_tokens);

#endif
