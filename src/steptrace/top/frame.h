/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of the screen above and below the table: what is traced, what was counted, which keys
 * there are. */
#ifndef STEPTRACE_TOP_FRAME_H
#define STEPTRACE_TOP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/top/page.h"
#include "steptrace/top/view.h"

/* What the screen says beside the rows. */
struct top_facts {
	const char *target;  /* "all runners", "process 4711" */
	uint64_t elapsed_ns; /* what the numbers are about */
	uint64_t events, lost, filtered;
	uint64_t not_seen;        /* steps of commands that ended */
	uint64_t forgotten;       /* executions that are not counted as open: there were too many */
	uint64_t not_counted;     /* there was no memory */
	uint64_t open, oldest_ns; /* open commands, and the age of the oldest */
	const char *oldest;       /* its slug, printable; NULL: none is open */
	bool is_oldest_older;     /* it may be older than that */
	bool are_steps_not_opened; /* which steps are open is not known */
	const char *message;       /* for the last line; NULL: none */
};

/* Line 0: of a screen, and of a file. */
void top_frame__bar(struct page *page, const struct top_view *view, const struct top_facts *facts);
void top_frame__heading(struct page *page, const struct top_facts *facts);

/* As many lines as the counts take. Returns the line behind them. */
unsigned int top_frame__counts(struct page *page, unsigned int line, const struct top_facts *facts,
			       unsigned int margin);

/* The filter that is typed, a message, or keys; and which rows are on the screen. */
void top_frame__last_line(struct page *page, unsigned int line, struct top_view *view,
			  const struct top_facts *facts);

#endif
