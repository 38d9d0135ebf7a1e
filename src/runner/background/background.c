// SPDX-License-Identifier: BSD-2-Clause
#include "runner/background/background.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "runner/background/background_private.h"

/* How often a thread that has nothing to do looks for work. */
#define PAUSE_NS 200000000ull

/* ------------------------------------------------------------------ waiting */

void background__wait_locked(struct background *background, pthread_cond_t *condition,
			     uint64_t timeout_ns)
{
	uint64_t until_ns = clock__now_ns() + timeout_ns;
	const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
				       .tv_nsec = (long)(until_ns % 1000000000)};

	pthread_cond_timedwait(condition, &background->lock, &until);
}

/* ------------------------------------------------------------------ a thread */

/* Returns false when the thread has to end. */
static bool begin_turn(struct background *background, bool with_pause)
{
	bool goes_on;

	pthread_mutex_lock(&background->lock);
	while (!background->has_begun && !background->is_stopping)
		pthread_cond_wait(&background->stopping, &background->lock);
	if (with_pause && !background->is_stopping)
		background__wait_locked(background, &background->stopping, PAUSE_NS);
	goes_on = !background->is_stopping;
	background->busy += goes_on;
	pthread_mutex_unlock(&background->lock);
	return goes_on;
}

static void end_turn(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	if (--background->busy == 0)
		pthread_cond_signal(&background->idle);
	pthread_mutex_unlock(&background->lock);
}

static void *work(void *context)
{
	struct background_thread *self = context;
	bool has_worked = true;

	while (begin_turn(self->background, !has_worked)) {
		has_worked = background__work_once(self);
		end_turn(self->background);
	}
	return NULL;
}

/* ------------------------------------------------------------------ opening */

static void init_lock(struct background *background)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->stopping, &attributes);
	pthread_cond_init(&background->idle, &attributes);
	pthread_condattr_destroy(&attributes);
}

static int start_thread(struct background *background, const struct runtime *runtime,
			struct error *err)
{
	struct background_thread *self = &background->threads[background->thread_count];
	/* The numbers differ from those of the workers of a server. */
	size_t number = background->thread_count + 1000;
	int code;

	self->background = background;
	code = worker__open(&self->worker, runtime, number, err);
	if (!code && pthread_create(&self->thread, NULL, work, self))
		code = error__set(err, -EAGAIN, "cannot start a thread");
	if (code)
		worker__close(&self->worker);
	else
		background->thread_count++;
	return code;
}

static int start(struct background *background, const struct runtime *runtime, struct error *err)
{
	int code = store__open(runtime->options->database, &background->store, err);

	background->threads = calloc(background->settings.threads, sizeof(*background->threads));
	if (!code && !background->threads)
		code = error__set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; !code && i < background->settings.threads; i++)
		code = start_thread(background, runtime, err);
	if (!code && pthread_create(&background->keeper, NULL, background__keep, background))
		code = error__set(err, -EAGAIN, "cannot start a thread");
	background->has_keeper = !code;
	return code;
}

int background__open(const struct background_settings *settings, const struct runtime *runtime,
		     struct background **result, struct error *err)
{
	struct background *background = calloc(1, sizeof(*background));
	int code;

	if (!background)
		return error__set(err, -ENOMEM, "out of memory");
	background->settings = *settings;
	background->ids = runtime->options->ids;
	claimant__init(&background->claimant, settings->lease_ns);
	init_lock(background);
	code = start(background, runtime, err);
	if (code) {
		background__stop(background, 0);
		background__close(background);
		return code;
	}
	*result = background;
	return 0;
}

void background__begin(struct background *background)
{
	if (!background)
		return;
	pthread_mutex_lock(&background->lock);
	background->has_begun = true;
	pthread_cond_broadcast(&background->stopping);
	pthread_mutex_unlock(&background->lock);
}

bool background__is_empty(struct background *background)
{
	bool is_empty;

	pthread_mutex_lock(&background->lock);
	is_empty = background->is_empty;
	pthread_mutex_unlock(&background->lock);
	return is_empty;
}

/* ------------------------------------------------------------------ stopping */

/* The caller has the lock. */
static void cancel_all(struct background *background)
{
	background->is_cancelling = true;
	for (size_t i = 0; i < background->thread_count; i++)
		background->threads[i].worker.cancelled_ns = clock__now_ns();
}

/* The caller has the lock. */
static void wait_idle(struct background *background, uint64_t grace_ns)
{
	uint64_t now_ns = clock__now_ns(), until_ns = now_ns + grace_ns;

	for (; background->busy && now_ns < until_ns; now_ns = clock__now_ns())
		background__wait_locked(background, &background->idle, until_ns - now_ns);
}

void background__begin_stop(struct background *background)
{
	if (!background)
		return;
	pthread_mutex_lock(&background->lock);
	background->is_stopping = true;
	pthread_cond_broadcast(&background->stopping);
	pthread_mutex_unlock(&background->lock);
}

void background__stop(struct background *background, uint64_t grace_ns)
{
	if (!background)
		return;
	background__begin_stop(background);
	pthread_mutex_lock(&background->lock);
	wait_idle(background, grace_ns);
	cancel_all(background);
	pthread_mutex_unlock(&background->lock);
	for (size_t i = 0; i < background->thread_count; i++)
		pthread_join(background->threads[i].thread, NULL);
	/* The keeper renews claims until the last command has ended. */
	pthread_mutex_lock(&background->lock);
	background->is_closing = true;
	pthread_cond_broadcast(&background->stopping);
	pthread_mutex_unlock(&background->lock);
	if (background->has_keeper)
		pthread_join(background->keeper, NULL);
}

void background__count(const struct background *background, struct background_counts *counts)
{
	*counts = background->counts;
}

void background__close(struct background *background)
{
	if (!background)
		return;
	for (size_t i = 0; i < background->thread_count; i++)
		worker__close(&background->threads[i].worker);
	store__close(background->store);
	free(background->threads);
	pthread_cond_destroy(&background->stopping);
	pthread_cond_destroy(&background->idle);
	pthread_mutex_destroy(&background->lock);
	free(background);
}
