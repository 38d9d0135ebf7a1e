/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /metrics over HTTP. The server has no thread of its own: the loop calls metrics__serve()
 * between two rounds, and a slow client never blocks it. The only file that uses libmicrohttpd.
 */
#ifndef STEPTRACE_METRICS_H
#define STEPTRACE_METRICS_H

#include "common/error.h"
#include "common/prometheus_text.h"

struct metrics;

/* Appends the text of the answer, in the format that the client wants. */
typedef void metrics_text_fn(void *context, const struct prometheus_text *out);

/* Whether the text can be an address: 0, or -EINVAL with a sentence. */
int metrics__check(const char *address, struct error *err);

/* Listens at "HOST:PORT", or at "PORT" of the loopback address; port 0 is any free port. 0 or
 * negative errno with a sentence. */
int metrics__open(const char *address, metrics_text_fn *text, void *context,
		  struct metrics **metrics, struct error *err);
/* Also NULL. */
void metrics__close(struct metrics *metrics);

/* "http://127.0.0.1:9464/metrics", with the real port. Valid until metrics__close(). */
const char *metrics__url(const struct metrics *metrics);

/* Readable when metrics__serve() has something to do. */
int metrics__fd(const struct metrics *metrics);

/* Call it when the descriptor is readable, and on every timer for timeouts. Also NULL. */
void metrics__serve(struct metrics *metrics);

#endif
