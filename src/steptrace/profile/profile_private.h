/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of `struct profile`; other files include profile.h.
 *
 *	profile.c	samples and stacks, and the parts
 *	ended_spans.c	spans whose samples are still being read
 *	span_join.c	spans take samples, executions collect them
 *	folding.c	the result
 */
#ifndef STEPTRACE_PROFILE_PRIVATE_H
#define STEPTRACE_PROFILE_PRIVATE_H

#include "steptrace/profile/interned.h"
#include "steptrace/profile/profile.h"
#include "steptrace/profile/sample_rows.h"
#include "steptrace/stack_record.h"

/* An interned stack: up to its last frame. The frames of the kernel come before those of the
 * program. */
struct kept_stack {
	uint32_t kernel_count, user_count;
	uint32_t end; /* enum stack_end */
	uint32_t frames[2 * STACK_FRAMES_MAX];
};

/* An execution: a process of another user may use the same id. */
struct profile_key {
	uint8_t execution_id[16];
	uint32_t pid; /* of the process that was seen first */
	uint32_t reserved;
};

/* What the end of a span said. */
struct ended_span {
	struct profile_key key;
	uint64_t begin_ns, end_ns; /* begin_ns 0: takes no samples */
	uint64_t seen_ns;          /* when the kernel saw the end */
	uint64_t duration_ns;
	uint32_t tid;
	uint32_t name; /* interned: the type of the step, or the slug of the command */
	bool is_command, has_failed;
	bool is_wanted; /* by the filters on steps */
};

/* A queue. Owns its items. Zeroed: empty. */
struct ended_spans {
	struct ended_span *items;
	size_t first, count, room; /* `first` to `count` wait */
};

/* 0 or -ENOMEM. */
int ended_spans__add(struct ended_spans *spans, const struct ended_span *span);
/* The first one, if it was seen before this time; it is removed. NULL: there is none. Valid until
 * the next one is added. */
const struct ended_span *ended_spans__take(struct ended_spans *spans, uint64_t before_ns);

struct profile_execution;

struct profile {
	struct profile_options options;
	struct interned *stacks, *names;
	struct held_samples *samples;
	struct ended_spans ended;
	struct profile_execution *executions; /* the head of a uthash table, the oldest first */
	size_t executions_bytes;
	struct sample_rows *rows; /* of executions that ended and are wanted */
	uint64_t executions_count;
	uint64_t other_count;   /* samples of spans that are not wanted */
	uint64_t dropped_count; /* without those of held_samples */

	/* Of profile__fold(), owned. */
	struct folded_stack *folded;
	const struct folded_frame **folded_frames;
};

/* Gives the span its samples; at the end of a command also decides about the execution. */
void profile__end_span(struct profile *profile, const struct ended_span *span);
/* Drops all executions that have not ended. Their samples are in no span that ended. */
void profile__drop_executions(struct profile *profile);

#endif
