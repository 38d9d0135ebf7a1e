/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events about the recording itself that need more than the stream knows: trace.started,
 * trace.attached and trace.detached. This file collects the facts; trace_events.c writes the lines.
 */
#ifndef STEPTRACE_LIFECYCLE_EVENTS_H
#define STEPTRACE_LIFECYCLE_EVENTS_H

#include "steptrace/stream/pseudonym.h"
#include "steptrace/stream/stream.h"
#include "steptrace/watch/watch.h"

/* `pseudonyms` may be NULL. 0 or -ENOMEM. */
int lifecycle_events__started(struct stream *stream, const struct watch *watch,
			      const struct pseudonyms *pseudonyms);

/* `pids` are processes that run the binary, as far as they are known. 0 or -ENOMEM. */
int lifecycle_events__attached(struct stream *stream, const struct attachment *attachment,
			       const uint32_t *pids, size_t pids_count);
int lifecycle_events__detached(struct stream *stream, const struct attachment *attachment);

#endif
