/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the lines of one output to its sink, and reports in trace.lost lines what is missing
 * there. It gathers lines when the sink prefers large writes.
 *
 * The thread of the output uses it. Other threads may only call writer__miss() and read `lost` and
 * `failed`. Times are CLOCK_MONOTONIC in ns.
 */
#ifndef STEPTRACE_WRITER_H
#define STEPTRACE_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/incomplete.h"
#include "steptrace/output/missing_lines.h"
#include "steptrace/output/sink.h"
#include "steptrace/output/untaken.h"
#include "steptrace/stream/trace_events.h"

struct writer {
	struct sink *sink; /* borrowed */
	bool drops; /* after an error of the sink: drop the lines, go on; else fail for good */
	enum stream_format format;
	struct labels labels;
	struct clock_anchor clock;

	struct missing_lines missing;   /* not reported yet */
	uint64_t reported_ns;           /* when the last report was attempted */
	struct line_counts not_written; /* all that is missing, from the start */
	struct line_counts refused;     /* the same of what the peer refused */
	struct incomplete *incomplete;
	struct untaken untaken; /* what is written, but may still be lost */
	struct lines corrected; /* memory for lines that are changed for this output */
	struct lines gathered;
	uint64_t gathered_ns;  /* when the first of them came; 0: none */
	struct json own_lines; /* memory for trace.lost and trace.stopped */
	bool is_failing;       /* the last write failed */
	bool logged_failure;   /* the failure was logged, so its end is logged, too */
	uint64_t logged_ns;    /* when a failure was logged last */

	atomic_ullong lost; /* events that the sink did not write */
	atomic_bool failed; /* for good: nothing is written any more */
	struct error err;   /* the reason */
};

/* For zeroed memory. The sink is borrowed. 0 or -ENOMEM; writer__close() in any case. */
int writer__open(struct writer *writer, struct sink *sink, bool drops);
void writer__close(struct writer *writer);

/* Writes the header of the sink at once, before there is an event. */
void writer__begin(struct writer *writer);

/* The lines behind the first `from` bytes will never come to writer__put(). The end events of their
 * executions will say that they are incomplete. */
void writer__miss(struct writer *writer, const struct lines *lines, size_t from);

/* Writes or gathers the lines, or counts them as lost. `missing`: what is missing in front of
 * them. */
void writer__put(struct writer *writer, const struct lines *lines,
		 const struct missing_lines *missing);

/* `missing` is missing behind all lines so far; the queue refused it. It is reported by the next
 * writer__tick() that is due, also when no lines follow. */
void writer__add_missing(struct writer *writer, const struct missing_lines *missing);

/* Writes the gathered lines. */
void writer__flush(struct writer *writer);

/* Counts what the sink says is lost after all (lost_bytes). To be called after on_readable(). */
void writer__take_back(struct writer *writer);

/* For poll(): after so many ms writer__tick() has to be called, when no lines come before that. -1:
 * it need not be called. */
int writer__timeout_ms(const struct writer *writer);

/* Writes gathered lines and reports that are due, and runs the timer of the sink. */
void writer__tick(struct writer *writer);

/* Writes what is left, reports what is missing behind the last lines, and writes the trace.stopped:
 * the totals, in which events that were not written here are counted as lost. Sets `failed` when
 * that fails. */
void writer__end(struct writer *writer, const struct missing_lines *missing,
		 const struct stream_counts *counts, const struct trace_totals *totals,
		 uint64_t stopped_ns);

#endif
