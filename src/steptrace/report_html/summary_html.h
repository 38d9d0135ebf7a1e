/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A summary as one HTML page that needs nothing else: no network, no font, no other file. Its
 * Content-Security-Policy allows its own style sheet and script alone, by their hashes.
 *
 * All numbers and pictures are in the page without JavaScript. The script sorts tables, and shows
 * the first rows of long ones.
 */
#ifndef STEPTRACE_REPORT_SUMMARY_HTML_H
#define STEPTRACE_REPORT_SUMMARY_HTML_H

#include <stdio.h>

#include "steptrace/report/summary.h"

/* 0 or -ENOMEM. Errors of `out` are the caller's to check. */
int summary_html__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts);

#endif
