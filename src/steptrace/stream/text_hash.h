/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyed hash of text, for hash tables: SipHash of libsodium.
 *
 * The text comes from the traced processes. The key is random and never leaves the process, so a
 * process cannot choose texts that share a bucket.
 */
#ifndef STEPTRACE_TEXT_HASH_H
#define STEPTRACE_TEXT_HASH_H

#include <stddef.h>
#include <stdint.h>

struct text_hash {
	unsigned char key[16];
};

void text_hash__init(struct text_hash *hash);
uint64_t text_hash__of(const struct text_hash *hash, const char *text, size_t bytes);

#endif
