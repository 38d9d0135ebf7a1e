// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "steptrace/profile/profile_private.h"
#include "steptrace/stack_record.h"
#include "steptrace/stream/executions.h"

/* Different ones. What is beyond is counted as dropped. */
enum { STACKS_MAX = 1 << 20, NAMES_MAX = 1 << 16 };

struct profile *profile__new(const struct profile_options *options)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->options = *options;
	profile->stacks = interned__new(STACKS_MAX);
	profile->names = interned__new(NAMES_MAX);
	profile->samples = held_samples__new(held_samples__room(options->hold_bytes / 2));
	profile->rows = sample_rows__new(options->hold_bytes / 4 / SAMPLE_ROW_BYTES);
	if (!profile->stacks || !profile->names || !profile->samples || !profile->rows) {
		profile__free(profile);
		return NULL;
	}
	interned__limit_bytes(profile->stacks, options->hold_bytes / 4 * 3);
	return profile;
}

void profile__free(struct profile *profile)
{
	if (!profile)
		return;
	profile__drop_executions(profile);
	sample_rows__free(profile->rows);
	held_samples__free(profile->samples);
	interned__free(profile->names);
	interned__free(profile->stacks);
	free(profile->ended.items);
	free(profile->folded);
	free(profile->folded_frames);
	free(profile);
}

/* ---- samples */

uint32_t profile__stack(struct profile *profile, const struct raw_stack *stack)
{
	struct kept_stack kept = {
		.kernel_count = stack->kernel_count,
		.user_count = stack->user_count,
		.end = stack->end,
	};
	size_t frames = (size_t)stack->kernel_count + stack->user_count;

	if (stack->kernel_count > STACK_FRAMES_MAX || stack->user_count > STACK_FRAMES_MAX)
		return 0;
	if (stack->kernel_count)
		memcpy(kept.frames, stack->kernel, stack->kernel_count * sizeof(uint32_t));
	if (stack->user_count)
		memcpy(kept.frames + stack->kernel_count, stack->user,
		       stack->user_count * sizeof(uint32_t));
	return interned__number(profile->stacks, &kept,
				offsetof(struct kept_stack, frames) + frames * sizeof(uint32_t));
}

static void join_before(struct profile *profile, uint64_t time_ns)
{
	const struct ended_span *span;

	while ((span = ended_spans__take(&profile->ended, time_ns)))
		profile__end_span(profile, span);
}

/* Samples come in the order in which they were made. So all samples of a span that ended before
 * this one was made are here. */
void profile__add(struct profile *profile, const struct sample *sample)
{
	join_before(profile, sample->time_ns + sample->blocked_ns + sample->runnable_ns);
	if (!sample->stack || held_samples__add(profile->samples, sample))
		profile->dropped_count++;
}

/* ---- ends of spans */

static uint32_t intern_text(struct profile *profile, const char *text, size_t room)
{
	return interned__number(profile->names, text, strnlen(text, room));
}

static bool is_wanted_step(const struct profile_filter *filter, const struct ended_span *span,
			   const struct step_span *step)
{
	if (!filter->by_step_type)
		return true;
	return glob__matches(&filter->step_type, step->type, sizeof(step->type)) &&
	       (!filter->only_failed || span->has_failed) &&
	       span->duration_ns >= filter->min_duration_ns;
}

/* The times of a span that was suspended, or began too early, say nothing about its thread. */
static void set_times(struct ended_span *span, const struct event *event)
{
	uint64_t ns = 0;

	if (!event__duration_ns(event, &ns))
		return;
	span->duration_ns = ns;
	if (event->termination || event__was_suspended(event))
		return;
	span->begin_ns = event->head->start_ns;
	span->end_ns = event->head->end_ns;
}

void profile__on_event(struct profile *profile, const struct event *event)
{
	struct ended_span span = {.is_command = event->kind == EVENT_COMMAND_COMPLETED};

	if (!span.is_command && event->kind != EVENT_STEP_EXECUTED)
		return;
	memcpy(span.key.execution_id, event->head->execution_id, sizeof(span.key.execution_id));
	span.key.pid = event->execution->pid;
	span.tid = event->record->tid;
	span.seen_ns = event->record->time_ns;
	span.has_failed = event__has_failed(event);
	set_times(&span, event);
	if (span.is_command) {
		span.name =
			intern_text(profile, event->command->slug, sizeof(event->command->slug));
	} else {
		span.name = intern_text(profile, event->step->type, sizeof(event->step->type));
		span.is_wanted = is_wanted_step(&profile->options.filter, &span, event->step);
	}
	if (ended_spans__add(&profile->ended, &span))
		profile->dropped_count++;
}

void profile__join(struct profile *profile)
{
	join_before(profile, UINT64_MAX);
}
