/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by background.c (threads), background_work.c (claims and commands), background_runs.c,
 * background_jobs.c and keeper.c. */
#ifndef STEPTRACE_RUNNER_BACKGROUND_PRIVATE_H
#define STEPTRACE_RUNNER_BACKGROUND_PRIVATE_H

#include <pthread.h>

#include "runner/background/background.h"
#include "runner/claim/claim.h"
#include "runner/work/worker.h"

enum background_kind { BACKGROUND_RUNS, BACKGROUND_JOBS, BACKGROUND_KINDS };

/* What a thread works on. The number tells two claims of one row apart. */
struct background_claim {
	const char *table; /* NULL: the thread has no claim */
	int64_t row_id;
	uint64_t number;
};

struct background_thread {
	struct background *background;
	struct worker worker;
	pthread_t thread;
	bool jobs_first;               /* in the next turn; runs and jobs alternate */
	struct background_claim claim; /* under the lock */
};

struct background {
	struct background_settings settings;
	struct claimant claimant;
	struct background_thread *threads;
	size_t thread_count; /* that were started */
	struct store *store; /* of the keeper */
	struct id_source ids;
	pthread_t keeper;
	bool has_keeper;
	bool keeper_has_warned[BACKGROUND_KINDS + 1]; /* as below; the last: renewals */
	pthread_mutex_t lock;                         /* of all that follows */
	pthread_cond_t stopping; /* has_begun, is_stopping or is_closing was set */
	pthread_cond_t idle;     /* busy became 0 */
	size_t busy;             /* threads that look for work, or do it */
	/* That no work of a kind can be taken, and none has been taken since. */
	bool has_warned[BACKGROUND_KINDS];
	bool has_begun, is_stopping, is_cancelling, is_closing, is_empty;
	struct background_counts counts;
};

/* background_work.c: claims one piece of work and executes it. Returns false if there was none. */
bool background__work_once(struct background_thread *self);

/* Of the two kinds: claims one, and executes it. Returns false if there was none. */
bool background__run_schedule(struct background_thread *self);
bool background__run_job(struct background_thread *self);

/* ---- background_work.c, for the two kinds */

/* The keeper renews the claim of this row until background__end_claim(). */
void background__begin_claim(struct background_thread *self, const char *table, int64_t row_id);
void background__end_claim(struct background_thread *self);
/* Executes the command of the row. Returns the name of the error category; NULL: it succeeded. */
const char *background__execute(struct background_thread *self, const cJSON *row,
				struct worker_task *task);
/* No work can be taken, because of an error of the database, which may go away. It is said once for
 * all threads, until background__has_taken(). Returns false. */
bool background__warn(struct background_thread *self, enum background_kind kind,
		      const struct error *err);
void background__has_taken(struct background_thread *self, enum background_kind kind);
/* The end of the claim of "job" or "run" `id` could not be written. Says it the first time, waits a
 * little, and returns true if the caller has to try again: what has ended must not be executed a
 * second time. *since_ns is 0 at first. False: the process has to end. */
bool background__tries_again(struct background_thread *self, const char *what, int64_t id,
			     const struct error *err, uint64_t *since_ns);

/* keeper.c: the thread that renews claims. The argument is the struct background. */
void *background__keep(void *context);

/* background.c: waits for the condition, at most so long. The caller has the lock. */
void background__wait_locked(struct background *background, pthread_cond_t *condition,
			     uint64_t timeout_ns);

#endif
