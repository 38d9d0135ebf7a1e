// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/function_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far back a function is searched that contains the address, when the last one that begins
 * before it has ended: a small one inside a large one. */
enum { OVERLAPS_MAX = 16 };

/* The size of a function without a size that no other one follows. */
enum { LAST_BYTES = 4096 };

int function_table__add(struct function_table *table, const struct function *function)
{
	if (table->count == table->room) {
		size_t larger = table->room ? 2 * table->room : 256;
		struct function *moved =
			reallocarray(table->items, larger, sizeof(table->items[0]));

		if (!moved)
			return -ENOMEM;
		table->items = moved;
		table->room = larger;
	}
	table->items[table->count++] = *function;
	return 0;
}

static int compare(uint64_t first, uint64_t second)
{
	return (first > second) - (first < second);
}

/* The best name first. */
static int by_address(const void *one, const void *other)
{
	const struct function *first = one, *second = other;
	int order = compare(first->start, second->start);

	if (!order)
		order = compare(second->rank, first->rank);
	if (!order)
		order = compare(strspn(first->name, "_"), strspn(second->name, "_"));
	if (!order)
		order = compare(strlen(first->name), strlen(second->name));
	return order ? order : strcmp(first->name, second->name);
}

/* Keeps the first of those that begin at the same address. A size is taken from the others. */
static void drop_aliases(struct function_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct function *last = kept ? &table->items[kept - 1] : NULL;

		if (!last || last->start != table->items[i].start)
			table->items[kept++] = table->items[i];
		else if (last->end == last->start)
			last->end = table->items[i].end;
	}
	table->count = kept;
}

void function_table__sort(struct function_table *table)
{
	if (!table->count)
		return;
	qsort(table->items, table->count, sizeof(table->items[0]), by_address);
	drop_aliases(table);
	for (size_t i = 0; i < table->count; i++) {
		struct function *function = &table->items[i];

		if (function->end > function->start)
			continue;
		function->end =
			i + 1 < table->count ? function[1].start : function->start + LAST_BYTES;
	}
}

const struct function *function_table__find(const struct function_table *table, uint64_t address)
{
	size_t from = 0, to = table->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (table->items[middle].start <= address)
			from = middle + 1;
		else
			to = middle;
	}
	for (size_t back = 0; back < OVERLAPS_MAX && back < from; back++)
		if (address < table->items[from - 1 - back].end)
			return &table->items[from - 1 - back];
	return NULL;
}

void function_table__free(struct function_table *table)
{
	free(table->items);
	*table = (struct function_table){0};
}
