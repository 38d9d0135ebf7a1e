/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books: what the kernel counted against what became of it. Pure.
 *
 *	hits = events + lost + filtered	for every kind, once everything is drained
 */
#ifndef STEPTRACE_ACCOUNTING_H
#define STEPTRACE_ACCOUNTING_H

#include "steptrace/capture/capture.h"
#include "steptrace/stream/stream.h"

struct accounting {
	struct capture_counts kernel;  /* as last entered */
	struct stream_counts reported; /* as last said in a trace.lost */
	uint64_t reported_ns;
};

/* Enters what the kernel lost since the last time into the stream's losses. */
void accounting__enter(struct accounting *accounting, const struct capture_counts *kernel,
		       struct stream *stream);

/* One trace.lost for each kind and reason that grew since the last time; 0 or -ENOMEM. */
int accounting__report(struct accounting *accounting, struct stream *stream, uint64_t now_ns);

/* Boundaries that were hit, of those kinds that make events. */
uint64_t accounting__hits(const struct accounting *accounting);
uint64_t accounting__lost(const struct stream *stream);
uint64_t accounting__filtered(const struct stream *stream);

#endif
