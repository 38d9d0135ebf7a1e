/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands and steps that are open now: what top counts as open comes from here alone.
 *
 * The stream knows those of which a boundary was seen since the attach. Where an execution was seen
 * in its middle, it began before that: `is_older`.
 */
#ifndef STEPTRACE_TOP_OPEN_NOW_H
#define STEPTRACE_TOP_OPEN_NOW_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/stream/stream.h"

/* A text ends at a NUL, or after the bytes that its member has in steptrace/record.h. */
struct open_now {
	const char *command;               /* slug */
	const char *step_type, *step_name; /* NULL: it is the command itself */
	uint64_t since_ns;                 /* CLOCK_MONOTONIC */
	bool is_older;                     /* it began before since_ns */
};

/* Calls `each` for every open command, and for every open step. */
void open_now__of_stream(const struct stream *stream,
			 void (*each)(void *context, const struct open_now *span), void *context);

#endif
