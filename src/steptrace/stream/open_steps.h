/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of one execution that began and did not end yet, newest first: what there is to say
 * when its process dies.
 *
 *	newest -> step 2.1 -> step 2 -> NULL		(parallel steps lie in the order of their start)
 *
 * Entries come from a store that all executions share; it is bounded. A runner that begins steps
 * and never ends them pushes its own oldest ones out.
 */
#ifndef STEPTRACE_OPEN_STEPS_H
#define STEPTRACE_OPEN_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"

enum { OPEN_STEPS_PER_EXECUTION = 256, OPEN_STEPS_TOTAL = 65536 };

struct open_step {
	struct steptrace_record record; /* of its start */
	struct step_span span;
	struct open_step *older;
};

struct open_steps {
	struct open_step *newest;
	size_t count;
	bool is_cut; /* some were not remembered, and may be open still */
};

/* Zeroed: an empty store. */
struct open_steps_store {
	struct open_step *spare;
	size_t allocated_count;
};

void open_steps__free_store(struct open_steps_store *store);

/* Remembers the step (a copy); without room or memory for it, or for the oldest, that is noted. */
void open_steps__begin(struct open_steps *steps, struct open_steps_store *store,
		       const struct steptrace_record *record, const struct step_span *span);
/* Forgets it, if it is there. */
void open_steps__end(struct open_steps *steps, struct open_steps_store *store,
		     const uint8_t step_id[16]);
void open_steps__clear(struct open_steps *steps, struct open_steps_store *store);

#endif
