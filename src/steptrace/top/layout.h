/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lays the screen of top out, for any size of a terminal.
 *
 *	 steptrace top  all runners                                         2m 10s
 *	 918 events  0 lost  3 open, the oldest 12.3 s: triage
 *	 COMMAND      RATE/s    COUNT     P50    ▼P99      MAX  FAILED   OPEN   OLDEST
 *	 triage         61.2      612  468 us  871 us  1.94 ms       0      3   12.3 s
 *	 ...
 *	 Enter steps  s sort  / filter  p pause  r reset  ? help  q quit        1 of 1
 *
 * Where the terminal is narrow, columns are left out: WAITS FOR, COUNT, MAX, P50. The one that the
 * rows are sorted by is never left out. Only rows that are on the screen are laid out.
 */
#ifndef STEPTRACE_TOP_LAYOUT_H
#define STEPTRACE_TOP_LAYOUT_H

#include "steptrace/top/frame.h"
#include "steptrace/top/page.h"
#include "steptrace/top/view.h"

void top_layout__screen(struct page *page, struct top_view *view, const struct top_facts *facts,
			unsigned int columns, unsigned int lines);

/* All rows, for a file (`columns` 0: names are not cut) or for a terminal of this width. */
void top_layout__once(struct page *page, struct top_view *view, const struct top_facts *facts,
		      unsigned int columns);

#endif
