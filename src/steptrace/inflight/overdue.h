/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --overdue TIME[,TIME...]: which commands and steps have been open for one of these times, and
 * were not reported for it yet.
 *
 *	overdue__begin_look
 *	overdue__check for each row	raises its ages, and says which times were reached
 *	overdue__end_look		forgets what no row of the last looks contained
 *
 * A command that began before the tracer was attached has no start time. It is at least as old as
 * the first look that saw it with the tracer attached: since then the runner stores a start time in
 * whatever begins, so a command without a start time is the same command.
 *
 * Nothing here reads a clock or a process.
 */
#ifndef STEPTRACE_OVERDUE_H
#define STEPTRACE_OVERDUE_H

#include "common/error.h"
#include "steptrace/inflight/open_row.h"

enum { OVERDUE_TIMES_MAX = 8 };

struct overdue_times {
	uint64_t ns[OVERDUE_TIMES_MAX]; /* the shortest first */
	size_t count;                   /* 0: --overdue was not given */
};

/* "30s,5m" in any order. 0, or -EINVAL with a sentence. */
int overdue_times__parse(struct overdue_times *times, const char *list, struct error *err);

struct overdue;

/* NULL: no memory. `times` is copied. */
struct overdue *overdue__new(const struct overdue_times *times);
void overdue__free(struct overdue *overdue);

void overdue__begin_look(struct overdue *overdue, uint64_t now_ns);

/* A bit for each time, that of the shortest first: which times the command, and the step, have
 * reached and were not reported for. */
struct overdue_news {
	unsigned int command, step;
};

/* Without memory the row is checked again in the next look. */
struct overdue_news overdue__check(struct overdue *overdue, struct open_row *row);

/*
 * `was_searched`: whether all memory of the process was searched in this look; NULL: that of each
 * process was. Where a process was searched only in part, what was reported of it is not forgotten,
 * nor when a command without a start time was seen first.
 */
void overdue__end_look(struct overdue *overdue, bool (*was_searched)(void *context, uint32_t pid),
		       void *context);

/* How many commands and steps are remembered. */
size_t overdue__count(const struct overdue *overdue);

#endif
