// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile/interned.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

struct item {
	bool is_in_table;
	uint32_t number;
	size_t count;
	UT_hash_handle hh;
	max_align_t bytes[];
};

struct interned {
	struct item *items;      /* the head of a uthash table */
	struct item **by_number; /* owned; without the 0 */
	uint32_t count, room, limit;
	size_t bytes, bytes_limit;
	struct text_hash hash; /* the strings come from the traced processes */
};

struct interned *interned__new(uint32_t limit)
{
	struct interned *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->limit = limit;
	table->bytes_limit = SIZE_MAX;
	text_hash__init(&table->hash);
	return table;
}

void interned__free(struct interned *table)
{
	struct item *next;

	if (!table)
		return;
	for (struct item *item = table->items; item; item = next) {
		next = item->hh.next;
		HASH_DEL(table->items, item);
		free(item);
	}
	free(table->by_number);
	free(table);
}

void interned__limit_bytes(struct interned *table, size_t bytes)
{
	table->bytes_limit = bytes;
}

/* The allocator, the table by number, and that of uthash, which is about half full. */
enum { BYTES_BESIDE = 16 + sizeof(struct item *) + 2 * sizeof(UT_hash_bucket) / 10 + 4 };

static size_t bytes_of(size_t count)
{
	return sizeof(struct item) + count + 1 + BYTES_BESIDE;
}

static int make_room(struct interned *table)
{
	uint32_t room = table->room ? table->room * 2 : 64;
	struct item **moved;

	if (table->count < table->room)
		return 0;
	moved = realloc(table->by_number, room * sizeof(struct item *));
	if (!moved)
		return -1;
	table->by_number = moved;
	table->room = room;
	return 0;
}

static uint32_t add(struct interned *table, const void *bytes, size_t count, unsigned int hash)
{
	struct item *item;

	if (table->count == table->limit || bytes_of(count) > table->bytes_limit - table->bytes ||
	    make_room(table))
		return 0;
	item = malloc(sizeof(*item) + count + 1);
	if (!item)
		return 0;
	item->is_in_table = true;
	item->number = table->count + 1;
	item->count = count;
	memcpy(item->bytes, bytes, count);
	((char *)item->bytes)[count] = 0;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->items, item->bytes, count, hash, item);
	if (!item->is_in_table) {
		free(item);
		return 0;
	}
	table->by_number[table->count++] = item;
	table->bytes += bytes_of(count);
	return item->number;
}

uint32_t interned__number(struct interned *table, const void *bytes, size_t count)
{
	unsigned int hash = (unsigned int)text_hash__of(&table->hash, bytes, count);
	struct item *item;

	HASH_FIND_BYHASHVALUE(hh, table->items, bytes, count, hash, item);
	return item ? item->number : add(table, bytes, count, hash);
}

const void *interned__at(const struct interned *table, uint32_t number, size_t *count)
{
	const struct item *item = table->by_number[number - 1];

	if (count)
		*count = item->count;
	return item->bytes;
}

uint32_t interned__count(const struct interned *table)
{
	return table->count;
}
