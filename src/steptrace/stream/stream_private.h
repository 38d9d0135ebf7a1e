/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to stream*.c: the stream itself, and what records and terminations both need.
 *
 *	stream.c		making and freeing it, its lines and counts
 *	stream_record.c		one record of a boundary
 *	stream_termination.c	the end of a process
 */
#ifndef STEPTRACE_STREAM_PRIVATE_H
#define STEPTRACE_STREAM_PRIVATE_H

#include "steptrace/stream/executions.h"
#include "steptrace/stream/stream.h"

enum { ABORTED_IDS_COUNT = 1024 };

struct stream {
	struct stream_options options;
	struct stream_counts counts;
	struct executions *open;
	struct lines lines;
	uint64_t events_total, aborted_total;
	struct decoded decoded;
	struct member unlisted; /* a process for which an execution has no room */

	/* The executions that were reported as aborted last. A process that was not known then may
	 * report another boundary, but a second end is not written. */
	uint8_t aborted_ids[ABORTED_IDS_COUNT][16];
	uint64_t aborted_ids_total; /* the next one goes to this number modulo the size */
};

/* Writes the line of an event and calls on_event, where the options say so. 0, or -ENOMEM: neither
 * was done. */
int stream__tell(struct stream *stream, const struct event *event);

/* How many hits of the kind were lost so far, for any reason. */
uint64_t stream__losses_of(const struct stream *stream, enum event_kind kind);

void stream__remember_aborted(struct stream *stream, const uint8_t id[16]);
bool stream__was_aborted(const struct stream *stream, const uint8_t id[16]);

/*
 * The time up to which a record of this probe may have been lost: 0 for never, UINT64_MAX for up
 * to now. `lost_before` is stream__losses_of() when the execution became known.
 */
uint64_t stream__lost_until_ns(const struct stream *stream, enum steptrace_probe probe,
			       uint64_t lost_before);

#endif
