// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/batch.h"

#include <stdlib.h>

/* Fewer bytes are copied: a batch shall not occupy much more memory than its lines need. Queues
 * count that memory. */
enum { MOVED_BYTES = STREAM_LINES_BYTES / 4 * 3 };

static int fill(struct batch *batch, struct stream *stream)
{
	struct lines *lines = stream__lines(stream);

	if (lines__bytes(lines) >= MOVED_BYTES)
		return stream__take_lines(stream, &batch->lines);
	if (lines__init(&batch->lines, lines__bytes(lines)) || lines__append(&batch->lines, lines))
		return -1;
	lines__clear(lines);
	return 0;
}

struct batch *batch__take(struct stream *stream)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->users = 1;
	if (fill(batch, stream)) {
		batch__let_go(batch);
		return NULL;
	}
	return batch;
}

void batch__hold(struct batch *batch)
{
	atomic_fetch_add_explicit(&batch->users, 1, memory_order_relaxed);
}

void batch__let_go(struct batch *batch)
{
	if (atomic_fetch_sub_explicit(&batch->users, 1, memory_order_acq_rel) != 1)
		return;
	lines__free(&batch->lines);
	free(batch);
}

size_t batch__bytes(const struct batch *batch)
{
	return sizeof(*batch) + lines__memory_bytes(&batch->lines);
}
