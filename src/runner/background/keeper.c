// SPDX-License-Identifier: BSD-2-Clause
#include "common/clock.h"
#include "common/log.h"
#include "runner/background/background_private.h"
#include "runner/schedule/schedule_claims.h"
#include "runner/schedule/schedules.h"

/* A lease is renewed so often while it lasts. */
enum { RENEWALS = 3 };

static struct background_claim claim_of(struct background_thread *thread)
{
	struct background *background = thread->background;
	struct background_claim claim;

	pthread_mutex_lock(&background->lock);
	claim = thread->claim;
	pthread_mutex_unlock(&background->lock);
	return claim;
}

/* Unless the thread has ended that claim meanwhile; it may have claimed the same row again. */
static void cancel(struct background_thread *thread, const struct background_claim *claim)
{
	struct background *background = thread->background;

	pthread_mutex_lock(&background->lock);
	if (thread->claim.table && thread->claim.number == claim->number)
		thread->worker.cancelled_ns = clock__now_ns();
	pthread_mutex_unlock(&background->lock);
}

static int renew(struct background_thread *thread, struct error *err)
{
	struct background *background = thread->background;
	const struct background_claim claim = claim_of(thread);
	bool is_ours = true;
	int code;

	if (!claim.table)
		return 0;
	code = claim__renew(background->store, store__table(background->store, claim.table),
			    claim.row_id, &background->claimant, &is_ours, err);
	if (!code && !is_ours)
		cancel(thread, &claim);
	return code;
}

static int end_runs(struct background *background, int64_t now_us, struct error *err)
{
	size_t count = 0;
	int code = schedule_claims__fail_expired(background->store, &background->claimant, now_us,
						 &count, err);

	if (count)
		log__warn("%zu runs of schedules were marked as failed (aborted): the process that "
			  "executed them has ended or stands still",
			  count);
	return code ? code : schedules__give_up_timeless(background->store, now_us, err);
}

static int set_missing_times(struct background *background, int64_t now_us, struct error *err)
{
	size_t count = 0;
	int code = jobs__set_missing_times(background->store, now_us, &count, err);

	if (count)
		log__warn("%zu jobs have no time from which they may run, and may run now", count);
	return code;
}

static int end_jobs(struct background *background, int64_t now_us, struct error *err)
{
	size_t count = 0, dead_count = 0;
	int code = jobs__end_expired(background->store, &background->claimant, now_us, &count,
				     &dead_count, err);

	if (count)
		log__warn("%zu jobs were aborted: the process that executed them has ended or "
			  "stands still; %zu of them are dead",
			  count, dead_count);
	pthread_mutex_lock(&background->lock);
	background->counts.dead_jobs += dead_count;
	pthread_mutex_unlock(&background->lock);
	return code ? code : set_missing_times(background, now_us, err);
}

/* An error of the database: it may go away. It is said once. */
static void note(struct background *background, enum background_kind kind, int code,
		 const char *what, const struct error *err)
{
	if (code && !background->keeper_has_warned[kind])
		log__warn("%s: %s", what, err->text);
	background->keeper_has_warned[kind] = code != 0;
}

static int renew_all(struct background *background, struct error *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < background->thread_count; i++)
		code = renew(&background->threads[i], err);
	return code;
}

static void keep_once(struct background *background)
{
	int64_t now_us = id_source__now_us(&background->ids);
	struct error err = {0};
	int code = renew_all(background, &err);

	note(background, BACKGROUND_KINDS, code, "claims are not renewed for now", &err);
	if (code)
		return; /* what looks expired may be what others could not renew, either */
	if (background->settings.runs_schedules) {
		code = end_runs(background, now_us, &err);
		note(background, BACKGROUND_RUNS, code, "runs of processes that are gone", &err);
	}
	if (background->settings.runs_jobs) {
		code = end_jobs(background, now_us, &err);
		note(background, BACKGROUND_JOBS, code, "jobs of processes that are gone", &err);
	}
}

void *background__keep(void *context)
{
	struct background *background = context;
	bool is_closing = false;

	while (!is_closing) {
		keep_once(background);
		pthread_mutex_lock(&background->lock);
		if (!background->is_closing)
			background__wait_locked(background, &background->stopping,
						background->settings.lease_ns / RENEWALS);
		is_closing = background->is_closing;
		pthread_mutex_unlock(&background->lock);
	}
	return NULL;
}
