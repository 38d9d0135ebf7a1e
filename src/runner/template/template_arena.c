// SPDX-License-Identifier: BSD-2-Clause
/* Memory for the nodes and texts of a template, which is freed all at once. */
#include <stdlib.h>

#include "runner/template/template_tree.h"

enum { CHUNK_BYTES = 4096, ALIGNMENT = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, room;
	_Alignas(ALIGNMENT) char bytes[];
};

static struct arena_chunk *add_chunk(struct template *template, size_t size)
{
	size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + room);

	if (!chunk)
		return NULL;
	chunk->room = room;
	chunk->next = template->arena;
	template->arena = chunk;
	return chunk;
}

void *template_arena__alloc(struct template *template, size_t size)
{
	struct arena_chunk *chunk = template->arena;
	void *memory;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!chunk || chunk->room - chunk->used < size)
		chunk = add_chunk(template, size);
	if (!chunk)
		return NULL;
	memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

void template_arena__free(struct template *template)
{
	while (template->arena) {
		struct arena_chunk *chunk = template->arena;

		template->arena = chunk->next;
		free(chunk);
	}
}
