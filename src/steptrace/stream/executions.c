// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/executions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/id_hash.h"

enum { BUCKETS_COUNT = 1 << 12, QUEUES_COUNT = 256, SPARE_LIMIT = 256 };

/* Executions in the order in which they began. A queue serves every pid of the same remainder. */
struct queue {
	struct execution *oldest, *newest;
	size_t count;
};

struct executions {
	struct execution *buckets[BUCKETS_COUNT];
	struct id_hash hash;
	struct queue queues[QUEUES_COUNT];
	struct execution *spare; /* removed entries for new executions, linked by next_in_bucket */
	size_t spare_count;
	size_t count, limit;
	uint64_t forgotten;
	struct open_steps_store steps;
};

struct executions *executions__new(size_t limit)
{
	struct executions *open = calloc(1, sizeof(*open));

	if (!open)
		return NULL;
	open->limit = limit ? limit : 1;
	id_hash__init(&open->hash);
	return open;
}

/* Frees an entry that is in no list any more. */
static void release(struct executions *open, struct execution *execution)
{
	open_steps__clear(&execution->open, &open->steps);
	free(execution->json);
	free(execution);
}

void executions__free(struct executions *open)
{
	struct execution *at, *next;

	if (!open)
		return;
	for (int i = 0; i < QUEUES_COUNT; i++)
		for (at = open->queues[i].oldest; at; at = next) {
			next = at->newer;
			release(open, at);
		}
	for (at = open->spare; at; at = next) {
		next = at->next_in_bucket;
		release(open, at);
	}
	open_steps__free_store(&open->steps);
	free(open);
}

/* The pid is not hashed: the executions of forked processes share a bucket with their parent's. */
static struct execution **bucket_of(struct executions *open, const uint8_t id[16])
{
	return &open->buckets[id_hash__of(&open->hash, id) % BUCKETS_COUNT];
}

struct execution *executions__find(struct executions *open, uint32_t pid, const uint8_t id[16])
{
	struct execution *at = *bucket_of(open, id);

	while (at && (at->pid != pid || memcmp(at->id, id, sizeof(at->id)) != 0))
		at = at->next_in_bucket;
	return at;
}

static struct execution *take_spare(struct executions *open)
{
	struct execution *entry = open->spare;

	if (!entry)
		return calloc(1, sizeof(*entry));
	open->spare = entry->next_in_bucket;
	open->spare_count--;
	return entry;
}

static struct queue *queue_of(struct executions *open, uint32_t pid)
{
	return &open->queues[pid % QUEUES_COUNT];
}

static void link_entry(struct executions *open, struct execution *entry)
{
	struct execution **bucket = bucket_of(open, entry->id);
	struct queue *queue = queue_of(open, entry->pid);

	entry->next_in_bucket = *bucket;
	*bucket = entry;
	entry->older = queue->newest;
	entry->newer = NULL;
	if (queue->newest)
		queue->newest->newer = entry;
	else
		queue->oldest = entry;
	queue->newest = entry;
	queue->count++;
	open->count++;
}

/* Drops the oldest execution of the longest queue. */
static void forget_one(struct executions *open)
{
	struct queue *longest = &open->queues[0];

	for (int i = 1; i < QUEUES_COUNT; i++)
		if (open->queues[i].count > longest->count)
			longest = &open->queues[i];
	executions__remove(open, longest->oldest);
	open->forgotten++;
}

struct execution *executions__add(struct executions *open, uint32_t pid,
				  const struct command_span *command,
				  const struct steptrace_process *process)
{
	struct execution *entry = executions__find(open, pid, command->head.execution_id);

	if (entry)
		executions__remove(open, entry);
	if (open->count >= open->limit)
		forget_one(open);
	entry = take_spare(open);
	if (!entry)
		return NULL;
	*entry = (struct execution){
		.pid = pid,
		.process = *process,
		.command = *command,
		.json = entry->json, /* event_json__describe uses the memory again */
	};
	memcpy(entry->id, command->head.execution_id, sizeof(entry->id));
	link_entry(open, entry);
	return entry;
}

static void unlink_entry(struct executions *open, struct execution *execution)
{
	struct execution **at = bucket_of(open, execution->id);
	struct queue *queue = queue_of(open, execution->pid);

	while (*at != execution)
		at = &(*at)->next_in_bucket;
	*at = execution->next_in_bucket;
	if (execution->older)
		execution->older->newer = execution->newer;
	else
		queue->oldest = execution->newer;
	if (execution->newer)
		execution->newer->older = execution->older;
	else
		queue->newest = execution->older;
	queue->count--;
	open->count--;
}

void executions__remove(struct executions *open, struct execution *execution)
{
	unlink_entry(open, execution);
	open_steps__clear(&execution->open, &open->steps);
	if (open->spare_count >= SPARE_LIMIT) {
		release(open, execution);
		return;
	}
	execution->next_in_bucket = open->spare;
	open->spare = execution;
	open->spare_count++;
}

struct execution *executions__of_process(struct executions *open, uint32_t pid,
					 const struct execution *previous)
{
	struct execution *at = previous ? previous->newer : queue_of(open, pid)->oldest;

	while (at && at->pid != pid)
		at = at->newer;
	return at;
}

static int compare_pids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* The processes of a queue, each once. Returns how many; `pids` has room for queue->count. */
static size_t list_pids(const struct queue *queue, uint32_t *pids)
{
	size_t count = 0, unique = 0;

	for (const struct execution *at = queue->oldest; at; at = at->newer)
		if (count == 0 || pids[count - 1] != at->pid)
			pids[count++] = at->pid;
	qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < count; i++)
		if (unique == 0 || pids[unique - 1] != pids[i])
			pids[unique++] = pids[i];
	return unique;
}

int executions__each_pid(struct executions *open, void (*each)(uint32_t pid, void *context),
			 void *context)
{
	uint32_t *pids = calloc(open->count + 1, sizeof(*pids));

	if (!pids)
		return -ENOMEM;
	for (int i = 0; i < QUEUES_COUNT; i++) {
		size_t count = list_pids(&open->queues[i], pids);

		for (size_t at = 0; at < count; at++)
			each(pids[at], context);
	}
	free(pids);
	return 0;
}

void executions__mark_continued(struct executions *open, const struct execution *ended)
{
	struct execution *at = *bucket_of(open, ended->id);

	for (; at; at = at->next_in_bucket)
		if (at->pid != ended->pid && memcmp(at->id, ended->id, sizeof(at->id)) == 0 &&
		    at->process.uid == ended->process.uid)
			at->continued_by_fork = true;
}

struct open_steps_store *executions__steps_store(struct executions *open)
{
	return &open->steps;
}

size_t executions__count(const struct executions *open)
{
	return open->count;
}

uint64_t executions__forgotten(const struct executions *open)
{
	return open->forgotten;
}
