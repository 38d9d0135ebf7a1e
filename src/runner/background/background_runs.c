// SPDX-License-Identifier: BSD-2-Clause
/* Runs of schedules. */
#include <inttypes.h>

#include "common/log.h"
#include "runner/background/background_private.h"
#include "runner/schedule/schedule_claims.h"
#include "runner/store/store_row.h"

static void count_run(struct background *background, bool has_failed)
{
	pthread_mutex_lock(&background->lock);
	background->counts.runs++;
	background->counts.failed_runs += has_failed;
	pthread_mutex_unlock(&background->lock);
}

/* Returns 0, or the last error when the process has to end. */
static int note_end(struct background_thread *self, const struct schedule_claim *claim,
		    const char *category, bool *is_ours, struct error *err)
{
	int64_t now_us = id_source__now_us(&self->worker.ids);
	uint64_t since_ns = 0;
	int code;

	do {
		code = schedule_claim__end(self->worker.store, &self->background->claimant, claim,
					   now_us, category, is_ours, err);
	} while (code && background__tries_again(self, "run", claim->run_id, err, &since_ns));
	return code;
}

static void end_run(struct background_thread *self, const struct schedule_claim *claim,
		    const char *category)
{
	const char *name = store_row__text(claim->schedule, "name");
	struct error err = {0};
	bool is_ours = false;

	count_run(self->background, category != NULL);
	if (category)
		log__warn("run %" PRId64 " of the schedule '%s' failed (%s)", claim->run_id, name,
			  category);
	if (note_end(self, claim, category, &is_ours, &err))
		log__error("run %" PRId64 " of the schedule '%s' has ended, but this is not noted: "
			   "%s",
			   claim->run_id, name, err.text);
	else if (!is_ours)
		log__warn("run %" PRId64 " of the schedule '%s': another process has ended or "
			  "deleted it meanwhile",
			  claim->run_id, name);
}

static void execute_run(struct background_thread *self, const struct schedule_claim *claim,
			const char *correlation_id)
{
	const struct execution_origin origin = {
		.schedule_id = claim->schedule_id,
		.schedule_run_id = claim->run_id,
		.planned_at_us = claim->planned_us,
	};
	struct worker_task task = {
		.user_id = "local-default",
		.request_source = "schedule",
		.correlation_id = correlation_id,
		.origin = &origin,
	};

	background__begin_claim(self, "schedule_runs", claim->run_id);
	end_run(self, claim, background__execute(self, claim->schedule, &task));
	background__end_claim(self);
}

bool background__run_schedule(struct background_thread *self)
{
	struct worker *worker = &self->worker;
	struct schedule_claim claim;
	char correlation_id[37];
	struct error err = {0};
	bool found;

	id_source__uuid(&worker->ids, correlation_id);
	if (schedule_claim__take(worker->store, &self->background->claimant,
				 id_source__now_us(&worker->ids), correlation_id, &claim, &found,
				 &err))
		return background__warn(self, BACKGROUND_RUNS, &err);
	if (!found)
		return false;
	background__has_taken(self, BACKGROUND_RUNS);
	execute_run(self, &claim, correlation_id);
	schedule_claim__free(&claim);
	return true;
}
