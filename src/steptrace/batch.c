// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/batch.h"

#include <stdlib.h>
#include <string.h>

enum {
	MOVED_BYTES = 64 * 1024
}; /* fewer are copied, so that a batch is about as large as its lines */

static int copy(struct json *to, const struct json *from)
{
	size_t bytes = json__length(from);

	if (json__init(to, bytes))
		return -1;
	json__bytes(to, from->base, bytes);
	return 0;
}

static int fill(struct batch *batch, struct stream *stream)
{
	if (json__length(stream__lines(stream)) >= MOVED_BYTES)
		return stream__swap(stream, &batch->lines, &batch->kinds);
	if (copy(&batch->lines, stream__lines(stream)) ||
	    copy(&batch->kinds, stream__kinds(stream)))
		return -1;
	stream__written(stream);
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
	json__free(&batch->lines);
	json__free(&batch->kinds);
	free(batch);
}

size_t batch__bytes(const struct batch *batch)
{
	return sizeof(*batch) + (size_t)(batch->lines.limit - batch->lines.base) +
	       (size_t)(batch->kinds.limit - batch->kinds.base);
}

static void count_one(uint8_t kind, struct line_counts *counts)
{
	if (kind & ABORTED_LINE)
		counts->aborted[kind & ~ABORTED_LINE]++;
	else
		counts->events[kind]++;
}

void batch__count(const struct batch *batch, size_t bytes, struct line_counts *counts)
{
	const uint8_t *kinds = (const uint8_t *)batch->kinds.base;
	const char *at = batch->lines.base, *end = batch->lines.at, *from = at + bytes;

	for (size_t line = 0; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (at >= from)
			count_one(kinds[line], counts);
		at = newline ? newline + 1 : end;
	}
}

void line_counts__add(struct line_counts *sum, const struct line_counts *counts)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		sum->events[kind] += counts->events[kind];
		sum->aborted[kind] += counts->aborted[kind];
	}
}

uint64_t line_counts__total(const struct line_counts *counts)
{
	uint64_t total = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		total += counts->events[kind] + counts->aborted[kind];
	return total;
}

void gap__add(struct gap *gap, const struct line_counts *lost, uint64_t since_ns, uint64_t until_ns)
{
	if (line_counts__total(lost) == 0)
		return;
	if (line_counts__total(&gap->lost) == 0 || since_ns < gap->since_ns)
		gap->since_ns = since_ns;
	if (until_ns > gap->until_ns)
		gap->until_ns = until_ns;
	line_counts__add(&gap->lost, lost);
}

uint64_t gap__add_batch(struct gap *gap, const struct batch *batch, size_t from, uint64_t now_ns)
{
	struct line_counts lost = {.events = {0}};

	batch__count(batch, from, &lost);
	gap__add(gap, &lost, now_ns, now_ns);
	return line_counts__total(&lost);
}
