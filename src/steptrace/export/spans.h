/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spans of one execution (the command, its steps and tool calls), and how they nest.
 *
 * A recording has a span where it ends: children come before their parents, and only the time of
 * the end and the duration are known. A trace viewer wants beginnings and ends that nest. So the
 * spans are held until the execution ends, and are then laid out:
 *
 *	command  |-----------------------|	lane 0
 *	step       |------------|		lane 0
 *	tool          |------|			lane 0
 *	step             |------------|		lane 1: it overlaps, but does not nest
 *	tool               |---|			lane 1: it goes with its parent
 *
 * Within a lane, two spans nest or are apart. Only a child is inside of its parent.
 *
 * The end of a span is the time at which the kernel saw it, some microseconds after the runner took
 * the end of the duration. This delay differs between spans. So a child that begins with its parent
 * can seem to begin before it, and a step can seem to begin before the end of the one in front of
 * it. The beginning of such a span is moved by these microseconds; `given_ns` keeps the first one.
 * If the thread had to wait for a processor in between, a span can even seem to begin after the end
 * of its child. Then it begins with this child.
 */
#ifndef STEPTRACE_EXPORT_SPANS_H
#define STEPTRACE_EXPORT_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPANS_LANES_MAX = 32,
	SPANS_COMMAND_ID = 1,
	SPANS_DELAY_NS = 1000000, /* a longer overlap on a thread is none of delays */
};

struct span {
	uint64_t begin_ns, end_ns; /* equal for an instant */
	uint64_t id;               /* a hash, SPANS_COMMAND_ID, or 0: nothing is inside of it */
	uint64_t parent;           /* the id of the span that contains it */
	uint64_t thread;
	uint64_t given_ns; /* begin_ns as spans__add() got it; 0: it was not added */
	uint32_t level;    /* a parent has a lower one */
	uint32_t order;    /* as it was added */
	int lane;          /* -1: there are too many lanes for it */
	bool is_instant;
	bool is_inside;                /* its parent is one of the spans, and contains it */
	size_t name_bytes, body_bytes; /* of `body`: the user's text, the name first */
	char *body;                    /* owned */
};

struct spans {
	struct span *items; /* owned */
	size_t count, room;
	size_t bytes; /* of memory, about */
};

/* Appends a copy of the span, with a copy of its body. 0 or -ENOMEM. */
int spans__add(struct spans *spans, const struct span *span);

/* Sorts the spans (parents first) and chooses their lanes. Returns the number of lanes. 0: no
 * spans, or -ENOMEM. */
int spans__lay_out(struct spans *spans);

/* Calls `put` for each beginning (is_begin) and each end in the lane, so that they nest. Of an
 * instant there is only the beginning. Lane -1: all of them as instants. 0 or -ENOMEM. */
int spans__walk(const struct spans *spans, int lane,
		void (*put)(void *context, const struct span *span, bool is_begin), void *context);

/* Frees all spans; further ones may be added. */
void spans__free(struct spans *spans);

#endif
