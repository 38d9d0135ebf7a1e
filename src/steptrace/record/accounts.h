/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books: what the kernel counted against what became of it. Pure.
 *
 *	hits = events + lost + filtered	for every kind, once everything is drained
 */
#ifndef STEPTRACE_ACCOUNTS_H
#define STEPTRACE_ACCOUNTS_H

#include "steptrace/capture/capture.h"
#include "steptrace/stream/stream.h"

struct accounts {
	struct capture_counts kernel;  /* as last entered */
	struct stream_counts reported; /* as last said in a trace.lost */
	uint64_t reported_ns;
};

/* Enters what the kernel lost since the last time into the stream's losses. */
void accounts__enter(struct accounts *accounts, const struct capture_counts *kernel,
		     struct stream *stream);

/* One trace.lost for each kind and reason that grew since the last time; 0 or -ENOMEM. */
int accounts__report(struct accounts *accounts, struct stream *stream, uint64_t now_ns);

/* Boundaries that were hit, of those kinds that make events. */
uint64_t accounts__hits(const struct accounts *accounts);
uint64_t accounts__lost(const struct stream *stream);
uint64_t accounts__filtered(const struct stream *stream);

#endif
