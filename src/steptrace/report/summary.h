/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that a report says, collected from the events of a recording one by one.
 *
 *	summary = summary__new(&options);
 *	while (recording_reader__next(...) > 0)
 *		summary__add(summary, &event);
 *	summary__finish(summary);
 *	summary_json__write(...), summary_text__write(...) or summary_html__write(...)
 *
 * Memory is bounded: each table has a limit of rows, and what has no row is in the row "other".
 */
#ifndef STEPTRACE_REPORT_SUMMARY_H
#define STEPTRACE_REPORT_SUMMARY_H

#include "steptrace/glob.h"
#include "steptrace/recording/recording_reader.h"
#include "steptrace/report/coverage.h"
#include "steptrace/report/sections.h"
#include "steptrace/report/timeline.h"
#include "steptrace/report/waterfalls.h"

struct summary_options {
	uint64_t since_ns, until_ns; /* timestamps, since <= t < until; until 0: no end */
	bool has_command;
	struct glob command; /* only of these */
	uint64_t slow_command_ns, slow_step_ns;
	uint64_t slowest; /* how many waterfalls */
	uint64_t rows;    /* of a table, in text and HTML */
};

/* What was selected of the events of runners. */
struct selection {
	uint64_t events, other_time, other_command;
	uint64_t without_time; /* left out, because --since or --until asks for the time */
};

struct summary {
	struct summary_options options;
	struct coverage coverage;
	struct selection selection;
	struct report_rows *tables[SECTIONS_COUNT]; /* owned, as all pointers here */
	struct timeline timeline;
	struct waterfalls *waterfalls;
	struct repeats *ended;     /* the last executions that ended */
	uint64_t ended_repeatedly; /* an execution id that has ended before */
	struct repeats *overdue;   /* the last executions and steps that were reported as overdue */
};

/* NULL: no memory. */
struct summary *summary__new(const struct summary_options *options);
void summary__free(struct summary *summary);

/* 0, or -ENOMEM: the summary is wrong then. */
int summary__add(struct summary *summary, const struct recorded_event *event);
void summary__finish(struct summary *summary);

/* The sum of the durations in a table; UINT64_MAX if it is larger than that. */
uint64_t summary__time_ns(const struct summary *summary, enum section_id section);

#endif
