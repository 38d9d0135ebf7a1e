/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person reads on stderr while a recording runs. */
#ifndef STEPTRACE_CONSOLE_H
#define STEPTRACE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/attach/attachments.h"
#include "steptrace/stream/stream.h"

/* "attached to 2 binaries (uprobe_multi, site nop1); Ctrl-C ends" */
void console__ready(const struct attachments *attachments, bool ends_by_itself);

/* Rewrites the progress line: "1234 events, 0 lost, 00:12". */
void console__progress(const struct stream *stream, uint64_t since_ns);

/*
 * "1234 events, 0 lost, 56 filtered (interrupted)". `unwritten` is how many events no output has
 * written; `over_progress`: there is a progress line to replace.
 */
void console__end(const struct stream *stream, const char *reason, uint64_t unwritten,
		  bool over_progress);

#endif
