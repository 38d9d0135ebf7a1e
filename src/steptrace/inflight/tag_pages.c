// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/tag_pages.h"

#include <stdlib.h>

static int by_address(const void *one, const void *other)
{
	uint64_t first = ((const struct tag_page *)one)->address;
	uint64_t second = ((const struct tag_page *)other)->address;

	return first < second ? -1 : first > second;
}

static struct tag_page *find(const struct tag_pages *pages, uint64_t address)
{
	const struct tag_page wanted = {.address = address};

	return pages->sorted
		       ? bsearch(&wanted, pages->items, pages->sorted, sizeof(wanted), by_address)
		       : NULL;
}

/* Memory is searched in the order of its addresses: tags of one page follow each other. */
static bool is_newest(const struct tag_pages *pages, uint64_t address)
{
	return pages->count > pages->sorted && pages->items[pages->count - 1].address == address;
}

static void drop_unused(struct tag_pages *pages)
{
	size_t kept = 0, sorted = 0;

	for (size_t i = 0; i < pages->count; i++) {
		if (!pages->items[i].is_used)
			continue;
		sorted += i < pages->sorted;
		pages->items[kept++] = pages->items[i];
	}
	pages->count = kept;
	pages->sorted = sorted;
}

static bool make_room(struct tag_pages *pages)
{
	size_t room = pages->room ? 2 * pages->room : 16;
	struct tag_page *moved;

	if (pages->count == TAG_PAGES_MAX && !pages->has_dropped) {
		drop_unused(pages);
		pages->has_dropped = true;
	}
	if (pages->count < pages->room)
		return true;
	moved = room <= TAG_PAGES_MAX ? realloc(pages->items, room * sizeof(*moved)) : NULL;
	if (!moved)
		return false;
	pages->items = moved;
	pages->room = room;
	return true;
}

void tag_pages__add(struct tag_pages *pages, uint64_t address)
{
	uint64_t start = address - address % TAG_PAGE_BYTES;
	struct tag_page *known = find(pages, start);

	if (known)
		known->is_used = true;
	else if (!is_newest(pages, start) && make_room(pages))
		pages->items[pages->count++] = (struct tag_page){start, true};
}

void tag_pages__settle(struct tag_pages *pages)
{
	size_t kept = 0;

	if (pages->sorted == pages->count)
		return;
	qsort(pages->items, pages->count, sizeof(*pages->items), by_address);
	for (size_t i = 1; i < pages->count; i++)
		if (pages->items[i].address != pages->items[kept].address)
			pages->items[++kept] = pages->items[i];
	pages->count = pages->sorted = kept + 1;
}

void tag_pages__age(struct tag_pages *pages)
{
	size_t kept = 0;

	tag_pages__settle(pages);
	pages->has_dropped = false;
	for (size_t i = 0; i < pages->count; i++)
		if (pages->items[i].is_used)
			pages->items[kept++] = (struct tag_page){pages->items[i].address, false};
	pages->count = pages->sorted = kept;
}

bool tag_pages__next(const struct tag_pages *pages, size_t *at, uint64_t *from, uint64_t *to)
{
	if (*at >= pages->sorted)
		return false;
	*from = *to = pages->items[*at].address;
	while (*at < pages->sorted && pages->items[*at].address == *to) {
		*to += TAG_PAGE_BYTES;
		++*at;
	}
	return true;
}

void tag_pages__free(struct tag_pages *pages)
{
	free(pages->items);
	*pages = (struct tag_pages){0};
}
