// SPDX-License-Identifier: BSD-2-Clause
/* Jobs of the queue. */
#include <inttypes.h>

#include "common/log.h"
#include "runner/background/background_private.h"
#include "runner/store/store_row.h"

static void count_job(struct background *background, bool has_failed, bool is_dead)
{
	pthread_mutex_lock(&background->lock);
	background->counts.jobs++;
	background->counts.failed_jobs += has_failed;
	background->counts.dead_jobs += is_dead;
	pthread_mutex_unlock(&background->lock);
}

static void tell_job(const struct job_claim *claim, const char *category, bool is_dead)
{
	log__warn("job %" PRId64 " (%s): attempt %" PRId64 " failed (%s)%s", claim->id,
		  store_row__text(claim->row, "command_slug"), claim->attempt, category,
		  is_dead ? "; it was the last one, the job is dead" : "");
}

/* Returns 0, or the last error when the process has to end. */
static int note_end(struct background_thread *self, const struct job_claim *claim,
		    const char *category, enum job_end *how, bool *is_ours, struct error *err)
{
	int64_t now_us = id_source__now_us(&self->worker.ids);
	uint64_t since_ns = 0;
	int code;

	do {
		code = job_claim__end(self->worker.store, &self->background->claimant, claim,
				      now_us, category, how, is_ours, err);
	} while (code && background__tries_again(self, "job", claim->id, err, &since_ns));
	return code;
}

static void end_job(struct background_thread *self, const struct job_claim *claim,
		    const char *category)
{
	struct error err = {0};
	enum job_end how;
	bool is_ours = false;
	int code = note_end(self, claim, category, &how, &is_ours, &err);

	count_job(self->background, category != NULL, is_ours && how == JOB_DEAD);
	if (category)
		tell_job(claim, category, is_ours && how == JOB_DEAD);
	if (code)
		log__error("job %" PRId64 " has ended, but this is not noted: %s", claim->id,
			   err.text);
	else if (!is_ours)
		log__warn("job %" PRId64 ": another process has ended this attempt or deleted the "
			  "job meanwhile, so it may be executed twice",
			  claim->id);
}

static const char *text_or_null(const cJSON *row, const char *column)
{
	const char *text = store_row__text(row, column);

	return *text ? text : NULL;
}

static void execute_job(struct background_thread *self, const struct job_claim *claim)
{
	const struct execution_origin origin = {
		.queue = store_row__text(claim->row, "queue"),
		.attempt = (uint32_t)claim->attempt,
		.runnable_at_us = claim->runnable_us,
		.parent_execution_id = text_or_null(claim->row, "parent_execution_id"),
	};
	struct worker_task task = {
		.user_id = "local-default",
		.request_source = "queue",
		.correlation_id = text_or_null(claim->row, "correlation_id"),
		.origin = &origin,
	};

	background__begin_claim(self, "jobs", claim->id);
	end_job(self, claim, background__execute(self, claim->row, &task));
	background__end_claim(self);
}

static void note_empty(struct background_thread *self)
{
	struct background *background = self->background;
	struct error err = {0};
	int64_t count;

	if (jobs__count_open(self->worker.store, &background->settings.queues, &count, &err)) {
		background__warn(self, BACKGROUND_JOBS, &err);
		return;
	}
	pthread_mutex_lock(&background->lock);
	background->is_empty = count == 0;
	pthread_mutex_unlock(&background->lock);
}

bool background__run_job(struct background_thread *self)
{
	struct background *background = self->background;
	struct worker *worker = &self->worker;
	struct job_claim claim;
	struct error err = {0};
	bool found;

	if (job_claim__take(worker->store, &background->claimant, &background->settings.queues,
			    id_source__now_us(&worker->ids), &claim, &found, &err))
		return background__warn(self, BACKGROUND_JOBS, &err);
	if (!found) {
		note_empty(self);
		return false;
	}
	background__has_taken(self, BACKGROUND_JOBS);
	execute_job(self, &claim);
	job_claim__free(&claim);
	return true;
}
