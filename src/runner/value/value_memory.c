// SPDX-License-Identifier: BSD-2-Clause
#include "runner/value/value_memory.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct block {
	struct block *next;
};

/* Freed blocks of one size. */
struct shelf {
	struct block *first;
	size_t room; /* for so many more */
};

/* They have no room before it is sure that the end of the thread empties them. */
static __thread struct shelf shelves[VALUE_MEMORY_SIZES];
static __thread bool is_watched;

/* Shelf n has blocks of at least SMALLEST + n * STEP bytes, as malloc of glibc makes them. */
enum { SMALLEST = 24, STEP = 16 };

static size_t shelf_for(size_t bytes)
{
	return bytes > SMALLEST ? (bytes - SMALLEST + STEP - 1) / STEP : 0;
}

static void empty(struct shelf *shelf)
{
	shelf->room = 0;
	while (shelf->first) {
		struct block *block = shelf->first;

		shelf->first = block->next;
		free(block);
	}
}

static void empty_shelves(void *unused)
{
	(void)unused;
	is_watched = false;
	for (size_t i = 0; i < VALUE_MEMORY_SIZES; i++)
		empty(&shelves[i]);
}

static pthread_key_t end_of_thread;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void make_key(void)
{
	has_key = pthread_key_create(&end_of_thread, empty_shelves) == 0;
}

/* Makes the shelves of a new thread. False: there is no more room. */
static __attribute__((noinline)) bool make_room(void)
{
	if (is_watched)
		return false;
	pthread_once(&once, make_key);
	is_watched = has_key && pthread_setspecific(end_of_thread, shelves) == 0;
	for (size_t i = 0; is_watched && i < VALUE_MEMORY_SIZES; i++)
		shelves[i].room = VALUE_MEMORY_KEPT;
	return is_watched;
}

static __attribute__((noinline)) void *new_block(size_t shelf, size_t bytes)
{
	return malloc(shelf < VALUE_MEMORY_SIZES ? SMALLEST + shelf * STEP : bytes);
}

void *value_memory__new(size_t bytes)
{
	size_t shelf = shelf_for(bytes);
	struct block *block = shelf < VALUE_MEMORY_SIZES ? shelves[shelf].first : NULL;

	if (!block)
		return new_block(shelf, bytes);
	shelves[shelf].first = block->next;
	shelves[shelf].room++;
	return block;
}

/* A block that is smaller than the smallest, from another malloc, is on no shelf. */
void value_memory__free(void *freed)
{
	size_t shelf = (malloc_usable_size(freed) - SMALLEST) / STEP;
	struct block *block = freed;

	if (shelf >= VALUE_MEMORY_SIZES || !(shelves[shelf].room || make_room())) {
		free(freed);
		return;
	}
	block->next = shelves[shelf].first;
	shelves[shelf].first = block;
	shelves[shelf].room--;
}

void value_memory__use(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	cJSON_Hooks hooks = {.malloc_fn = value_memory__new, .free_fn = value_memory__free};

	cJSON_InitHooks(&hooks);
#endif
}
