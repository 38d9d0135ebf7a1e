// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/kernel_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A kernel has about 200,000 symbols, with names of 30 bytes. */
enum { TEXTS_MAX = 256 << 20, ITEMS_MAX = 4 << 20 };

/* The list does not say where a function ends. What is further away than this is in no function. */
enum { FUNCTION_BYTES_MAX = 1 << 20 };

/* Makes room for `more` items; the room doubles. 0 or -ENOMEM. */
static int reserve(void **items, size_t count, size_t more, size_t *room, size_t item_bytes,
		   size_t max)
{
	size_t larger = *room ? *room : 4096;
	void *moved;

	while (larger < count + more)
		larger *= 2;
	if (larger == *room)
		return 0;
	if (larger > max)
		return -ENOMEM;
	moved = realloc(*items, larger * item_bytes);
	if (!moved)
		return -ENOMEM;
	*items = moved;
	*room = larger;
	return 0;
}

static int add_text(struct kernel_symbols *symbols, const char *text, size_t bytes, uint32_t *at)
{
	int code = reserve((void **)&symbols->texts, symbols->texts_bytes, bytes + 1,
			   &symbols->texts_room, 1, TEXTS_MAX);

	if (code)
		return code;
	*at = (uint32_t)symbols->texts_bytes;
	memcpy(symbols->texts + *at, text, bytes);
	symbols->texts[*at + bytes] = 0;
	symbols->texts_bytes += bytes + 1;
	return 0;
}

/* The modules follow one another: equal names are stored once. */
static int add_module(struct kernel_symbols *symbols, const char *text, uint32_t *at)
{
	const struct kernel_symbol *last =
		symbols->count ? &symbols->items[symbols->count - 1] : NULL;
	size_t bytes = strcspn(text, "\n");

	if (!bytes) {
		*at = 0;
		return 0;
	}
	if (last && last->module && strlen(symbols->texts + last->module) == bytes &&
	    memcmp(symbols->texts + last->module, text, bytes) == 0) {
		*at = last->module;
		return 0;
	}
	return add_text(symbols, text, bytes, at);
}

/* ADDRESS TYPE NAME [TAB [MODULE]] */
static int add_line(struct kernel_symbols *symbols, const char *line)
{
	struct kernel_symbol symbol = {0};
	const char *name;
	char *end;
	int code;

	symbol.address = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return 0;
	symbols->is_hidden |= !symbol.address;
	if (!symbol.address)
		return 0;
	name = end + 3;
	code = add_module(symbols, name + strcspn(name, "\t\n") + (strchr(name, '\t') != NULL),
			  &symbol.module);
	if (!code)
		code = add_text(symbols, name, strcspn(name, "\t\n"), &symbol.name);
	if (!code)
		code = reserve((void **)&symbols->items, symbols->count, 1, &symbols->room,
			       sizeof(symbol), ITEMS_MAX);
	if (!code)
		symbols->items[symbols->count++] = symbol;
	return code;
}

/* Of equal addresses, the one that was listed first stays the first. */
static int ascending(const void *one, const void *other)
{
	const struct kernel_symbol *first = one, *second = other;

	if (first->address != second->address)
		return first->address < second->address ? -1 : 1;
	return (first->name > second->name) - (first->name < second->name);
}

int kernel_symbols__read(struct kernel_symbols *symbols, FILE *list)
{
	uint32_t kernel;
	char *line = NULL;
	size_t room = 0;
	int code = add_text(symbols, "[kernel]", strlen("[kernel]"), &kernel);

	while (!code && getline(&line, &room, list) > 0)
		code = add_line(symbols, line);
	free(line);
	if (symbols->count)
		qsort(symbols->items, symbols->count, sizeof(symbols->items[0]), ascending);
	symbols->is_hidden &= symbols->count == 0;
	return code;
}

void kernel_symbols__free(struct kernel_symbols *symbols)
{
	free(symbols->items);
	free(symbols->texts);
	*symbols = (struct kernel_symbols){0};
}

const struct kernel_symbol *kernel_symbols__find(const struct kernel_symbols *symbols,
						 uint64_t address)
{
	size_t from = 0, to = symbols->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (symbols->items[middle].address <= address)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == 0)
		return NULL;
	for (from--; from > 0 && symbols->items[from - 1].address == symbols->items[from].address;)
		from--;
	if (address - symbols->items[from].address > FUNCTION_BYTES_MAX)
		return NULL;
	return &symbols->items[from];
}

const char *kernel_symbols__name(const struct kernel_symbols *symbols,
				 const struct kernel_symbol *symbol)
{
	return symbols->texts + symbol->name;
}

const char *kernel_symbols__module(const struct kernel_symbols *symbols,
				   const struct kernel_symbol *symbol)
{
	return symbols->texts + symbol->module;
}
