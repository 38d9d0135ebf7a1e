/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /metrics over HTTP, served between two looks at the records: no thread of its own, and nobody
 * who is slow to read is waited for. libmicrohttpd is used in this file only.
 */
#ifndef STEPTRACE_METRICS_H
#define STEPTRACE_METRICS_H

#include "common/error.h"
#include "common/strbuf.h"

struct metrics;

/* Appends what is to be served. */
typedef void metrics_text_fn(void *context, struct strbuf *text);

/* Listens at "HOST:PORT", or at "PORT" of this machine's loopback; port 0 is any that is free. 0 or negative errno
 * with a sentence. */
int metrics__open(const char *address, metrics_text_fn *text, void *context,
		  struct metrics **metrics, struct error *err);
/* Also NULL. */
void metrics__close(struct metrics *metrics);

/* "http://127.0.0.1:9464/metrics" */
const char *metrics__url(const struct metrics *metrics);

/* Readable when there is something to do; then, and now and then, metrics__serve() does it. Also NULL. */
int metrics__fd(const struct metrics *metrics);
void metrics__serve(struct metrics *metrics);

#endif
