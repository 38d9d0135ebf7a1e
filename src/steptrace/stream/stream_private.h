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

struct stream {
	struct stream_options options;
	struct stream_counts counts;
	struct executions *open;
	struct lines lines;
	uint64_t events_total, aborted_total;
	struct decoded decoded;
};

/* Appends the line of an event and its mark. 0, or -ENOMEM: no line was appended. */
int stream__write_line(struct stream *stream, const struct event *event);

/* How many hits of the kind were lost so far, for any reason. */
uint64_t stream__losses_of(const struct stream *stream, enum event_kind kind);

/*
 * The time up to which a record of this probe may have been lost: 0 for never, UINT64_MAX for up
 * to now. `lost_before` is stream__losses_of() when the execution became known.
 */
uint64_t stream__lost_until_ns(const struct stream *stream, enum steptrace_probe probe,
			       uint64_t lost_before);

/*
 * The command ended in this process. If the process did not start it, the process is a fork that
 * went on with the command of its parent: then the parent's execution is marked, so that it is not
 * reported as aborted when the parent ends.
 */
void stream__close_execution(struct stream *stream, struct execution *execution);

#endif
