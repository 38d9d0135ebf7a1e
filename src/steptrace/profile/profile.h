/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks under commands and steps: samples of threads are joined to the spans that contain them.
 *
 *	profile__stack		a stack becomes a number
 *	profile__add		a sample waits for the end of its span
 *	profile__on_event	a span has ended; it waits until the samples are read
 *	profile__join		all samples of these spans were added: each span takes its own
 *	profile__fold		the result
 *
 * A sample belongs to the innermost step that ran in its thread at its time: inner steps end first
 * and take theirs first. What is left belongs to the command, if the command ended in this thread.
 * The filters are applied where a span ends, because only then is it known whether it failed and
 * how long it took.
 *
 * Starts of spans are not needed. A span that began before the tracer was attached has no start
 * time and takes nothing, and neither does one that its runner suspended: other spans ran in
 * between.
 *
 * No clock, no file, no kernel: what comes in decides.
 */
#ifndef STEPTRACE_PROFILE_H
#define STEPTRACE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/glob.h"
#include "steptrace/profile/folded.h"
#include "steptrace/profile/held_samples.h"
#include "steptrace/stream/event.h"

/* What is wanted. With a step type, the duration and the failure are those of the step, otherwise
 * those of the command. */
struct profile_filter {
	bool by_command, by_step_type, by_execution, only_failed;
	uint64_t min_duration_ns;
	uint8_t execution_id[16];
	struct glob command, step_type;
};

struct profile_options {
	/* Half for samples, half for executions that have not ended. As much again for what is
	 * kept until the end: three quarters for stacks, one for rows. */
	size_t hold_bytes;
	uint64_t period_ns; /* what a tick of an on-CPU sample stands for */
	struct profile_filter filter;
};

struct profile;

/* NULL: no memory. */
struct profile *profile__new(const struct profile_options *options);
void profile__free(struct profile *profile); /* also NULL */

/* Where a stack ends at its outer end. */
enum stack_end {
	STACK_WHOLE,
	STACK_CUT,
	STACK_END_BY_NAME, /* whole if the outermost function is one where stacks end */
};

/* Frames are numbers of the caller. The innermost comes first, those of the kernel come before
 * those of the program. */
struct raw_stack {
	const uint32_t *kernel, *user;
	uint32_t kernel_count, user_count;
	enum stack_end end;
};

/* The number of the stack; 0: there is no memory, or there are too many different ones. */
uint32_t profile__stack(struct profile *profile, const struct raw_stack *stack);

/* The sample waits. Without a stack (0), or without memory, it is counted as dropped. */
void profile__add(struct profile *profile, const struct sample *sample);

/* Keeps what the end of a step or command says. */
void profile__on_event(struct profile *profile, const struct event *event);

/* Call it when all samples were added that were taken before the events so far. */
void profile__join(struct profile *profile);

/* What the function of a frame is, and whether a stack ends there. The text stays valid, and equal
 * functions have the same pointer. */
struct frame_name {
	const struct folded_frame *frame;
	bool is_outermost;
};

struct frame_names {
	void (*name)(void *context, uint32_t frame, struct frame_name *name);
	void *context;
};

/*
 * Makes the rows of `folded`, and fills in the counts of its facts: executions, samples, cut,
 * outside, dropped. The rows belong to the profile, and are valid until it is freed. Functions of
 * the kernel's scheduler at the inner end of a stack are left out: they are the same for everything
 * that waits. 0 or -ENOMEM.
 */
int profile__fold(struct profile *profile, const struct frame_names *names, struct folded *folded);

#endif
