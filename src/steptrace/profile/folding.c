// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/profile/profile_private.h"
#include "steptrace/stack_record.h"

/*
 * Frames are places in functions. Here they become functions, and stacks that are equal then become
 * one row. The rows of the profile are rewritten for that:
 *
 *	profile->rows	command, step, state, stack of places
 *	merged rows	command, step, state, stack of functions
 */
struct folding {
	struct profile *profile;
	const struct frame_names *names;
	struct interned *stacks; /* struct function_stack */
	struct sample_rows *rows;
	uint32_t *of_stack; /* by the number of a stack of places; 0: not made yet */
};

/* The outermost function first. Interned up to the last one. */
struct function_stack {
	uint64_t is_cut;
	const struct folded_frame *frames[2 * STACK_FRAMES_MAX];
};

/* ---- one stack */

/* The programs and functions through which every thread leaves its processor. */
static const char *const leaving[] = {"__schedule",
				      "schedule",
				      "preempt_schedule_irq",
				      "preempt_schedule",
				      "preempt_schedule_common",
				      "__cond_resched"};

static bool is_leaving(const struct folded_frame *frame)
{
	for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++)
		if (strcmp(frame->function, leaving[i]) == 0)
			return true;
	return false;
}

/* How many frames of the kernel to leave out at the inner end: up to the scheduler. */
static uint32_t scheduler_frames(const struct folding *folding, const struct kept_stack *stack)
{
	struct frame_name name;
	uint32_t count = 0;

	for (uint32_t i = 0; i < stack->kernel_count; i++) {
		folding->names->name(folding->names->context, stack->frames[i], &name);
		if (is_leaving(name.frame))
			count = i + 1;
	}
	return count;
}

static uint32_t fold_stack(struct folding *folding, uint32_t number)
{
	const struct kept_stack *stack = interned__at(folding->profile->stacks, number, NULL);
	struct function_stack made = {.is_cut = stack->end == STACK_CUT};
	uint32_t first = scheduler_frames(folding, stack), count = 0;
	struct frame_name name = {.frame = NULL};

	for (uint32_t i = stack->kernel_count + stack->user_count; i-- > first;) {
		folding->names->name(folding->names->context, stack->frames[i], &name);
		if (count == 0 && stack->end == STACK_END_BY_NAME)
			made.is_cut = stack->user_count == 0 || !name.is_outermost;
		made.frames[count++] = name.frame;
	}
	if (stack->end == STACK_END_BY_NAME && count == 0)
		made.is_cut = 1;
	return interned__number(folding->stacks, &made,
				offsetof(struct function_stack, frames) +
					count * sizeof(made.frames[0]));
}

/* ---- all rows */

static int fold_row(struct folding *folding, const struct sample_sum *row)
{
	uint32_t *stack = &folding->of_stack[row->key.stack];
	struct sample_sum sum = *row;

	if (!*stack)
		*stack = fold_stack(folding, row->key.stack);
	sum.key.stack = *stack;
	return *stack ? sample_rows__add(folding->rows, &sum) : -ENOMEM;
}

static int fold_rows(struct folding *folding)
{
	const struct sample_sum *row = NULL;
	int code = 0;

	while (!code && (row = sample_rows__next(folding->profile->rows, row)))
		code = fold_row(folding, row);
	return code;
}

/* ---- the result, which does not need the tables */

static const char *text_of(const struct profile *profile, uint32_t number)
{
	return number ? interned__at(profile->names, number, NULL) : "";
}

static size_t frames_of(const struct folding *folding, uint32_t stack)
{
	size_t bytes;

	interned__at(folding->stacks, stack, &bytes);
	return (bytes - offsetof(struct function_stack, frames)) / sizeof(struct folded_frame *);
}

static int make_arrays(struct folding *folding)
{
	struct profile *profile = folding->profile;
	size_t rows = sample_rows__count(folding->rows), frames = 0;

	for (uint32_t i = 1; i <= interned__count(folding->stacks); i++)
		frames += frames_of(folding, i);
	profile->folded = calloc(rows + 1, sizeof(*profile->folded));
	profile->folded_frames = calloc(frames + 1, sizeof(*profile->folded_frames));
	return profile->folded && profile->folded_frames ? 0 : -ENOMEM;
}

/* Copies all stacks into one array. `starts` says where each begins, by its number. */
static void copy_frames(struct folding *folding, size_t *starts)
{
	size_t at = 0;

	for (uint32_t i = 1; i <= interned__count(folding->stacks); i++) {
		const struct function_stack *stack = interned__at(folding->stacks, i, NULL);
		size_t count = frames_of(folding, i);

		starts[i] = at;
		memcpy(folding->profile->folded_frames + at, stack->frames,
		       count * sizeof(stack->frames[0]));
		at += count;
	}
}

static void write_rows(struct folding *folding, const size_t *starts, struct folded *folded)
{
	struct profile *profile = folding->profile;
	const struct sample_sum *row = NULL;

	while ((row = sample_rows__next(folding->rows, row))) {
		const struct function_stack *stack =
			interned__at(folding->stacks, row->key.stack, NULL);

		profile->folded[folded->stacks_count++] = (struct folded_stack){
			.command = text_of(profile, row->key.command),
			.step = text_of(profile, row->key.step),
			.state = (enum stack_state)row->key.state,
			.frames = profile->folded_frames + starts[row->key.stack],
			.frames_count = frames_of(folding, row->key.stack),
			.is_cut = stack->is_cut,
			.samples_count = row->samples_count,
			.time_ns = row->time_ns,
		};
		folded->facts.samples_count += row->samples_count;
		folded->facts.cut_count += stack->is_cut ? row->samples_count : 0;
	}
	folded->stacks = profile->folded;
}

static int make_result(struct folding *folding, struct folded *folded)
{
	size_t *starts = calloc(interned__count(folding->stacks) + 1, sizeof(*starts));
	int code = starts ? make_arrays(folding) : -ENOMEM;

	if (!code) {
		copy_frames(folding, starts);
		write_rows(folding, starts, folded);
	}
	free(starts);
	return code;
}

int profile__fold(struct profile *profile, const struct frame_names *names, struct folded *folded)
{
	struct folding folding = {
		.profile = profile,
		.names = names,
		.stacks = interned__new(UINT32_MAX - 1),
		.rows = sample_rows__new(SIZE_MAX),
		.of_stack = calloc(interned__count(profile->stacks) + 1, sizeof(uint32_t)),
	};
	int code = -ENOMEM;

	profile__drop_executions(profile);
	folded->stacks_count = 0;
	folded->facts.samples_count = folded->facts.cut_count = 0;
	if (folding.stacks && folding.rows && folding.of_stack)
		code = fold_rows(&folding);
	if (!code)
		code = make_result(&folding, folded);
	folded->facts.executions_count = profile->executions_count;
	folded->facts.outside_count = profile->other_count + held_samples__count(profile->samples);
	folded->facts.dropped_count =
		profile->dropped_count + held_samples__dropped(profile->samples);
	interned__free(folding.stacks);
	sample_rows__free(folding.rows);
	free(folding.of_stack);
	return code;
}
