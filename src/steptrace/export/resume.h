/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an export goes on after an interruption: at the beginning of the oldest execution that has
 * not ended, so that the next export sees each execution that it exports the end of as a whole, or
 * behind the last event if none is open. What lies between is exported again.
 *
 *	while (recording_reader__next(...) > 0) {
 *		... export the event ...
 *		resume__event(resume, &event);
 *	}
 *	from = resume__now(resume);		for recording_reader__start_at()
 *
 * An output that does not deliver at once keeps resume__now() with what it sends, and uses the one
 * that it kept with the oldest event that was not delivered.
 *
 * Memory is bounded: of more than HELD_EXECUTIONS_MAX open executions, the oldest is forgotten, as
 * by the exports.
 */
#ifndef STEPTRACE_EXPORT_RESUME_H
#define STEPTRACE_EXPORT_RESUME_H

#include "steptrace/recording/recording_reader.h"

struct resume;

/* NULL: no memory. */
struct resume *resume__new(void);

/* The event was exported. 0 or -ENOMEM. */
int resume__event(struct resume *resume, const struct recorded_event *event);

/* {0, 0}: no event was exported. */
struct recording_from resume__now(const struct resume *resume);

/* NULL does nothing. */
void resume__free(struct resume *resume);

#endif
