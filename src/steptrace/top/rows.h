/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What top knows of each command and of its steps: how many ended, how long they took, and how many
 * are open.
 *
 *	triage ------> save-note FragmentCreateStep
 *	               make-title TransformStep
 *	mail.send ---> NotifyStep
 *	(other) -----> (other)
 *
 * The numbers of commands and of steps are limited. What belongs to further commands is in the
 * command "(other)", what belongs to further steps is in the step "(other)" of their command.
 *
 * The numbers that people see (`shown`) change only when top_row__update() is called.
 */
#ifndef STEPTRACE_TOP_ROWS_H
#define STEPTRACE_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/latency/cpu_sums.h"
#include "steptrace/latency/histogram.h"
#include "steptrace/stream/event.h"
#include "steptrace/top/open_now.h"
#include "steptrace/top/rate.h"

struct top_numbers {
	uint64_t count, failures, open;
	double rate;                     /* that ended per second */
	uint64_t timed;                  /* have a known duration; 0: the next three say nothing */
	uint64_t p50_ns, p99_ns, max_ns; /* of durations */
	uint64_t age_ns;                 /* of the oldest open one */
	bool is_age_more;                /* it may be older than that */
	bool is_measured;                /* false: the next three say nothing */
	double cpu_share, blocked_share; /* of the time of the threads, from 0 to 1 */
	int blocked_kind;                /* what it was blocked by for the longest time */
};

struct top_row {
	char *text;           /* printable: what the row is about; owned */
	unsigned int columns; /* of the text */
	bool is_other;
	struct histogram durations;
	struct cpu_sums cpu;      /* with --breakdown */
	uint64_t count, failures; /* that ended; with the outcome failure or aborted */
	struct rate rate;
	uint64_t open, open_since_ns; /* how many are open, and when the oldest began */
	bool is_open_older;           /* one of them began before that, it is not known when */
	struct top_numbers shown;

	struct top_row *next;        /* of the same list, in no order */
	struct top_row *steps;       /* of a command: the first of its list */
	struct top_row *other_steps; /* of a command; owned; NULL: there are none */
};

struct top_rows;

/* At most `limit` commands, and as many steps of all commands together. NULL: no memory. */
struct top_rows *top_rows__new(size_t limit);
void top_rows__free(struct top_rows *rows);

/* Adds the command or step that ended; other events do nothing. */
void top_rows__on_event(struct top_rows *rows, const struct event *event);

/* After the first function no row has anything open. Each call of the second adds a command or step
 * to its row; `rows` is a struct top_rows. */
void top_rows__begin_open(struct top_rows *rows);
void top_rows__add_open(void *rows, const struct open_span_now *span);

/* Calls `each` for all commands (`command` NULL), or for all steps of a command. */
void top_rows__each(struct top_rows *rows, const struct top_row *command,
		    void (*each)(void *context, struct top_row *row), void *context);

/* Removes all rows but this command, which is empty then. NULL: all. */
void top_rows__reset(struct top_rows *rows, struct top_row *keep);

/* How many events and open spans are in no row because there was no memory. */
uint64_t top_rows__lost(const struct top_rows *rows);

/* How much memory the rows have. */
size_t top_rows__bytes(const struct top_rows *rows);

/* The time that the numbers are about, on CLOCK_MONOTONIC. */
struct top_window {
	uint64_t from_ns, now_ns;
	bool is_whole; /* the rate is that of the whole time, not of the last seconds */
};

void top_row__update(struct top_row *row, const struct top_window *window);

#endif
