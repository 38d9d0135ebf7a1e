/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP through libmicrohttpd: one thread reads requests and writes answers. It hands each complete
 * request to the callback. The answer may come at once, or later and from another thread.
 */
#ifndef STEPTRACE_RUNNER_HTTP_H
#define STEPTRACE_RUNNER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/tcp_listener.h"

enum { HTTP_CONNECTIONS_MAX = 512, HTTP_IDLE_S = 30 };

struct http;

/* One request and its answer. The callback may read it until it has answered. */
struct http_exchange {
	const char *method, *path; /* the path as it came, with its %-escapes */
	char *body;                /* owned; NULL: empty */
	size_t body_bytes;
	bool is_unwanted;  /* `body` is not kept */
	bool is_too_large; /* the body has more bytes than allowed; `body` is not complete */
	bool has_query;    /* something follows the path, behind a question mark */
	bool is_unclear; /* where the request ends; `body` is empty, and the connection must end */
	/* ---- of http.c */
	struct http *http;
	void *connection;
	struct http_reply *reply;
	size_t room, announced_bytes; /* in Content-Length; 0: none */
	bool is_begun, is_deferred;
};

struct http_answer {
	unsigned int status;
	char *body;                 /* JSON, owned by the answer; NULL: out of memory, which
				     * becomes a 500 */
	const char *correlation_id; /* sent back; NULL: none */
	const char *allow;          /* of a 405; NULL: none */
	bool retry_later;           /* of a 503 */
	bool close;                 /* the connection ends after this answer */
};

/* Called in the thread of HTTP when the headers have come. Returns false if the body need not be
 * kept: the request is refused in any case. */
typedef bool http_wants_body_fn(void *context, const struct http_exchange *exchange);

/* Called in the thread of HTTP when all has come. It calls http__answer(), or http__defer() and
 * lets another thread call http__answer(). */
typedef void http_begin_fn(void *context, struct http_exchange *exchange);

struct http_settings {
	size_t body_bytes_max;
	http_wants_body_fn *wants_body;
	http_begin_fn *begin;
	void *context; /* of the two functions */
};

/* Takes ownership of the listener's descriptor if it succeeds. Returns 0 or a negative errno with a
 * sentence. */
int http__open(const struct tcp_listener *listener, const struct http_settings *settings,
	       struct http **http, struct error *err);

/* A header of the request; NULL: it is not there. Only in the callback; borrowed. */
const char *http__header(const struct http_exchange *exchange, const char *name);
/* It is there more than once. Only in the callback. */
bool http__is_repeated(const struct http_exchange *exchange, const char *name);
void http__defer(struct http_exchange *exchange);
/* Takes ownership of answer->body. Do not use `exchange` after this call. */
void http__answer(struct http_exchange *exchange, const struct http_answer *answer);

/* Accepts no new connection. Requests on open connections still come. */
void http__stop_listening(struct http *http);
/* Waits until every answer was sent, at most so long. Returns how many were not. */
size_t http__wait_sent(struct http *http, uint64_t timeout_ns);
/* Closes all connections. Every request must have been answered. `http` may be NULL. */
void http__close(struct http *http);

#endif
