// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/text_hash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(((struct text_hash *)0)->key) == crypto_shorthash_KEYBYTES,
	       "the key has the size that libsodium wants");

void text_hash__init(struct text_hash *hash)
{
	randombytes_buf(hash->key, sizeof(hash->key));
}

uint64_t text_hash__of(const struct text_hash *hash, const char *text, size_t bytes)
{
	unsigned char digest[crypto_shorthash_BYTES];
	uint64_t value;

	crypto_shorthash(digest, (const unsigned char *)text, bytes, hash->key);
	memcpy(&value, digest, sizeof(value));
	return value;
}
