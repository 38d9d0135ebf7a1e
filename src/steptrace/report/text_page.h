/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page on which a report is written as text. It keeps the first error; after that nothing is
 * appended. The parts of the report are functions that append to it.
 */
#ifndef STEPTRACE_REPORT_TEXT_PAGE_H
#define STEPTRACE_REPORT_TEXT_PAGE_H

#include "steptrace/report/summary.h"
#include "steptrace/stream/text_line.h"

struct text_page {
	struct json text;
	const struct text_style *style;
	const struct summary *summary;
	const struct recording_counts *counts;
	bool has_failed;
	struct text_line line;
};

/* A heading in front of a part, with an empty line above. */
void text_page__heading(struct text_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* One line; what is foreign in it is made printable. */
void text_page__line(struct text_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A sentence: on a terminal, as many lines as it needs, broken between words. */
void text_page__words(struct text_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A line in pieces. False: there is no memory, and the line must not be written. */
bool text_page__begin(struct text_page *page);
void text_page__put(struct text_page *page, const char *text, unsigned int columns);
/* So that the text ends in front of that column. */
void text_page__put_right(struct text_page *page, const char *text, unsigned int column);
void text_page__end(struct text_page *page);

/* The parts: what the recording covers; tables; the line of blocks, and the waterfalls. */
void text_coverage__write(struct text_page *page);
void text_tables__write(struct text_page *page);
void text_bottlenecks__write(struct text_page *page);
void text_timeline__write(struct text_page *page);
void text_waterfalls__write(struct text_page *page);

#endif
