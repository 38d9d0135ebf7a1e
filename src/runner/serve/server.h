/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command controller: takes requests from HTTP, executes them in worker threads, and answers.
 *
 * A request is accepted when it has a place in the queue. Each accepted request is executed and
 * answered, also when its client has gone away, and also when the server stops: what has not ended
 * within the grace is cancelled. A request that is not accepted is answered at once, and if it is a
 * POST, reported as command.validation.failed with a reason.
 */
#ifndef STEPTRACE_RUNNER_SERVER_H
#define STEPTRACE_RUNNER_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/tcp_listener.h"
#include "runner/serve/gate.h"
#include "runner/work/runtime.h"

enum { SERVER_WORKERS_MAX = 256, SERVER_QUEUE_MAX = 4096 };

struct server;

struct server_settings {
	size_t workers;     /* threads that execute commands, from 1 */
	size_t queue_limit; /* requests that may wait, from 1 */
};

struct server_counts {
	uint64_t executed, failed, refused; /* requests; those that failed were executed, too */
};

/* Begins to serve. `runtime` and `token` are borrowed; the descriptor of `listener` belongs to the
 * server if it succeeds. Returns 0 or a negative errno with a sentence. */
int server__open(const struct server_settings *settings, const struct runtime *runtime,
		 const struct tcp_listener *listener, const struct gate_token *token,
		 struct server **server, struct error *err);

/* Accepts nothing any more, waits for what was accepted, and cancels it when the grace is over. */
void server__finish(struct server *server, uint64_t grace_ns);
/* After that: waits some seconds until all answers are sent. Returns how many could not be sent,
 * because their clients do not read them. */
size_t server__send_rest(struct server *server);
void server__count(struct server *server, struct server_counts *counts);
void server__close(struct server *server);

#endif
