// SPDX-License-Identifier: BSD-2-Clause
#include "runner/serve/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "runner/serve/api_text.h"
#include "runner/serve/http.h"
#include "runner/work/worker.h"

#define SENDING_NS 5000000000ull /* for answers that are complete when the server stops */

/* A request that was accepted. */
struct call {
	struct http_exchange *exchange;
	struct gate_pass pass;
	struct call *next;
};

struct server_worker {
	struct server *server;
	struct worker worker;
	pthread_t thread;
};

struct server {
	struct server_settings settings;
	const struct runtime *runtime;
	const struct gate_token *token;
	struct http *http;
	struct server_worker *workers;
	size_t worker_count;  /* threads that were started */
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t has_work, is_idle;
	struct call *first, *last;
	size_t queued, running;
	bool is_stopping, is_closing;
	struct id_source ids; /* of correlation ids */
	struct server_counts counts;
};

/* ------------------------------------------------------------------ answers */

static void count_refused(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->counts.refused++;
	pthread_mutex_unlock(&server->lock);
}

/* The events of a request and its answer have the same correlation id. */
static void complete_pass(struct server *server, struct gate_pass *pass)
{
	if (pass->correlation_id[0])
		return;
	pthread_mutex_lock(&server->lock);
	id_source__uuid(&server->ids, pass->correlation_id);
	pthread_mutex_unlock(&server->lock);
}

static struct worker_task task_of(const struct gate_pass *pass)
{
	return (struct worker_task){.user_id = pass->user_id,
				    .request_source = "api",
				    .correlation_id = pass->correlation_id};
}

static void refuse(struct server *server, struct http_exchange *exchange, struct gate_pass *pass)
{
	struct worker_task task = task_of(pass);
	struct http_answer answer = {
		.status = pass->status,
		.correlation_id = pass->correlation_id,
		.allow = pass->allow,
		.retry_later = pass->status == 503,
		.close = pass->status == 503 || pass->status == 413 || exchange->is_unclear,
	};
	char id[37] = "";

	if (strcmp(exchange->method, "POST") == 0)
		worker__refuse(&task, &pass->refusal, id);
	answer.body = api_text__refusal(pass->status, &pass->refusal, id[0] ? id : NULL);
	count_refused(server);
	http__answer(exchange, &answer);
}

static void answer_text(struct http_exchange *exchange, unsigned int status, char *text)
{
	const struct http_answer answer = {.status = status, .body = text};

	http__answer(exchange, &answer);
}

static void answer_health(struct server *server, struct http_exchange *exchange)
{
	struct api_health health = {.workers = server->settings.workers,
				    .queue_limit = server->settings.queue_limit};

	pthread_mutex_lock(&server->lock);
	health.is_stopping = server->is_stopping;
	health.running = server->running;
	health.queued = server->queued;
	pthread_mutex_unlock(&server->lock);
	answer_text(exchange, health.is_stopping ? 503 : 200, api_text__health(&health));
}

/* ------------------------------------------------------------------ accepting */

static void refuse_for_now(struct server *server, struct call *call, bool is_stopping)
{
	call->pass.status = 503;
	refusal__set(&call->pass.refusal, -EBUSY, is_stopping ? "stopping" : "overloaded", NULL,
		     is_stopping ? "the server is stopping" : "all places of the queue are taken");
	refuse(server, call->exchange, &call->pass);
	free(call);
}

static bool put_into_queue(struct server *server, struct call *call)
{
	bool has_place = !server->is_stopping && server->queued < server->settings.queue_limit;

	if (!has_place)
		return false;
	http__defer(call->exchange);
	if (server->last)
		server->last->next = call;
	else
		server->first = call;
	server->last = call;
	server->queued++;
	pthread_cond_signal(&server->has_work);
	return true;
}

static void accept_call(struct server *server, struct http_exchange *exchange,
			const struct gate_pass *pass)
{
	struct call *call = calloc(1, sizeof(*call));
	bool is_accepted, is_stopping;

	if (!call) {
		answer_text(exchange, 500, NULL);
		return;
	}
	*call = (struct call){.exchange = exchange, .pass = *pass};
	pthread_mutex_lock(&server->lock);
	is_accepted = put_into_queue(server, call);
	is_stopping = server->is_stopping;
	pthread_mutex_unlock(&server->lock);
	if (!is_accepted)
		refuse_for_now(server, call, is_stopping);
}

/* Without this, clients that have no token could make the server keep a mebibyte each. */
static bool wants_body(void *context, const struct http_exchange *exchange)
{
	const struct server *server = context;
	struct gate_pass pass;

	return gate__look(exchange, server->token, &pass) == GATE_EXECUTE;
}

static void begin(void *context, struct http_exchange *exchange)
{
	struct server *server = context;
	struct gate_pass pass;
	enum gate_route route = gate__look(exchange, server->token, &pass);

	complete_pass(server, &pass);
	switch (route) {
	case GATE_EXECUTE: accept_call(server, exchange, &pass); break;
	case GATE_HEALTH: answer_health(server, exchange); break;
	case GATE_COMMANDS:
		answer_text(exchange, 200, api_text__commands(&server->runtime->catalogue));
		break;
	default: refuse(server, exchange, &pass); break;
	}
}

/* ------------------------------------------------------------------ executing */

static unsigned int status_of(int err)
{
	switch (err) {
	case -EINVAL: return 400;
	case -ENOENT: return 404;
	default: return 500;
	}
}

static void execute(struct server *server, struct worker *worker, struct call *call,
		    const struct request *request)
{
	struct worker_task task = task_of(&call->pass);
	struct http_answer answer = {.status = 200, .correlation_id = call->pass.correlation_id};
	enum steptrace_error category;

	task.pack = request->pack;
	task.input = request->input;
	task.dry_run = request->dry_run;
	category = worker__run(worker, &task, &answer.body);
	pthread_mutex_lock(&server->lock);
	server->counts.executed++;
	server->counts.failed += category != STEPTRACE_ERROR_NONE;
	pthread_mutex_unlock(&server->lock);
	http__answer(call->exchange, &answer);
}

static void handle(struct server *server, struct worker *worker, struct call *call)
{
	struct http_exchange *exchange = call->exchange;
	struct request request;
	int err = request__read(&request, &server->runtime->catalogue,
				exchange->body ? exchange->body : "", exchange->body_bytes,
				&call->pass.refusal);

	if (err) {
		call->pass.status = status_of(err);
		refuse(server, exchange, &call->pass);
		return;
	}
	execute(server, worker, call, &request);
	request__free(&request);
}

/* Waits for work. NULL: the server closes. */
static struct call *take_call(struct server *server)
{
	struct call *call;

	pthread_mutex_lock(&server->lock);
	while (!server->first && !server->is_closing)
		pthread_cond_wait(&server->has_work, &server->lock);
	call = server->first;
	if (call) {
		server->first = call->next;
		if (!server->first)
			server->last = NULL;
		server->queued--;
		server->running++;
	}
	pthread_mutex_unlock(&server->lock);
	return call;
}

static void end_call(struct server *server, struct call *call)
{
	free(call);
	pthread_mutex_lock(&server->lock);
	server->running--;
	if (!server->running && !server->queued)
		pthread_cond_broadcast(&server->is_idle);
	pthread_mutex_unlock(&server->lock);
}

static void *work(void *context)
{
	struct server_worker *self = context;
	struct call *call;

	while ((call = take_call(self->server))) {
		handle(self->server, &self->worker, call);
		end_call(self->server, call);
	}
	return NULL;
}

/* ------------------------------------------------------------------ opening */

static void init_lock(struct server *server)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->has_work, NULL);
	pthread_cond_init(&server->is_idle, &attributes);
	pthread_condattr_destroy(&attributes);
}

static int start_workers(struct server *server, struct error *err)
{
	size_t count = server->settings.workers;
	int code = 0;

	server->workers = calloc(count, sizeof(*server->workers));
	if (!server->workers)
		return error__set(err, -ENOMEM, "out of memory");
	while (!code && server->worker_count < count) {
		struct server_worker *self = &server->workers[server->worker_count];

		self->server = server;
		code = worker__open(&self->worker, server->runtime, server->worker_count + 1, err);
		if (!code && pthread_create(&self->thread, NULL, work, self))
			code = error__set(err, -EAGAIN, "cannot start %zu threads", count);
		if (code)
			worker__close(&self->worker);
		else
			server->worker_count++;
	}
	return code;
}

int server__open(const struct server_settings *settings, const struct runtime *runtime,
		 const struct tcp_listener *listener, const struct gate_token *token,
		 struct server **result, struct error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	const struct http_settings http = {.body_bytes_max = REQUEST_BYTES_MAX,
					   .wants_body = wants_body,
					   .begin = begin,
					   .context = server};
	int code;

	if (!server)
		return error__set(err, -ENOMEM, "out of memory");
	*server = (struct server){.settings = *settings,
				  .runtime = runtime,
				  .token = token,
				  .ids = runtime->options->ids};
	init_lock(server);
	code = start_workers(server, err);
	if (!code)
		code = http__open(listener, &http, &server->http, err);
	if (code) {
		server__close(server);
		return code;
	}
	*result = server;
	return 0;
}

/* ------------------------------------------------------------------ stopping */

static void cancel_all(struct server *server)
{
	uint64_t now_ns = clock__now_ns();

	for (size_t i = 0; i < server->worker_count; i++)
		server->workers[i].worker.cancelled_ns = now_ns;
}

/* 0: nothing runs and waits; else ETIMEDOUT. `until` NULL: no limit. The caller has the lock. */
static int wait_idle(struct server *server, const struct timespec *until)
{
	int err = 0;

	while ((server->running || server->queued) && !err)
		err = until ? pthread_cond_timedwait(&server->is_idle, &server->lock, until)
			    : pthread_cond_wait(&server->is_idle, &server->lock);
	return err;
}

void server__finish(struct server *server, uint64_t grace_ns)
{
	uint64_t until_ns = clock__now_ns() + grace_ns;
	const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
				       .tv_nsec = (long)(until_ns % 1000000000)};

	http__stop_listening(server->http);
	pthread_mutex_lock(&server->lock);
	server->is_stopping = true;
	if (wait_idle(server, &until)) {
		cancel_all(server);
		wait_idle(server, NULL);
	}
	pthread_mutex_unlock(&server->lock);
}

size_t server__send_rest(struct server *server)
{
	return http__wait_sent(server->http, SENDING_NS);
}

void server__count(struct server *server, struct server_counts *counts)
{
	pthread_mutex_lock(&server->lock); /* requests on open connections are still refused */
	*counts = server->counts;
	pthread_mutex_unlock(&server->lock);
}

void server__close(struct server *server)
{
	if (!server)
		return;
	pthread_mutex_lock(&server->lock);
	server->is_closing = true;
	pthread_cond_broadcast(&server->has_work);
	pthread_mutex_unlock(&server->lock);
	for (size_t i = 0; i < server->worker_count; i++) {
		pthread_join(server->workers[i].thread, NULL);
		worker__close(&server->workers[i].worker);
	}
	http__close(server->http);
	free(server->workers);
	pthread_cond_destroy(&server->is_idle);
	pthread_cond_destroy(&server->has_work);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
