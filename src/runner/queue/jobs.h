/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue: commands that the step job.dispatch wrote down, to be executed later.
 *
 *	queued		may run from available_at on
 *	running		a process works on it (claim.h)
 *	completed	its command succeeded
 *	dead		its last attempt failed; the row is kept
 *
 * An attempt that fails, or whose process ended, puts the job back into the queue. It may run again
 * after a pause, which doubles with each attempt: JOB_PAUSE_S, 2 × JOB_PAUSE_S, 4 × ..., at most
 * JOB_PAUSE_S_MAX. After max_attempts the job is dead.
 *
 * Functions return 0 or the errors of store.h. Times are microseconds since 1970.
 */
#ifndef STEPTRACE_RUNNER_JOBS_H
#define STEPTRACE_RUNNER_JOBS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/claim/claim.h"

enum { JOB_PAUSE_S = 5, JOB_PAUSE_S_MAX = 600, JOB_ATTEMPTS_DEFAULT = 3, JOB_ATTEMPTS_MAX = 100 };

/* The names of queues; an empty list: all queues. Borrowed. */
struct job_queues {
	const char *const *names;
	size_t count;
};

struct job_claim {
	int64_t id;
	int64_t attempt;     /* from 1 */
	int64_t runnable_us; /* when it could have begun */
	cJSON *row;          /* owned: as it was before the claim */
};

/* Claims the job that has been runnable for the longest time. *found is false if there is none. The
 * caller frees the claim, if one was found. */
int job_claim__take(struct store *store, const struct claimant *claimant,
		    const struct job_queues *queues, int64_t now_us, struct job_claim *claim,
		    bool *found, struct error *err);
void job_claim__free(struct job_claim *claim);

enum job_end { JOB_COMPLETED, JOB_RETRY, JOB_DEAD };

/* Ends the attempt. `category` is the error category, NULL: it succeeded. *is_ours is false if
 * another process has ended it. */
int job_claim__end(struct store *store, const struct claimant *claimant,
		   const struct job_claim *claim, int64_t now_us, const char *category,
		   enum job_end *how, bool *is_ours, struct error *err);

/* Ends the attempts whose lease has expired. *count is how many, *dead_count how many of them were
 * the last ones. */
int jobs__end_expired(struct store *store, const struct claimant *claimant, int64_t now_us,
		      size_t *count, size_t *dead_count, struct error *err);

/* Queued jobs of other programs that have no time from which they may run: they may run now. *count
 * is how many. */
int jobs__set_missing_times(struct store *store, int64_t now_us, size_t *count, struct error *err);

/* Jobs that wait or run. */
int jobs__count_open(struct store *store, const struct job_queues *queues, int64_t *count,
		     struct error *err);

#endif
