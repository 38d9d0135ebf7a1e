/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to stream*.c: the stream itself, and what records and terminations both need.
 *
 *	stream.c		making and freeing it, its lines and counts
 *	stream_record.c		one record of a boundary
 *	stream_termination.c	the end of a process
 *	stream_whole.c		--whole: which executions are written
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

	/* Of --whole. */
	struct whole_counts whole;
	struct fates *fates; /* NULL: every execution is written */
	struct lines line;   /* a line that has to be held, while it is written */
	/* Executions that began up to this time may have been written early, and then removed. If
	 * they become known again, their other events are written as well. */
	uint64_t early_until_ns;
	bool removed_early; /* false: there was none */
	bool hold_was_full;

	/* The executions that were reported as aborted last. A process that was not known then may
	 * report another boundary, but a second end is not written. */
	uint8_t aborted_ids[ABORTED_IDS_COUNT][16];
	uint64_t aborted_ids_total; /* the next one goes to this number modulo the size */
};

/* Writes, holds or leaves out the line of an event, counts the event, and calls on_event, where the
 * options say so. `execution` is NULL for a command that was rejected before it began. 0, or
 * -ENOMEM: nothing was done. */
int stream__tell(struct stream *stream, const struct event *event, struct execution *execution);

/* Counts lines that were written. */
void stream__count_written(struct stream *stream, enum event_kind kind, bool is_aborted,
			   uint64_t count);

/* Removes an execution. If its lines are held, the end of the execution was not seen. */
void stream__remove(struct stream *stream, struct execution *execution);

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

/* ---- stream_whole.c */

/* 0 or -ENOMEM. */
int stream__open_whole(struct stream *stream);
void stream__close_whole(struct stream *stream);

/* An execution became known: by its start, or later. */
void stream__meet(struct stream *stream, struct execution *execution, bool is_start);

/* Only with --whole. Where the line of an event belongs: stream->lines, stream->line if it is to be
 * held, or NULL if it is left out. The end of an execution decides about all of its lines. 0 or
 * -ENOMEM. */
int stream__choose_lines(struct stream *stream, const struct event *event,
			 struct execution *execution, struct lines **lines);

/* Holds stream->line. If there is no room, the oldest executions are written. 0 or -ENOMEM. */
int stream__hold_line(struct stream *stream, struct execution *execution);

#endif
