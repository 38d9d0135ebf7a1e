/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes what nobody waits for: runs of schedules, and jobs of the queue, each in one of several
 * threads. Another thread renews the claims of this process, and ends those of processes that are
 * gone. If a claim is lost, because this process stood still for too long, its command is
 * cancelled.
 */
#ifndef STEPTRACE_RUNNER_BACKGROUND_H
#define STEPTRACE_RUNNER_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/queue/jobs.h"
#include "runner/work/runtime.h"

enum { BACKGROUND_THREADS_MAX = 256 };

struct background;

struct background_settings {
	size_t threads;
	bool runs_schedules;
	bool runs_jobs;
	struct job_queues queues; /* of the jobs; borrowed */
	uint64_t lease_ns;
};

struct background_counts {
	uint64_t runs, failed_runs; /* of schedules */
	uint64_t jobs, failed_jobs; /* attempts */
	uint64_t dead_jobs;         /* whose last attempt failed here, or was ended here */
};

/* Starts the threads, which wait for background__begin(). `runtime` is borrowed. Returns 0 or a
 * negative errno with a sentence. */
int background__open(const struct background_settings *settings, const struct runtime *runtime,
		     struct background **background, struct error *err);

/* From now on, work is claimed: call it when nothing can fail any more that would end the process.
 * `background` may be NULL. */
void background__begin(struct background *background);

/* True if a thread has found that no job waits or runs, in any process. */
bool background__is_empty(struct background *background);

/* Claims nothing any more. Both functions do nothing if `background` is NULL. */
void background__begin_stop(struct background *background);
/* The same, and waits for what runs; cancels it when the grace is over. */
void background__stop(struct background *background, uint64_t grace_ns);
/* After background__stop(). */
void background__count(const struct background *background, struct background_counts *counts);
void background__close(struct background *background);

#endif
