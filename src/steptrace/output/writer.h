/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An output's pen: writes lines to a sink, gathers them where the sink likes many at once, and says in the
 * stream what is missing from it. For one thread; but writer__miss() is for any, and `lost` and `failed`
 * may be read by others.
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
#include "steptrace/stream/trace_events.h"

struct writer {
	struct sink *sink; /* borrowed */
	bool drops;        /* goes without what the sink refuses; else that is its end */
	enum stream_format format;
	struct clock_anchor clock;

	struct missing_lines missing; /* not said yet */
	uint64_t told_ns;             /* when it was tried to be said last */
	struct line_counts gone;      /* at all */
	struct incomplete *incomplete;
	struct lines corrected; /* room for lines that differ from what others write */
	struct lines gathered;
	uint64_t gathered_ns; /* when the first of them came; 0: there are none */
	struct json words;    /* our own lines */
	bool is_away;         /* the sink failed */
	bool says_back;       /* that was said, so its end will be */
	uint64_t said_ns;     /* when it was */

	atomic_ullong lost; /* events that the sink did not take */
	atomic_bool failed; /* nothing is written any more */
	struct error err;   /* the sentence of that */
};

/* Into zeroed memory; 0 or -ENOMEM. writer__close() also after a failure. */
int writer__open(struct writer *writer, struct sink *sink, bool drops);
void writer__close(struct writer *writer);

/* The sink's header, which need not wait for somebody to do something. */
void writer__begin(struct writer *writer);

/* The lines behind the first `from` bytes will not be put; their executions' ends will say so. */
void writer__miss(struct writer *writer, const struct lines *lines, size_t from);

/* What is missing in front of the lines, and the lines: written, gathered or counted as lost. */
void writer__put(struct writer *writer, const struct lines *lines,
		 const struct missing_lines *missing);

/* What is missing behind all that was put; nothing may follow for long. It was not the sink that lost it. */
void writer__go_without(struct writer *writer, const struct missing_lines *missing);

/* Writes what is gathered. */
void writer__flush(struct writer *writer);

/* For how long what is gathered, or to be said, may still wait, and the sink be left alone, in ms; -1: for
 * ever. */
int writer__patience_ms(const struct writer *writer);

/* That time is over: writes what may not wait any longer. */
void writer__tick(struct writer *writer);

/* The last words: what is missing behind the last batch, and a trace.stopped with the totals, less
 * what was lost here. */
void writer__end(struct writer *writer, const struct missing_lines *missing,
		 const struct stream_counts *counts, const struct trace_totals *totals,
		 uint64_t stopped_ns);

#endif
