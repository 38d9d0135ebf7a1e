/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands and steps that are open now: what top counts as open comes from here alone.
 *
 *	stream	those of which a boundary was seen since the attach. Where an execution was seen in
 *		its middle, it began before that.
 *	looks	everything that was open at the last look into the memory of the runners: also what
 *		began before the attach, and has been silent since
 *
 * A command or step that both know is told once, as the stream knows it.
 */
#ifndef STEPTRACE_TOP_OPEN_NOW_H
#define STEPTRACE_TOP_OPEN_NOW_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/latency/open_set.h"
#include "steptrace/stream/stream.h"

/* A text ends at a NUL, or after the bytes that its member has in steptrace/record.h. */
struct open_span_now {
	const char *command;               /* slug */
	const char *step_type, *step_name; /* NULL: it is the command itself */
	uint64_t since_ns;                 /* CLOCK_MONOTONIC */
	bool is_older;                     /* it began before since_ns */
};

/* The last look. Zeroed: there was none. */
struct open_now {
	struct open_set *looked; /* owned; NULL: there is no memory for looks */
	uint64_t round;
};

void open_now__open(struct open_now *now);
void open_now__close(struct open_now *now);

/* A look. It begins with the first function, whose call may be long before its first item. The
 * second function forgets the look before. */
void open_now__expect_look(struct open_now *now);
void open_now__begin_look(struct open_now *now);
void open_now__add(struct open_now *now, const struct open_item *item);

/* What ends is not open any more. */
void open_now__on_event(struct open_now *now, const struct event *event);

/* Calls `each` for every open command, and for every open step. */
void open_now__each(struct open_now *now, const struct stream *stream,
		    void (*each)(void *context, const struct open_span_now *span), void *context);

#endif
