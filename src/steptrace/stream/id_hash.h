/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyed hash of execution ids, for hash tables.
 *
 * Ids come from the traced processes. With a fixed hash a hostile process could choose ids that all
 * share one bucket; each lookup would then be so slow that records of other processes are lost. The
 * key is random and never leaves the process, so such ids cannot be computed.
 */
#ifndef STEPTRACE_ID_HASH_H
#define STEPTRACE_ID_HASH_H

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

struct id_hash {
	uint64_t key[2];
};

static inline void id_hash__init(struct id_hash *hash)
{
	/* Early at boot there may be no random bytes yet: the address is at least hard to guess. */
	if (getrandom(hash->key, sizeof(hash->key), GRND_NONBLOCK) < 0)
		hash->key[0] = hash->key[1] = (uint64_t)(uintptr_t)hash;
}

static inline uint64_t id_hash__of(const struct id_hash *hash, const uint8_t id[16])
{
	uint64_t low, high;
	unsigned __int128 product;

	memcpy(&low, id, sizeof(low));
	memcpy(&high, id + sizeof(low), sizeof(high));
	product = (unsigned __int128)(low ^ hash->key[0]) * (high ^ hash->key[1]);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
