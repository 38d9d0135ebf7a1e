/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a whole recording into a summary, for `steptrace report`. */
#ifndef STEPTRACE_REPORT_READING_H
#define STEPTRACE_REPORT_READING_H

#include "common/error.h"
#include "steptrace/report/summary.h"

/* Finishes the summary and sets the counts, whose places borrow the paths. 0, or negative errno
 * with a sentence: a file cannot be read, or there is no event to report. */
int report_reading__read(struct summary *summary, struct recording_counts *counts,
			 const char *const *paths, size_t paths_count, struct error *err);

#endif
