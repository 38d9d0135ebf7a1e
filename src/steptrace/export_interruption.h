/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals during an export that can go on later (export --from). The first SIGINT or SIGTERM ends
 * the export between two events, the second one ends the program at once.
 *
 *	export_interruption__catch(reader);
 *	while (!export_interruption__is_asked() && recording_reader__next(...) > 0)
 *		...
 *	if (export_interruption__is_asked())
 *		code = export_interruption__say(resume__now(resume), request->from, err);
 *
 * Writing goes on after a signal, so that no line is torn. Waiting for text of the recording ends.
 */
#ifndef STEPTRACE_EXPORT_INTERRUPTION_H
#define STEPTRACE_EXPORT_INTERRUPTION_H

#include <stdbool.h>

#include "common/error.h"
#include "steptrace/recording/recording_reader.h"

/* From now on, for the rest of the process. */
void export_interruption__catch(struct recording_reader *reader);

bool export_interruption__is_asked(void);

/* The place for --from: this one, or where this export began if that is none. */
struct recording_from export_interruption__place(struct recording_from place,
						 struct recording_from began);

/* Returns -EINTR with a sentence that names this place. */
int export_interruption__say(struct recording_from place, struct recording_from began,
			     struct error *err);

#endif
