/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executions of which one output misses lines, so that their ends, as it writes them, can say so:
 *
 *	missed:   dsl.step.executed of 5e0c…
 *	written:  command.execution.completed of 5e0c…  "complete":true,"steps_lost":0
 *	                                       becomes  "complete":false,"steps_lost":1
 *
 * Lines are shared by all outputs; what one of them misses is its own. As in the stream itself a start
 * or a step that is missing makes an end incomplete, and nothing else does. JSON lines only.
 * Where there are more of them than it has room for, the ends of all that were known by then are doubted.
 *
 * May be used by two threads: the one that finds no room for lines, and the one that writes them.
 */
#ifndef STEPTRACE_INCOMPLETE_H
#define STEPTRACE_INCOMPLETE_H

#include "steptrace/stream/lines.h"

struct incomplete;

/* NULL: no memory. */
struct incomplete *incomplete__new(void);
void incomplete__free(struct incomplete *incomplete);

/* The lines behind the first `from` bytes will not be written. */
void incomplete__miss(struct incomplete *incomplete, const struct lines *lines, size_t from);

/*
 * The lines as this output has to write them: `lines`, or `room` with a copy in which ends are corrected.
 * Without memory for that, `lines`. Whose end goes by here is forgotten.
 */
const struct lines *incomplete__correct(struct incomplete *incomplete, const struct lines *lines,
					struct lines *room);

#endif
