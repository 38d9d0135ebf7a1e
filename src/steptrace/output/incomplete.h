/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects the end events of one output. All outputs share the same lines, but each output can miss
 * other lines. When an output missed lines of an execution, the end event that it writes has to say
 * so:
 *
 *	missed:   dsl.step.executed of 5e0c…
 *	written:  command.execution.completed of 5e0c…  "complete":true,"steps_lost":0
 *	                                       becomes  "complete":false,"steps_lost":1
 *
 * The rule is that of the stream: a missing start or a missing step makes an execution incomplete,
 * other missing events do not. Only JSON lines are corrected.
 *
 * The number of remembered executions is limited. When the limit is reached, or memory is short,
 * all of them are forgotten. Then every execution that was known at that time gets an end event
 * with "complete":false and "steps_lost":null.
 *
 * Two threads may call these functions: the recording, which drops lines when the queue is full,
 * and the thread of the output, which writes lines.
 */
#ifndef STEPTRACE_INCOMPLETE_H
#define STEPTRACE_INCOMPLETE_H

#include "steptrace/stream/lines.h"

struct incomplete;

/* NULL: no memory. The caller frees it. */
struct incomplete *incomplete__new(void);
/* Accepts NULL. */
void incomplete__free(struct incomplete *incomplete);

/* The output lost one line that it had written before. */
void incomplete__miss_mark(struct incomplete *incomplete, const struct line_mark *mark);

/* The output will not write the lines behind the first `from` bytes. */
void incomplete__miss(struct incomplete *incomplete, const struct lines *lines, size_t from);

/*
 * Returns the lines that this output has to write: `lines` when nothing has to be corrected, else
 * `room`, which then holds a corrected copy. Without memory for the copy it returns `lines`.
 * Executions whose end event is among the lines are forgotten.
 */
const struct lines *incomplete__correct(struct incomplete *incomplete, const struct lines *lines,
					struct lines *room);

#endif
