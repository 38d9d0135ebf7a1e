/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a report says about its recording in sentences: the time, the files, and all that is missing
 * or doubtful. Every form of the report says the same sentences.
 *
 *	from 2026-11-24 09:28:38 to 2026-11-24 09:33:56 UTC (5m 18s)
 *	1 file, 17750 lines, 17750 events
 *	skipped 2 repeated lines, first in 'events.ndjson', line 52
 *
 * A sentence may contain the name of a file: escape it.
 */
#ifndef STEPTRACE_REPORT_COVERAGE_NOTES_H
#define STEPTRACE_REPORT_COVERAGE_NOTES_H

#include "steptrace/report/summary.h"

struct coverage_notes {
	const struct summary *summary; /* borrowed, as all pointers here */
	const struct recording_counts *counts;
	void (*say)(void *context, const char *sentence);
	void *context;
};

void coverage_notes__time(const struct coverage_notes *notes);
void coverage_notes__files(const struct coverage_notes *notes);
/* Lines that were skipped or are odd, and what was selected. Often there is nothing to say. */
void coverage_notes__doubts(const struct coverage_notes *notes);

#endif
