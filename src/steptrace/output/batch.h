/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on their way from the stream to the outputs. All outputs share a batch, and no thread
 * changes it. Its users are counted: the last one that lets it go frees it.
 */
#ifndef STEPTRACE_BATCH_H
#define STEPTRACE_BATCH_H

#include <stdatomic.h>

#include "steptrace/stream/stream.h"

struct batch {
	struct lines lines;
	atomic_int users;
};

/* Moves the lines of the stream into a batch, whose only user is the caller. NULL: no memory; the
 * lines stay in the stream. */
struct batch *batch__take(struct stream *stream);

void batch__hold(struct batch *batch);
void batch__let_go(struct batch *batch);

/* The memory that it occupies. */
size_t batch__bytes(const struct batch *batch);

#endif
