// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/executions.h"

#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/id_hash.h"

enum { BUCKETS_COUNT = 1 << 12, SPARE_LIMIT = 256 };

struct executions {
	struct execution *buckets[BUCKETS_COUNT];
	struct id_hash hash;
	struct members members;
	struct execution *spare; /* removed entries for new executions, linked by next_in_bucket */
	size_t spare_count;
	size_t count, limit;
	uint64_t forgotten;
	struct open_steps_store steps;
	struct held_store held;
	void (*drop)(void *context, struct execution *execution); /* NULL: it is not called */
	void *drop_context;
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

void executions__on_drop(struct executions *open,
			 void (*drop)(void *context, struct execution *execution), void *context)
{
	open->drop = drop;
	open->drop_context = context;
}

/* Frees an entry that is in no list any more. */
static void release(struct execution *execution)
{
	free(execution->json);
	free(execution);
}

void executions__free(struct executions *open)
{
	struct execution *at, *next;

	if (!open)
		return;
	for (int i = 0; i < BUCKETS_COUNT; i++)
		while (open->buckets[i])
			executions__remove(open, open->buckets[i]);
	for (at = open->spare; at; at = next) {
		next = at->next_in_bucket;
		release(at);
	}
	members__free(&open->members);
	open_steps__free_store(&open->steps);
	free(open);
}

static struct execution **bucket_of(struct executions *open, const uint8_t id[16])
{
	return &open->buckets[id_hash__of(&open->hash, id) % BUCKETS_COUNT];
}

static bool has_id(const struct execution *execution, const uint8_t id[16])
{
	return memcmp(execution->id, id, sizeof(execution->id)) == 0;
}

static struct member *member_of(const struct execution *execution, uint32_t pid)
{
	struct member *member = execution->members.newest;

	while (member && member->pid != pid)
		member = member->next;
	return member;
}

struct member *executions__find(struct executions *open, uint32_t pid, const uint8_t id[16])
{
	struct execution *at = *bucket_of(open, id);
	struct member *member;

	for (; at; at = at->next_in_bucket) {
		member = has_id(at, id) ? member_of(at, pid) : NULL;
		if (member)
			return member;
	}
	return NULL;
}

struct execution *executions__find_to_join(struct executions *open, const uint8_t id[16],
					   uint32_t uid, uint32_t parent_pid)
{
	struct execution *at = *bucket_of(open, id), *of_user = NULL;

	for (; at; at = at->next_in_bucket) {
		if (!has_id(at, id))
			continue;
		if (parent_pid && member_of(at, parent_pid))
			return at;
		if (!of_user && at->process.uid == uid)
			of_user = at;
	}
	return of_user;
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

static void give_back(struct executions *open, struct execution *execution)
{
	if (open->spare_count >= SPARE_LIMIT) {
		release(execution);
		return;
	}
	execution->next_in_bucket = open->spare;
	open->spare = execution;
	open->spare_count++;
}

static void drop(struct executions *open, struct execution *execution)
{
	if (open->drop)
		open->drop(open->drop_context, execution);
	executions__remove(open, execution);
}

/* Drops the oldest execution of the process that has most of them. */
static void forget_one(struct executions *open)
{
	drop(open, members__of_busiest(&open->members)->execution);
	open->forgotten++;
}

static struct execution *make_entry(struct executions *open, uint32_t pid,
				    const struct command_span *command,
				    const struct steptrace_process *process)
{
	struct execution *entry = take_spare(open);
	struct member *member;

	if (!entry)
		return NULL;
	*entry = (struct execution){
		.pid = pid,
		.process = *process,
		.command = *command,
		.json = entry->json, /* event_json__describe uses the memory again */
	};
	memcpy(entry->id, command->head.execution_id, sizeof(entry->id));
	member = members__add(&open->members, entry, &entry->members, pid);
	if (!member) {
		give_back(open, entry);
		return NULL;
	}
	members__has_told(&open->members, member);
	return entry;
}

struct execution *executions__add(struct executions *open, uint32_t pid,
				  const struct command_span *command,
				  const struct steptrace_process *process)
{
	const struct member *member = executions__find(open, pid, command->head.execution_id);
	struct execution *entry, **bucket;

	if (member)
		drop(open, member->execution);
	if (open->count >= open->limit)
		forget_one(open);
	entry = make_entry(open, pid, command, process);
	if (!entry)
		return NULL;
	bucket = bucket_of(open, entry->id);
	entry->next_in_bucket = *bucket;
	*bucket = entry;
	open->count++;
	return entry;
}

/* Every execution has one member; the others together may be as many as there may be executions. */
struct member *executions__join(struct executions *open, struct execution *execution, uint32_t pid)
{
	if (execution->members.count >= MEMBERS_PER_EXECUTION ||
	    open->members.count - open->count >= open->limit)
		return NULL;
	return members__add(&open->members, execution, &execution->members, pid);
}

void executions__remove(struct executions *open, struct execution *execution)
{
	struct execution **at = bucket_of(open, execution->id);

	while (*at != execution)
		at = &(*at)->next_in_bucket;
	*at = execution->next_in_bucket;
	open->count--;
	while (execution->members.newest)
		members__remove(&open->members, execution->members.newest);
	open_steps__clear(&execution->open, &open->steps);
	held_lines__clear(&execution->held, &open->held);
	give_back(open, execution);
}

int executions__each_pid(struct executions *open, void (*each)(uint32_t pid, void *context),
			 void *context)
{
	return members__each_pid(&open->members, each, context);
}

/* A start that was not seen may be in the span, if another tracer was attached then. The runner
 * wrote that time: it is wrong if it is later than the first record. */
uint64_t execution__since_ns(const struct execution *execution, bool *is_earlier)
{
	uint64_t stamp_ns = execution->command.head.start_ns;

	*is_earlier = false;
	if (execution->began_ns)
		return execution->began_ns;
	if (stamp_ns && stamp_ns < execution->known_ns)
		return stamp_ns;
	*is_earlier = true;
	return execution->known_ns;
}

uint32_t execution__pid(const struct execution *execution)
{
	const struct member *oldest = execution->members.newest;

	for (const struct member *at = oldest; at; at = at->next)
		if (at->has_told)
			oldest = at;
	return oldest ? oldest->pid : execution->pid;
}

void executions__each(const struct executions *open,
		      void (*each)(void *context, const struct execution *execution), void *context)
{
	for (int i = 0; i < BUCKETS_COUNT; i++)
		for (const struct execution *at = open->buckets[i]; at; at = at->next_in_bucket)
			each(context, at);
}

struct members *executions__members(struct executions *open)
{
	return &open->members;
}

struct open_steps_store *executions__steps_store(struct executions *open)
{
	return &open->steps;
}

struct held_store *executions__held_store(struct executions *open)
{
	return &open->held;
}

size_t executions__count(const struct executions *open)
{
	return open->count;
}

uint64_t executions__forgotten(const struct executions *open)
{
	return open->forgotten;
}
