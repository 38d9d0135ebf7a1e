/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an execution's id lies in a table. The ids of an honest runner are random already; a hostile one must
 * not be able to choose ids that meet in one place, for that would cost the others their events.
 */
#ifndef STEPTRACE_ID_HASH_H
#define STEPTRACE_ID_HASH_H

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

struct id_hash {
	uint64_t secret[2];
};

static inline void id_hash__init(struct id_hash *hash)
{
	if (getrandom(hash->secret, sizeof(hash->secret), GRND_NONBLOCK) < 0)
		hash->secret[0] = hash->secret[1] =
			(uint64_t)(uintptr_t)hash; /* better than none */
}

static inline uint64_t id_hash__of(const struct id_hash *hash, const uint8_t id[16])
{
	uint64_t low, high;
	unsigned __int128 product;

	memcpy(&low, id, sizeof(low));
	memcpy(&high, id + sizeof(low), sizeof(high));
	product = (unsigned __int128)(low ^ hash->secret[0]) * (high ^ hash->secret[1]);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
