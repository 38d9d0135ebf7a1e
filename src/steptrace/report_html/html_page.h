/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTML page on which a report is written. It is written piece by piece, so the page itself
 * needs no memory. The parts of the report are functions that write to it.
 *
 * Every text of the recording goes through html_page__text(), or html_text__write(). What the
 * formats of html_page__put() contain is markup, names of this program and numbers.
 *
 * Numbers that are shown rounded are exact in an attribute, with the name that the JSON uses:
 *
 *	<td data-name="p95_ns" data-value="232783872">233 ms</td>
 */
#ifndef STEPTRACE_REPORT_HTML_PAGE_H
#define STEPTRACE_REPORT_HTML_PAGE_H

#include <stdio.h>

#include "steptrace/report/summary.h"

struct html_page {
	FILE *out; /* its errors are the caller's to check */
	const struct summary *summary;
	const struct recording_counts *counts;
	bool has_failed; /* there was no memory */
};

void html_page__put(struct html_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Foreign text. */
void html_page__text(struct html_page *page, const char *text);
/* The same; "" is a dash. */
void html_page__name(struct html_page *page, const char *text);

/* A section with its heading; `id` is a word of this program. The sections do not nest. */
void html_page__begin_section(struct html_page *page, const char *id, const char *title);
void html_page__end_section(struct html_page *page);

/* A table in a box of its own, which scrolls where the window is narrow. */
void html_page__begin_table(struct html_page *page, const char *id, const char *title,
			    const char *classes);
void html_page__end_table(struct html_page *page);

/* Numbers for people. */
enum { HTML_NUMBER_BYTES = 32 };
const char *html_number(char text[HTML_NUMBER_BYTES], uint64_t value); /* "12,345" */
const char *html_percent(char text[HTML_NUMBER_BYTES], uint64_t part, uint64_t whole);
const char *html_duration(char text[HTML_NUMBER_BYTES], uint64_t ns); /* "233 ms" */

/* The parts. */
void html_head__write(struct html_page *page);
void html_coverage__write(struct html_page *page);
void html_timeline__write(struct html_page *page);
void html_tables__write(struct html_page *page);
void html_waterfalls__write(struct html_page *page);

#endif
