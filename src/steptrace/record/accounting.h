/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exact accounting: every boundary that the kernel counted is an event, a loss or filtered. Pure.
 *
 *	hits = events + lost + filtered		for every kind, once everything is drained
 */
#ifndef STEPTRACE_ACCOUNTING_H
#define STEPTRACE_ACCOUNTING_H

#include "steptrace/capture/capture.h"
#include "steptrace/stream/stream.h"

struct accounting {
	struct capture_counts kernel;  /* as of the last accounting__enter() */
	struct stream_counts reported; /* the losses that a trace.lost has reported */
	uint64_t reported_ns;          /* when that was last */
	bool is_limit_reached;         /* as of the last accounting__enter() */
};

/*
 * Adds what the kernel lost and filtered since the last call to the counts of the stream. Call it
 * when events_limit is reached: what the kernel loses after that was not asked for, and is counted
 * as filtered.
 */
void accounting__enter(struct accounting *accounting, const struct capture_counts *kernel,
		       struct stream *stream);

/* Writes one trace.lost for each kind and reason that grew since the last call. 0 or -ENOMEM. */
int accounting__report(struct accounting *accounting, struct stream *stream, uint64_t now_ns);

/* Boundaries that were hit, of probes that make events. */
uint64_t accounting__hits(const struct accounting *accounting);

/* Boundaries that made no event, summed over kinds (and reasons). */
uint64_t accounting__lost(const struct stream *stream);
uint64_t accounting__filtered(const struct stream *stream);

#endif
