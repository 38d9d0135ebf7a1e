/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of progress on standard error, while a recording is read:
 *
 *	steptrace: read 41 %, 1187 of 2893 MB
 *
 * Only where standard error is a terminal, and only if the work takes longer than half a second.
 * It follows the bytes that are read, also where lines are skipped.
 *
 *	reading_progress__begin(&progress, reader);
 *	while (recording_reader__next(...) > 0)
 *		...
 *	reading_progress__end(&progress);
 */
#ifndef STEPTRACE_READING_PROGRESS_H
#define STEPTRACE_READING_PROGRESS_H

#include "steptrace/recording/recording_reader.h"

struct reading_progress {
	const struct recording_reader *reader; /* borrowed */
	bool is_shown;
	uint64_t started_ns, last_ns;
};

/* The progress must live as long as the reader is read from. */
void reading_progress__begin(struct reading_progress *progress, struct recording_reader *reader);

/* Clears the line. */
void reading_progress__end(const struct reading_progress *progress);

#endif
