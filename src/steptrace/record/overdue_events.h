/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --overdue: the events command.execution.overdue. A child process finds what is overdue
 * (inflight/lookout.h); here its messages become lines.
 *
 * No probe is hit for such an event. So it is no part of hits = events + lost + filtered, and
 * --count, --sample, --failed, --min-duration and --whole do not concern it. trace.stopped has its
 * number.
 */
#ifndef STEPTRACE_OVERDUE_EVENTS_H
#define STEPTRACE_OVERDUE_EVENTS_H

#include "common/error.h"
#include "steptrace/inflight/lookout.h"
#include "steptrace/stream/pseudonym.h"
#include "steptrace/stream/stream.h"

struct overdue_events {
	struct lookout lookout;
	struct lookout_message *message; /* owned */
	struct lookout_state told;       /* on stderr */
	uint64_t count;                  /* events that were written */
	bool has_failed;                 /* the child ended by itself */
};

/* Starts the child, before privileges are dropped. 0 or negative errno with a sentence. Call
 * overdue_events__close() in any case. */
int overdue_events__open(struct overdue_events *events, const struct lookout_options *options,
			 struct error *err);

/* Appends the lines for the messages that wait; true: there may be more. */
bool overdue_events__take(struct overdue_events *events, struct stream *stream,
			  const struct pseudonyms *pseudonyms);

/* Ends the child, and appends the lines for what it has sent. */
void overdue_events__finish(struct overdue_events *events, struct stream *stream,
			    const struct pseudonyms *pseudonyms);

/* Also for a struct that was never opened, whose descriptor is -1. */
void overdue_events__close(struct overdue_events *events);

#endif
