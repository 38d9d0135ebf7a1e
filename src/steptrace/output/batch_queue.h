/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The batches that one output has still to write, oldest first, and the lines that were refused
 * because the queue was full:
 *
 *	first -> batch -> batch -> [missing] batch -> NULL, missing
 *
 * Refused lines are remembered at the place where they are missing: in front of the next batch, or
 * behind the last one. Nothing here locks; the output does.
 */
#ifndef STEPTRACE_BATCH_QUEUE_H
#define STEPTRACE_BATCH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/output/batch.h"
#include "steptrace/output/missing_lines.h"

struct queued_batch {
	struct batch *batch;
	struct missing_lines missing; /* in front of the batch */
	struct queued_batch *next;
};

struct batch_queue {
	struct queued_batch *first, **last;
	struct missing_lines missing; /* behind the last batch */
	size_t bytes;                 /* of memory; a batch counts until batch_queue__done() */
	size_t limit_bytes;
};

void batch_queue__init(struct batch_queue *queue, size_t limit_bytes);

/* Lets all batches go. */
void batch_queue__clear(struct batch_queue *queue);

/* One batch may exceed the limit. */
bool batch_queue__is_full(const struct batch_queue *queue);

/* Holds the batch. 0, or -ENOMEM and nothing is changed. */
int batch_queue__add(struct batch_queue *queue, struct batch *batch);

/* The lines are missing. Returns how many events of runners are among them. */
uint64_t batch_queue__refuse(struct batch_queue *queue, const struct lines *lines, uint64_t now_ns);

/* Removes the first batch; NULL: the queue is empty. Then batch_queue__done(), and
 * queued_batch__free(). */
struct queued_batch *batch_queue__take(struct batch_queue *queue);
void batch_queue__done(struct batch_queue *queue, const struct queued_batch *queued);
void queued_batch__free(struct queued_batch *queued);

/* What was refused behind the last batch. It is forgotten here. */
struct missing_lines batch_queue__take_missing(struct batch_queue *queue);

#endif
