/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One output: a queue of batches, and a thread that writes them to a sink, so that whoever is slow is
 * slow alone.
 *
 *	recording: give, give, give ...  ->  queue  ->  thread: write  ->  sink
 *
 * The queue is bounded. When it is full, an output of policy `block` has the recording wait (the
 * kernel's buffer fills, and loss is counted there); one of policy `drop` goes without, counts what,
 * and says so in a trace.lost before it goes on. A sink that fails ends an output that blocks; one
 * that drops goes without, again, and tries the next batch.
 */
#ifndef STEPTRACE_OUTPUT_H
#define STEPTRACE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/batch.h"
#include "steptrace/output/sink.h"
#include "steptrace/stream/trace_events.h"

struct output_options {
	struct sink_options sink;
	bool drops;         /* policy; else it blocks */
	size_t queue_bytes; /* its limit */
};

struct output;

/* Opens the sink. `news_fd`, an eventfd, is written to when there is room again, or a failure. */
int output__open(const struct output_options *options, int news_fd, struct output **output,
		 struct error *err);
/* Also NULL, and only after output__end() where it was started. */
void output__close(struct output *output);

/* Whether it can go on as who we are now; 0 or negative errno with a sentence. */
int output__check_rights(const struct output *output, struct error *err);

/* Begins its thread. `header`, borrowed, begins each part (see sink.h); the format and clock are
 * those of the lines. */
int output__start(struct output *output, const char *header, enum stream_format format,
		  const struct clock_anchor *clock, struct error *err);

/* The batch, which stays the caller's, will be written or counted. */
void output__give(struct output *output, struct batch *batch);

/* Whether the recording may go on. */
bool output__has_room(struct output *output);

/* Files are opened anew by their names. */
void output__reopen(struct output *output);

/* There is no more. Behind the rest of its queue the thread writes a trace.stopped with the totals,
 * less what this output lost. */
void output__finish(struct output *output, const struct stream_counts *counts,
		    const struct trace_totals *totals, uint64_t now_ns);
/* Whether it has. */
bool output__is_done(struct output *output);
/* Whether the recording waits for it: for room, or for its end. */
bool output__is_awaited(struct output *output);
/* What it moved at all: while that grows, it gets on. */
uint64_t output__moved_bytes(const struct output *output);
/* How long it may not get on before somebody gives it up. */
uint64_t output__patience_ns(const struct output *output);
/* Do not wait for a sink any longer. */
void output__give_up(struct output *output);
/* Waits for the thread. */
void output__end(struct output *output);

/* ---- what became of it */

struct output_state {
	uint64_t lost;         /* events that were not written here */
	uint64_t queued_bytes; /* waiting */
	uint64_t queue_bytes;  /* its limit */
	bool failed;
};
void output__state(struct output *output, struct output_state *state);

/* The sentence of its failure. Once output__state() said so, or after output__end(). */
const struct error *output__error(const struct output *output);
const char *output__name(const struct output *output);
bool output__is_terminal(const struct output *output);
/* The row of its sink in the table of kinds: what rights it needs (see sink.h). */
const struct sink_kind *output__kind(const struct output *output);

#endif
