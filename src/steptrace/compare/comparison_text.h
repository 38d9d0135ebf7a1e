/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A comparison as text: what is compared, why it may not be comparable, and a table for each kind
 * of difference. A row of a table is a command, or a command and a step type.
 *
 *	Slower              OLD      NEW      P50   CHANGE      P95   CHANGE   SLOWER        P
 *	  triage           6709     6811  11.4 ms   +20.1%   271 ms    +2.3%    58.1%    <1e-9
 */
#ifndef STEPTRACE_COMPARE_COMPARISON_TEXT_H
#define STEPTRACE_COMPARE_COMPARISON_TEXT_H

#include <stdio.h>

#include "steptrace/compare/doubts.h"
#include "steptrace/report/text_page.h"

/* `rows` of each table at most. 0 or -ENOMEM. Errors of `out` are the caller's to check. */
int comparison_text__write(FILE *out, const struct comparison *comparison,
			   const struct doubts *doubts,
			   const struct compared_recording sides[COMPARE_SIDES], uint64_t rows,
			   const struct text_style *style);

/* The tables of a comparison, appended to a page. */
void comparison_tables__write(struct text_page *page, const struct comparison *comparison,
			      uint64_t rows);

#endif
