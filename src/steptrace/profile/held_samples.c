// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile/held_samples.h"

#include <errno.h>
#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the thread out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#define NOWHERE UINT32_MAX

enum { BACK_MAX = 4096 };

/* A place for one sample. The places are used in turn, so the next one to use holds the oldest
 * sample, if it is used. */
struct place {
	struct sample sample;
	uint32_t older, newer; /* of the same thread; NOWHERE: there is none */
	bool is_used;
};

struct thread {
	uint32_t tid;
	bool is_in_table;
	uint32_t oldest, newest;
	uint32_t
		reached; /* the newest one up to the end of the last take; NOWHERE: none is older */
	UT_hash_handle hh;
};

struct held_samples {
	struct place *places; /* owned */
	uint32_t limit, next, room;
	struct thread *threads; /* the head of a uthash table */
	uint64_t count, dropped;
};

size_t held_samples__room(size_t bytes)
{
	return bytes / sizeof(struct place);
}

struct held_samples *held_samples__new(size_t limit)
{
	struct held_samples *held = calloc(1, sizeof(*held));

	if (!held)
		return NULL;
	if (limit < 1)
		limit = 1;
	held->limit = limit < NOWHERE ? (uint32_t)limit : NOWHERE - 1;
	return held;
}

void held_samples__free(struct held_samples *held)
{
	struct thread *next;

	if (!held)
		return;
	for (struct thread *thread = held->threads; thread; thread = next) {
		next = thread->hh.next;
		HASH_DEL(held->threads, thread);
		free(thread);
	}
	free(held->places);
	free(held);
}

static struct thread *thread_of(const struct held_samples *held, uint32_t tid)
{
	struct thread *thread;

	HASH_FIND(hh, held->threads, &tid, sizeof(tid), thread);
	return thread;
}

static struct thread *make_thread(struct held_samples *held, uint32_t tid)
{
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->tid = tid;
	thread->oldest = thread->newest = thread->reached = NOWHERE;
	thread->is_in_table = true;
	HASH_ADD(hh, held->threads, tid, sizeof(tid), thread);
	if (thread->is_in_table)
		return thread;
	free(thread);
	return NULL;
}

static void unlink_place(struct held_samples *held, struct thread *thread, uint32_t at)
{
	struct place *place = &held->places[at];

	if (thread->reached == at)
		thread->reached = place->older;
	if (place->older == NOWHERE)
		thread->oldest = place->newer;
	else
		held->places[place->older].newer = place->newer;
	if (place->newer == NOWHERE)
		thread->newest = place->older;
	else
		held->places[place->newer].older = place->older;
	place->is_used = false;
	held->count--;
}

/* A thread without samples may have ended. */
static void forget_if_empty(struct held_samples *held, struct thread *thread)
{
	if (thread->oldest != NOWHERE)
		return;
	HASH_DEL(held->threads, thread);
	free(thread);
}

static void drop(struct held_samples *held, uint32_t at)
{
	struct thread *thread = thread_of(held, held->places[at].sample.tid);

	unlink_place(held, thread, at);
	held->dropped++;
	forget_if_empty(held, thread);
}

/* The memory grows with the number of samples, up to the limit. */
static int make_place(struct held_samples *held)
{
	uint32_t room = held->room < held->limit / 2 ? held->room * 2 + 256 : held->limit;
	struct place *moved;

	if (held->next < held->room)
		return 0;
	if (room > held->limit)
		room = held->limit;
	moved = realloc(held->places, room * sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	for (uint32_t i = held->room; i < room; i++)
		moved[i].is_used = false;
	held->places = moved;
	held->room = room;
	return 0;
}

static void link_place(struct held_samples *held, struct thread *thread, uint32_t at)
{
	struct place *place = &held->places[at];

	place->older = thread->newest;
	place->newer = NOWHERE;
	if (thread->newest == NOWHERE)
		thread->oldest = at;
	else
		held->places[thread->newest].newer = at;
	thread->newest = at;
	place->is_used = true;
	held->count++;
}

int held_samples__add(struct held_samples *held, const struct sample *sample)
{
	struct thread *thread;
	uint32_t at;

	if (make_place(held))
		return -ENOMEM;
	at = held->next;
	if (held->places[at].is_used)
		drop(held, at);
	thread = thread_of(held, sample->tid);
	if (!thread)
		thread = make_thread(held, sample->tid);
	if (!thread)
		return -ENOMEM;
	held->places[at].sample = *sample;
	link_place(held, thread, at);
	held->next = at + 1 < held->limit ? at + 1 : 0;
	return 0;
}

/*
 * The newest sample up to `end_ns`; NOWHERE: all are newer. The spans of a thread end one after the
 * other, so the search begins where the last one ended, and goes on to newer ones. Stamps of a
 * runner that contradict this make it go back, not farther than BACK_MAX.
 */
static uint32_t reach(const struct held_samples *held, struct thread *thread, uint64_t end_ns)
{
	uint32_t at = thread->reached,
		 newer = at == NOWHERE ? thread->oldest : held->places[at].newer;

	for (int i = 0; at != NOWHERE && held->places[at].sample.time_ns > end_ns; i++) {
		if (i == BACK_MAX)
			return NOWHERE;
		newer = at;
		at = held->places[at].older;
	}
	while (newer != NOWHERE && held->places[newer].sample.time_ns <= end_ns) {
		at = newer;
		newer = held->places[at].newer;
	}
	return thread->reached = at;
}

void held_samples__take(struct held_samples *held, uint32_t tid, uint64_t begin_ns, uint64_t end_ns,
			void (*take)(void *context, const struct sample *sample), void *context)
{
	struct thread *thread = thread_of(held, tid);
	uint32_t at = thread ? reach(held, thread, end_ns) : NOWHERE, older;

	for (; at != NOWHERE && held->places[at].sample.time_ns >= begin_ns; at = older) {
		older = held->places[at].older;
		unlink_place(held, thread, at);
		take(context, &held->places[at].sample);
	}
	if (thread)
		forget_if_empty(held, thread);
}

uint64_t held_samples__count(const struct held_samples *held)
{
	return held->count;
}

uint64_t held_samples__dropped(const struct held_samples *held)
{
	return held->dropped;
}
