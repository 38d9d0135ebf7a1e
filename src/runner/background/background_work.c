// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "runner/background/background_private.h"
#include "runner/store/store_row.h"

#define PAUSE_NS 200000000ull

/* ------------------------------------------------------------------ claims of this thread */

void background__begin_claim(struct background_thread *self, const char *table, int64_t row_id)
{
	struct background *background = self->background;

	pthread_mutex_lock(&background->lock);
	self->claim = (struct background_claim){table, row_id, self->claim.number + 1};
	self->worker.cancelled_ns = background->is_cancelling ? clock__now_ns() : 0;
	pthread_mutex_unlock(&background->lock);
}

void background__end_claim(struct background_thread *self)
{
	struct background *background = self->background;

	pthread_mutex_lock(&background->lock);
	self->claim.table = NULL;
	pthread_mutex_unlock(&background->lock);
}

/* Sets what the threads have said, and returns what it was. */
static bool set_warned(struct background *background, enum background_kind kind, bool has_warned)
{
	bool before;

	pthread_mutex_lock(&background->lock);
	before = background->has_warned[kind];
	background->has_warned[kind] = has_warned;
	pthread_mutex_unlock(&background->lock);
	return before;
}

bool background__warn(struct background_thread *self, enum background_kind kind,
		      const struct error *err)
{
	if (!set_warned(self->background, kind, true))
		log__warn("no %s are taken for now: %s", kind == BACKGROUND_RUNS ? "runs" : "jobs",
			  err->text);
	return false;
}

/* To look for work succeeds also while the database is locked, so that does not count. */
void background__has_taken(struct background_thread *self, enum background_kind kind)
{
	set_warned(self->background, kind, false);
}

/* At the end of the process, others take the row over when its lease has expired. */
bool background__tries_again(struct background_thread *self, const char *what, int64_t id,
			     const struct error *err, uint64_t *since_ns)
{
	struct background *background = self->background;
	uint64_t now_ns = clock__now_ns();
	bool goes_on;

	if (!*since_ns) {
		*since_ns = now_ns;
		log__warn("%s %" PRId64 " has ended, but this is not noted yet: %s", what, id,
			  err->text);
	}
	pthread_mutex_lock(&background->lock);
	goes_on = !background->is_cancelling || now_ns - *since_ns < background->settings.lease_ns;
	if (goes_on)
		background__wait_locked(background, &background->stopping, PAUSE_NS);
	pthread_mutex_unlock(&background->lock);
	return goes_on;
}

/* ------------------------------------------------------------------ commands */

static int find_pack(struct background_thread *self, const char *command, struct worker_task *task,
		     struct refusal *refusal)
{
	refusal__name(refusal, command);
	return request__find_pack(&self->worker.runtime->catalogue, command, &task->pack, refusal);
}

/* Another program may have written anything. Null is no input. */
static int read_payload(const cJSON *row, struct worker_task *task, struct refusal *refusal)
{
	const cJSON *payload = cJSON_GetObjectItemCaseSensitive(row, "payload");

	task->input = cJSON_IsObject(payload) ? payload : NULL;
	if (task->input || !payload || cJSON_IsNull(payload))
		return 0;
	return refusal__set(refusal, -EINVAL, "invalid_argument", "payload",
			    "the payload of the command '%s' is no map", refusal->slug);
}

const char *background__execute(struct background_thread *self, const cJSON *row,
				struct worker_task *task)
{
	struct refusal refusal;
	enum steptrace_error category;
	int code = find_pack(self, store_row__text(row, "command_slug"), task, &refusal);

	if (!code)
		code = read_payload(row, task, &refusal);
	if (code) {
		log__warn("%s", refusal.err.text);
		worker__refuse(task, &refusal, NULL);
		category = execution__category_of(code);
	} else {
		category = worker__run(&self->worker, task, NULL);
	}
	return category ? execution__category_name(category) : NULL;
}

/* ------------------------------------------------------------------ turns */

static bool work_on(struct background_thread *self, enum background_kind kind)
{
	const struct background_settings *settings = &self->background->settings;

	if (kind == BACKGROUND_RUNS)
		return settings->runs_schedules && background__run_schedule(self);
	return settings->runs_jobs && background__run_job(self);
}

bool background__work_once(struct background_thread *self)
{
	bool jobs_first = self->jobs_first;

	self->jobs_first = !jobs_first;
	return work_on(self, jobs_first ? BACKGROUND_JOBS : BACKGROUND_RUNS) ||
	       work_on(self, jobs_first ? BACKGROUND_RUNS : BACKGROUND_JOBS);
}
