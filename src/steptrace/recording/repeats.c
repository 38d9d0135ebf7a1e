// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/repeats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/id_hash.h"

struct repeats {
	uint64_t *ring;  /* the hashes of the last lines, owned */
	uint32_t *slots; /* a place in the ring plus 1; 0: free; twice as many, owned */
	size_t lines, next, count;
	struct id_hash key;
};

struct repeats *repeats__new(size_t lines)
{
	struct repeats *repeats = calloc(1, sizeof(*repeats));

	if (!repeats)
		return NULL;
	repeats->lines = lines;
	repeats->ring = calloc(lines, sizeof(*repeats->ring));
	repeats->slots = calloc(lines * 2, sizeof(*repeats->slots));
	id_hash__init(&repeats->key);
	if (repeats->ring && repeats->slots)
		return repeats;
	repeats__free(repeats);
	return NULL;
}

void repeats__free(struct repeats *repeats)
{
	if (!repeats)
		return;
	free(repeats->ring);
	free(repeats->slots);
	free(repeats);
}

/* ---- the hash */

static uint64_t folded(uint64_t left, uint64_t right)
{
	unsigned __int128 product = (unsigned __int128)left * right;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Two lanes, because a multiplication waits for the one before it in its lane. */
static uint64_t hash_of(const struct id_hash *key, const char *line, size_t bytes)
{
	uint64_t one = key->key[0] ^ bytes, other = key->key[1];
	char rest[32] = {0};

	for (; bytes >= 32; bytes -= 32, line += 32) {
		one = folded(one ^ word_at(line), key->key[1] ^ word_at(line + 8));
		other = folded(other ^ word_at(line + 16), key->key[0] ^ word_at(line + 24));
	}
	memcpy(rest, line, bytes);
	one = folded(one ^ word_at(rest), key->key[1] ^ word_at(rest + 8));
	other = folded(other ^ word_at(rest + 16), key->key[0] ^ word_at(rest + 24));
	return folded(one ^ key->key[1], other ^ key->key[0]);
}

/* ---- the table: linear probing */

static size_t mask_of(const struct repeats *repeats)
{
	return repeats->lines * 2 - 1;
}

static size_t home_of(const struct repeats *repeats, size_t slot)
{
	return repeats->ring[repeats->slots[slot] - 1] & mask_of(repeats);
}

/* The slot of the hash, or the free slot where it belongs. */
static size_t find(const struct repeats *repeats, uint64_t hash)
{
	size_t slot = hash & mask_of(repeats);

	while (repeats->slots[slot] && repeats->ring[repeats->slots[slot] - 1] != hash)
		slot = (slot + 1) & mask_of(repeats);
	return slot;
}

/* Moves what follows back into the gap, where it may stand there: between its home and the gap
 * nothing is free then. */
static void make_free(struct repeats *repeats, size_t gap)
{
	size_t mask = mask_of(repeats);

	for (size_t slot = (gap + 1) & mask; repeats->slots[slot]; slot = (slot + 1) & mask) {
		if (((slot - home_of(repeats, slot)) & mask) < ((slot - gap) & mask))
			continue;
		repeats->slots[gap] = repeats->slots[slot];
		gap = slot;
	}
	repeats->slots[gap] = 0;
}

/* Of the line, and of the one that it would push out. */
uint64_t repeats__hash(const struct repeats *repeats, const char *line, size_t bytes)
{
	uint64_t hash = hash_of(&repeats->key, line, bytes);

	__builtin_prefetch(&repeats->slots[hash & mask_of(repeats)]);
	__builtin_prefetch(&repeats->slots[repeats->ring[repeats->next] & mask_of(repeats)]);
	return hash;
}

bool repeats__see(struct repeats *repeats, const char *line, size_t bytes)
{
	return repeats__see_hash(repeats, repeats__hash(repeats, line, bytes));
}

bool repeats__see_hash(struct repeats *repeats, uint64_t hash)
{
	if (repeats->slots[find(repeats, hash)])
		return true;
	if (repeats->count == repeats->lines)
		make_free(repeats, find(repeats, repeats->ring[repeats->next]));
	else
		repeats->count++;
	repeats->ring[repeats->next] = hash;
	repeats->slots[find(repeats, hash)] = (uint32_t)repeats->next + 1;
	repeats->next = (repeats->next + 1) & (repeats->lines - 1);
	return false;
}
