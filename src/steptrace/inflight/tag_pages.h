/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a process's memory in which open commands and steps were found.
 *
 * A program that allocates the structs of its commands again and again gets them in the same few
 * pages. So a look that reads only those finds nearly all that a search of the whole memory finds.
 */
#ifndef STEPTRACE_TAG_PAGES_H
#define STEPTRACE_TAG_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are not remembered. */
enum { TAG_PAGE_BYTES = 4096, TAG_PAGES_MAX = 65536 };

struct tag_page {
	uint64_t address; /* divisible by TAG_PAGE_BYTES */
	bool is_used;     /* a tag was in it since the last tag_pages__age() */
};

/* Zeroed: none. */
struct tag_pages {
	struct tag_page *items; /* owned; the first `sorted` ones by address, the others are new */
	size_t count, sorted, room;
	bool has_dropped; /* unused ones, since the last tag_pages__age() */
};

/* Remembers the page with this address. Without memory, or beyond TAG_PAGES_MAX, it is not: then
 * pages that were not used make room. */
void tag_pages__add(struct tag_pages *pages, uint64_t address);

/* After a look: the new pages come to the others. */
void tag_pages__settle(struct tag_pages *pages);

/* After a search of the whole memory: forgets the pages in which no tag was since the search
 * before. Settles, too. */
void tag_pages__age(struct tag_pages *pages);

/* Adjacent pages, from the page with the index `*at` on: fills in their addresses, and moves `*at`
 * behind them. False: there are no more. New pages are not among them. */
bool tag_pages__next(const struct tag_pages *pages, size_t *at, uint64_t *from, uint64_t *to);

void tag_pages__free(struct tag_pages *pages);

#endif
