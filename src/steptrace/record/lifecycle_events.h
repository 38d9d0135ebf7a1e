/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording says of itself while it goes on: its first line, the binaries that come and go,
 * and the words for a person on stderr.
 */
#ifndef STEPTRACE_LIFECYCLE_EVENTS_H
#define STEPTRACE_LIFECYCLE_EVENTS_H

#include "steptrace/attach/attachments.h"
#include "steptrace/attach/targets.h"
#include "steptrace/stream/pseudonym.h"
#include "steptrace/stream/stream.h"

/* trace.started; `command_path` is what `-- COMMAND` will execute; `pseudonyms` may be NULL. 0 or -ENOMEM. */
int lifecycle_events__started(struct stream *stream, const struct targets *targets,
			      const char *command_path, const struct attachments *attachments,
			      const struct pseudonyms *pseudonyms);

/* trace.attached and trace.detached. 0 or -ENOMEM. */
int lifecycle_events__attached(struct stream *stream, const struct attachment *attachment,
			       const uint32_t *pids, size_t pids_count);
int lifecycle_events__detached(struct stream *stream, const struct attachment *attachment);

/* On stderr: what is attached; a line that is written over again and again; how it ended. */
void lifecycle_events__ready(const struct attachments *attachments, bool ends_by_itself);
void lifecycle_events__progress(const struct stream *stream, uint64_t since_ns);
/* `unwritten`: events that no output wrote. */
void lifecycle_events__end(const struct stream *stream, const char *reason, uint64_t unwritten,
			   bool over_progress);

#endif
