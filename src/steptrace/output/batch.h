/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on their way from the stream to the outputs, shared by all of them. Nobody changes a batch any
 * more; who is done with it lets it go.
 */
#ifndef STEPTRACE_BATCH_H
#define STEPTRACE_BATCH_H

#include <stdatomic.h>

#include "steptrace/stream/stream.h"

struct batch {
	struct lines lines;
	atomic_int users;
};

/* Takes the stream's lines, of which it has none then, with one user. NULL: no memory, and they stay. */
struct batch *batch__take(struct stream *stream);

void batch__hold(struct batch *batch);
void batch__let_go(struct batch *batch);

/* What it takes of the memory. */
size_t batch__bytes(const struct batch *batch);

#endif
