// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/held_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* malloc() of glibc puts 8 bytes in front of a block. */
enum {
	MALLOC_BYTES = 8,
	CONTENT_BYTES = HELD_BLOCK_BYTES - MALLOC_BYTES - sizeof(struct held_block *),
};

struct held_block {
	struct held_block *next;
	char content[CONTENT_BYTES];
};

_Static_assert(sizeof(struct held_block) == HELD_BLOCK_BYTES - MALLOC_BYTES,
	       "a block does not take the memory that the store counts");

/* In front of the text of each line. */
struct line_head {
	struct line_mark mark;
	uint32_t text_bytes;
} __attribute__((packed));

/* ---- blocks */

static void free_blocks(struct held_block *block)
{
	while (block) {
		struct held_block *next = block->next;

		free(block);
		block = next;
	}
}

/* A list of so many blocks. False: no memory. */
static bool make_blocks(size_t count, struct held_block **list)
{
	*list = NULL;
	for (; count > 0; count--) {
		struct held_block *block = malloc(sizeof(*block));

		if (!block) {
			free_blocks(*list);
			return false;
		}
		block->next = *list;
		*list = block;
	}
	return true;
}

/* How many more blocks so many bytes need. */
static size_t blocks_needed(const struct held_lines *held, size_t bytes)
{
	size_t room = held->last ? CONTENT_BYTES - held->last_bytes : 0;

	return bytes > room ? (bytes - room + CONTENT_BYTES - 1) / CONTENT_BYTES : 0;
}

static void link_blocks(struct held_lines *held, struct held_store *store, struct held_block *list,
			size_t count)
{
	if (held->last)
		held->last->next = list;
	else
		held->first = held->last = list;
	held->blocks_count += count;
	store->bytes += count * HELD_BLOCK_BYTES;
}

static void free_first_block(struct held_lines *held, struct held_store *store)
{
	struct held_block *block = held->first;

	held->first = block->next;
	held->blocks_count--;
	store->bytes -= HELD_BLOCK_BYTES;
	free(block);
}

/* ---- the queue of the store */

static void enqueue(struct held_lines *held, struct held_store *store)
{
	if (held->is_queued)
		return;
	held->is_queued = true;
	held->older = store->newest;
	held->newer = NULL;
	if (store->newest)
		store->newest->newer = held;
	else
		store->oldest = held;
	store->newest = held;
}

static void dequeue(struct held_lines *held, struct held_store *store)
{
	if (!held->is_queued)
		return;
	if (held->older)
		held->older->newer = held->newer;
	else
		store->oldest = held->newer;
	if (held->newer)
		held->newer->older = held->older;
	else
		store->newest = held->older;
}

/* ---- adding */

/* The blocks have room for the bytes. */
static void put(struct held_lines *held, const void *bytes, size_t count)
{
	const char *from = bytes;

	while (count > 0) {
		size_t part = CONTENT_BYTES - held->last_bytes;

		if (part == 0) {
			held->last = held->last->next;
			held->last_bytes = 0;
			continue;
		}
		part = part < count ? part : count;
		memcpy(held->last->content + held->last_bytes, from, part);
		held->last_bytes += part;
		from += part;
		count -= part;
	}
}

static void put_line(struct held_lines *held, struct held_store *store,
		     const struct line_mark *mark, const char *text, size_t bytes)
{
	struct line_head head = {.mark = *mark, .text_bytes = (uint32_t)bytes};

	put(held, &head, sizeof(head));
	put(held, text, bytes);
	held->text_bytes += bytes;
	held->lines_count++;
	if (mark->is_aborted) {
		held->counts.aborted[mark->kind]++;
	} else {
		held->counts.events[mark->kind]++;
		store->events++;
	}
}

int held_lines__add(struct held_lines *held, struct held_store *store, const struct lines *from)
{
	size_t bytes = lines__bytes(from) + lines__count(from) * sizeof(struct line_head);
	size_t needed = blocks_needed(held, bytes);
	const struct line_mark *mark = lines__marks(from);
	const char *at = from->text.base, *next;
	struct held_block *list;

	if (needed > (store->limit_bytes - store->bytes) / HELD_BLOCK_BYTES)
		return -ENOSPC;
	if (!make_blocks(needed, &list))
		return -ENOMEM;
	if (needed)
		link_blocks(held, store, list, needed);
	enqueue(held, store);
	for (; at < from->text.at; at = next, mark++) {
		next = lines__behind(from, at);
		put_line(held, store, mark, at, (size_t)(next - at));
	}
	return 0;
}

/* ---- taking */

/* Takes the bytes from the first blocks, and frees each block that was read to its end. */
static void take(struct held_lines *held, struct held_store *store, size_t *at, void *to,
		 size_t count)
{
	char *bytes = to;

	while (count > 0) {
		size_t part = CONTENT_BYTES - *at;

		if (part == 0) {
			free_first_block(held, store);
			*at = 0;
			continue;
		}
		part = part < count ? part : count;
		memcpy(bytes, held->first->content + *at, part);
		*at += part;
		bytes += part;
		count -= part;
	}
}

int held_lines__move(struct held_lines *held, struct held_store *store, struct lines *to)
{
	struct line_head head;
	size_t at = 0;

	if (json__reserve(&to->text, held->text_bytes) ||
	    json__reserve(&to->marks, held->lines_count * sizeof(head.mark)))
		return -ENOMEM;
	for (size_t i = 0; i < held->lines_count; i++) {
		take(held, store, &at, &head, sizeof(head));
		json__bytes(&to->marks, (const char *)&head.mark, sizeof(head.mark));
		take(held, store, &at, to->text.at, head.text_bytes);
		to->text.at += head.text_bytes;
	}
	held_lines__clear(held, store);
	return 0;
}

void held_lines__clear(struct held_lines *held, struct held_store *store)
{
	while (held->first)
		free_first_block(held, store);
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		store->events -= held->counts.events[kind];
	dequeue(held, store);
	*held = (struct held_lines){.is_queued = false};
}
