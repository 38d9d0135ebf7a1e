/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell with a small picture of how the durations of a row are spread: a histogram. All rows of a
 * table have the same axis. It is logarithmic, because durations differ by powers of ten.
 */
#ifndef STEPTRACE_REPORT_HTML_SPREAD_H
#define STEPTRACE_REPORT_HTML_SPREAD_H

#include "steptrace/report_html/html_page.h"

/* What the cells of a table have in common. */
struct html_scale {
	uint64_t whole_ns;       /* the sum of all durations, for shares */
	uint64_t from_ns, to_ns; /* the axis of the pictures: the shortest and longest duration */
};

/* Sets the axis, so that the durations of all rows are on it. */
void html_spread__scale(struct html_scale *scale, struct report_row *const *rows, size_t count);

void html_spread__put(struct html_page *page, const struct report_row *row,
		      const struct html_scale *scale);

#endif
