/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One output: a queue of batches, and a thread that writes them to a sink. A slow sink delays
 * neither the recording nor the other outputs.
 *
 *	recording: give, give, give ...  ->  queue  ->  thread: write  ->  sink
 *
 * The queue is limited. When it is full, the policy of the output decides:
 *
 *	block  the recording waits until there is room. Meanwhile the ring buffer fills; what does
 *	       not fit there is counted as lost in the kernel. An error of the sink ends the output.
 *	drop   the output drops lines, counts them, and writes a trace.lost before the next line.
 *	       After an error of the sink it drops lines, too, and tries again with the next batch.
 *
 * The functions are for the thread of the recording. Sizes are in bytes, times are CLOCK_MONOTONIC
 * in ns.
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
	bool drops;         /* the policy is drop; else block */
	size_t queue_bytes; /* the limit of the queue */
};

struct output;

/*
 * Opens the sink. 0, or negative errno with a sentence in `err`. The caller closes the output. The
 * eventfd `news_fd` is borrowed; it becomes readable when there is room in a queue that was full,
 * when the output failed, and when it is done.
 */
int output__open(const struct output_options *options, int news_fd, struct output **output,
		 struct error *err);

/* Accepts NULL. When the thread still runs, it is ended first: what is queued is not written, and
 * neither is a trace.stopped. */
void output__close(struct output *output);

/* The group of its files, which the tracer has to be a member of; FILE_GROUP_ANY: none. */
gid_t output__group(const struct output *output);

/* Starts the thread. `header` is borrowed: each part of the output begins with it (see sink.h).
 * `lines` says how lines are written. 0, or negative errno with a sentence in `err`. */
int output__start(struct output *output, const char *header, const struct stream_options *lines,
		  struct error *err);

/* Queues the batch, or drops it and counts it. The batch still belongs to the caller. */
void output__give(struct output *output, struct batch *batch);

/* False: the queue is full, and the policy is block. news_fd will tell when there is room. */
bool output__has_room(struct output *output);

/* A file is opened again at its path, because another process may have renamed it (SIGHUP). */
void output__reopen(struct output *output);

/* ---- the end */

/* No more batches will follow. The thread writes the rest of the queue and then a trace.stopped
 * with these totals, in which lines that this output lost are counted as lost. */
void output__finish(struct output *output, const struct stream_counts *counts,
		    const struct trace_totals *totals, uint64_t now_ns);
/* The trace.stopped is written, or that failed. */
bool output__is_done(struct output *output);

/* The recording waits for this output: for room in its queue, or for its end. */
bool output__is_awaited(struct output *output);
/* All bytes that were written so far. While the number grows, there is progress. */
uint64_t output__written_bytes(const struct output *output);
/* The recording has ended, and waits. A sink that judges its peer itself has less patience now. */
void output__await_end(struct output *output);
/* An output that is awaited and makes no progress for so long is to be given up. */
uint64_t output__stall_timeout_ns(const struct output *output);
/* From now on the sink does not wait for its reader any more. A write that would have to wait
 * fails. */
void output__give_up(struct output *output);

/* Waits for the end of the thread. */
void output__end(struct output *output);

/* ---- results */

struct output_state {
	uint64_t lost;         /* events of runners that were not written here */
	uint64_t queued_bytes; /* in the queue */
	uint64_t queue_bytes;  /* the limit of the queue */
	bool failed;           /* an error ended it */
};
void output__state(struct output *output, struct output_state *state);

/* The sentence of that error. Only after output__state() said `failed`, or after output__end(). */
const struct error *output__error(const struct output *output);
const char *output__name(const struct output *output);
bool output__is_terminal(const struct output *output);
/* The row of its sink in the table of kinds: what rights it needs (see sink.h). */
const struct sink_kind *output__kind(const struct output *output);

#endif
