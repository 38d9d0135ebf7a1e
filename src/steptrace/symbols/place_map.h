/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From places to numbers. A place is an address in a space; what the spaces are is up to the owner.
 *
 *	frames	(module, offset in its file)	-> frame
 *	rules	(module, offset in its file)	-> rule
 *	pids	(0, pid)			-> process
 *
 * Open addressing with linear probing. Addresses are foreign: their hash is keyed, so that a traced
 * process cannot choose addresses that all collide. A value of 0 means that there is none.
 */
#ifndef STEPTRACE_PLACE_MAP_H
#define STEPTRACE_PLACE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct place {
	uint64_t address;
	uint32_t space;
	uint32_t value; /* 0: this slot is empty, or was given the value 0 */
};

/* Starts zeroed. */
struct place_map {
	struct place *slots; /* owned */
	size_t room;         /* a power of two, or 0 */
	size_t count;        /* slots that are not empty */
	uint64_t key[2];
};

/* 0: there is none. */
uint32_t place_map__get(const struct place_map *map, uint32_t space, uint64_t address);
/* The value may be 0, which removes the place. 0 or -ENOMEM. */
int place_map__set(struct place_map *map, uint32_t space, uint64_t address, uint32_t value);
/* The map is empty afterwards and can be used again. */
void place_map__free(struct place_map *map);

#endif
