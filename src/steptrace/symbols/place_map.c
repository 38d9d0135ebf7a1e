// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/place_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

enum { FIRST_ROOM = 1024 };

static uint64_t mixed(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93ull;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93ull;
	return value ^ value >> 32;
}

static size_t hash(const struct place_map *map, uint32_t space, uint64_t address)
{
	return mixed(mixed(address ^ map->key[0]) + (space ^ map->key[1]));
}

/* The slot of the place, or the empty one where it belongs. A slot whose place was removed stays
 * its own until the table grows. */
static struct place *slot_of(const struct place_map *map, uint32_t space, uint64_t address)
{
	size_t at = hash(map, space, address) & (map->room - 1);

	while (map->slots[at].space || map->slots[at].address || map->slots[at].value) {
		if (map->slots[at].space == space && map->slots[at].address == address)
			break;
		at = (at + 1) & (map->room - 1);
	}
	return &map->slots[at];
}

uint32_t place_map__get(const struct place_map *map, uint32_t space, uint64_t address)
{
	return map->room ? slot_of(map, space, address)->value : 0;
}

static size_t values_count(const struct place_map *map)
{
	size_t count = 0;

	for (size_t i = 0; i < map->room; i++)
		count += map->slots[i].value != 0;
	return count;
}

/* Removed places are left behind. */
static int grow(struct place_map *map)
{
	struct place_map larger = {.room = FIRST_ROOM, .count = values_count(map)};

	while (larger.room < larger.count * 4)
		larger.room *= 2;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	if (getrandom(larger.key, sizeof(larger.key), GRND_NONBLOCK) < 0)
		larger.key[0] = (uintptr_t)larger.slots;
	for (size_t i = 0; i < map->room; i++) {
		const struct place *place = &map->slots[i];

		if (place->value)
			*slot_of(&larger, place->space, place->address) = *place;
	}
	free(map->slots);
	*map = larger;
	return 0;
}

int place_map__set(struct place_map *map, uint32_t space, uint64_t address, uint32_t value)
{
	struct place *slot;

	if (map->count + 1 > map->room / 2 && grow(map))
		return -ENOMEM;
	slot = slot_of(map, space, address);
	map->count += !slot->space && !slot->address && !slot->value;
	*slot = (struct place){.address = address, .space = space, .value = value};
	return 0;
}

void place_map__free(struct place_map *map)
{
	free(map->slots);
	*map = (struct place_map){0};
}
