/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The marks of the lines that were written last and that the peer may not have taken yet, oldest
 * first:
 *
 *	bytes on their way	... {"event":"dsl.step.executed",...}\n {"event":...}\n
 *	kept			    612 bytes, EVENT_STEP_EXECUTED, 5e0c…  540 bytes, ...
 *
 * When the peer goes, the last so many bytes are lost, and their marks say what they were.
 */
#ifndef STEPTRACE_UNTAKEN_H
#define STEPTRACE_UNTAKEN_H

#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/lines.h"

struct untaken_line {
	struct line_mark mark;
	size_t bytes;
};

/* Zeroed: empty. */
struct untaken {
	struct untaken_line *lines; /* owned; the used ones are first to first + count - 1 */
	size_t first, count, room;
	size_t bytes; /* of all lines that are kept */
};

void untaken__free(struct untaken *untaken);

/* Adds the next line. Without memory all are forgotten: they count as taken. */
void untaken__add(struct untaken *untaken, const struct line_mark *mark, size_t bytes);

/* Forgets the oldest lines; keeps those in the last so many bytes, also the one that begins before
 * them. */
void untaken__keep(struct untaken *untaken, size_t bytes);

#endif
