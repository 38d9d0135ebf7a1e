/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny HTTP server for tests: on 127.0.0.1, a port of the kernel's choice, every request gets
 * the one reply that was set. Requests are answered side by side by a few threads; a delay is
 * waited for, and cut short when the server stops.
 */
#ifndef STEPTRACE_TESTS_HTTP_SERVER_H
#define STEPTRACE_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server;

struct http_reply {
	int status;        /* 0: 200 */
	const char *body;  /* borrowed while it is set; NULL: empty */
	size_t body_bytes; /* 0: its length as text */
	size_t repeat;     /* the body that many times; 0: once */
	int delay_ms;
	bool hang_up;         /* close instead of answering */
	const char *location; /* a redirect's target, or NULL */
};

/* NULL when there is no socket to be had. */
struct http_server *http_server__start(const struct http_reply *reply);
void http_server__stop(struct http_server *server);

int http_server__port(const struct http_server *server);
void http_server__set_reply(struct http_server *server, const struct http_reply *reply);

/* Requests seen so far, and the last one's head and body (valid until the next request). */
int http_server__request_count(struct http_server *server);
const char *http_server__last_request(struct http_server *server);

/* What a model's server answers; the caller frees it. */
char *http_server__completion(const char *content, int prompt_tokens, int completion_tokens);

#endif
