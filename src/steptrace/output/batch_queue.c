// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/batch_queue.h"

#include <errno.h>
#include <stdlib.h>

void batch_queue__init(struct batch_queue *queue, size_t limit_bytes)
{
	*queue = (struct batch_queue){.limit_bytes = limit_bytes};
	queue->last = &queue->first;
}

void batch_queue__clear(struct batch_queue *queue)
{
	struct queued_batch *queued;

	while ((queued = batch_queue__take(queue)))
		queued_batch__free(queued);
}

bool batch_queue__is_full(const struct batch_queue *queue)
{
	return queue->bytes > queue->limit_bytes;
}

struct missing_lines batch_queue__take_missing(struct batch_queue *queue)
{
	struct missing_lines missing = queue->missing;

	queue->missing = (struct missing_lines){.since_ns = 0};
	return missing;
}

int batch_queue__add(struct batch_queue *queue, struct batch *batch)
{
	struct queued_batch *queued = malloc(sizeof(*queued));

	if (!queued)
		return -ENOMEM;
	batch__hold(batch);
	*queued =
		(struct queued_batch){.batch = batch, .missing = batch_queue__take_missing(queue)};
	*queue->last = queued;
	queue->last = &queued->next;
	queue->bytes += batch__bytes(batch);
	return 0;
}

uint64_t batch_queue__refuse(struct batch_queue *queue, const struct lines *lines, uint64_t now_ns)
{
	return missing_lines__add_lines(&queue->missing, lines, 0, now_ns);
}

struct queued_batch *batch_queue__take(struct batch_queue *queue)
{
	struct queued_batch *queued = queue->first;

	if (!queued)
		return NULL;
	queue->first = queued->next;
	if (!queue->first)
		queue->last = &queue->first;
	return queued;
}

void batch_queue__done(struct batch_queue *queue, const struct queued_batch *queued)
{
	queue->bytes -= batch__bytes(queued->batch);
}

void queued_batch__free(struct queued_batch *queued)
{
	batch__let_go(queued->batch);
	free(queued);
}
