/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of one execution that began and did not end yet, the newest first. Those of a process
 * are reported as aborted when it ends.
 *
 *	newest -> step 2.1 -> step 2 -> NULL	(parallel steps are in the order of their start)
 *
 * All executions take their entries from one store of limited size. An execution has a limit of its
 * own: a runner that begins steps and never ends them drops its own oldest ones.
 */
#ifndef STEPTRACE_OPEN_STEPS_H
#define STEPTRACE_OPEN_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"

enum { OPEN_STEPS_PER_EXECUTION = 256, OPEN_STEPS_TOTAL = 65536 };

struct begun_step {
	struct steptrace_record record; /* of step__start; `pid` is the process that has the step */
	struct step_span span;
	struct begun_step *older;
};

struct open_steps {
	struct begun_step *newest;
	size_t count;
	bool is_cut; /* a step was dropped; it may still be open */
};

/* A zeroed struct is an empty store. */
struct open_steps_store {
	struct begun_step *spare; /* entries that no execution uses */
	size_t allocated_count;
};

/* Call open_steps__clear() for every execution before: this frees the spare entries only. */
void open_steps__free_store(struct open_steps_store *store);

/* Adds a copy of the step. Sets is_cut where this drops the oldest step, or where there is no
 * memory or no room in the store for the new one. */
void open_steps__begin(struct open_steps *steps, struct open_steps_store *store,
		       const struct steptrace_record *record, const struct step_span *span);
/* Removes the step. Does nothing where it is not there. */
void open_steps__end(struct open_steps *steps, struct open_steps_store *store,
		     const uint8_t step_id[16]);
/* Removes the steps of a process. */
void open_steps__end_process(struct open_steps *steps, struct open_steps_store *store,
			     uint32_t pid);
/* The steps of a process that began before `until_ns` are now those of another process. */
void open_steps__hand_over(struct open_steps *steps, uint32_t from_pid, uint32_t to_pid,
			   uint64_t until_ns);
/* Removes all steps. */
void open_steps__clear(struct open_steps *steps, struct open_steps_store *store);

#endif
