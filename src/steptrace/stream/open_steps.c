// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/open_steps.h"

#include <stdlib.h>
#include <string.h>

void open_steps__free_store(struct open_steps_store *store)
{
	while (store->spare) {
		struct begun_step *step = store->spare;

		store->spare = step->older;
		free(step);
	}
	store->allocated_count = 0;
}

static struct begun_step *take_spare(struct open_steps_store *store)
{
	struct begun_step *step = store->spare;

	if (step) {
		store->spare = step->older;
		return step;
	}
	if (store->allocated_count >= OPEN_STEPS_TOTAL)
		return NULL;
	step = malloc(sizeof(*step));
	if (step)
		store->allocated_count++;
	return step;
}

/* Moves the step that `link` points to from the list to the spare entries. */
static void remove_step(struct open_steps *steps, struct open_steps_store *store,
			struct begun_step **link)
{
	struct begun_step *step = *link;

	*link = step->older;
	step->older = store->spare;
	store->spare = step;
	steps->count--;
}

static void drop_oldest(struct open_steps *steps, struct open_steps_store *store)
{
	struct begun_step **link = &steps->newest;

	while ((*link)->older)
		link = &(*link)->older;
	remove_step(steps, store, link);
	steps->is_cut = true;
}

void open_steps__begin(struct open_steps *steps, struct open_steps_store *store,
		       const struct steptrace_record *record, const struct step_span *span)
{
	struct begun_step *step;

	if (steps->count >= OPEN_STEPS_PER_EXECUTION)
		drop_oldest(steps, store);
	step = take_spare(store);
	if (!step) {
		steps->is_cut = true;
		return;
	}
	step->record = *record;
	step->span = *span;
	step->older = steps->newest;
	steps->newest = step;
	steps->count++;
}

void open_steps__end(struct open_steps *steps, struct open_steps_store *store,
		     const uint8_t step_id[16])
{
	for (struct begun_step **link = &steps->newest; *link; link = &(*link)->older)
		if (memcmp((*link)->span.step_id, step_id, 16) == 0) {
			remove_step(steps, store, link);
			return;
		}
}

void open_steps__end_process(struct open_steps *steps, struct open_steps_store *store, uint32_t pid)
{
	struct begun_step **link = &steps->newest;

	while (*link)
		if ((*link)->record.pid == pid)
			remove_step(steps, store, link);
		else
			link = &(*link)->older;
}

void open_steps__hand_over(struct open_steps *steps, uint32_t from_pid, uint32_t to_pid,
			   uint64_t until_ns)
{
	for (struct begun_step *step = steps->newest; step; step = step->older)
		if (step->record.pid == from_pid && step->record.time_ns < until_ns)
			step->record.pid = step->record.tid = to_pid;
}

void open_steps__clear(struct open_steps *steps, struct open_steps_store *store)
{
	while (steps->newest)
		remove_step(steps, store, &steps->newest);
}
