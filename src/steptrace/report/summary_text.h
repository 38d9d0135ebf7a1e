/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A summary as text for people.
 *
 *	Commands                          COUNT   FAILED      P50      P95      P99      MAX   SHARE
 *	  triage                            120     1.7%   468 us   812 us   1.2 ms   57 ms   91.2%
 *
 * On a terminal, names are cut to its width. A file or a pipe gets whole names and no colours.
 */
#ifndef STEPTRACE_REPORT_SUMMARY_TEXT_H
#define STEPTRACE_REPORT_SUMMARY_TEXT_H

#include <stdio.h>

#include "steptrace/report/summary.h"
#include "steptrace/stream/text_line.h"

/* 0 or -ENOMEM. Errors of `out` are the caller's to check. */
int summary_text__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts, const struct text_style *style);

#endif
