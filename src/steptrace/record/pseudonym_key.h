/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that --pseudonym-key names. Its bytes are a secret: only its owner may read or write
 * the file, and the caller wipes the bytes when the pseudonyms were made from them.
 */
#ifndef STEPTRACE_PSEUDONYM_KEY_H
#define STEPTRACE_PSEUDONYM_KEY_H

#include <stddef.h>

#include "common/error.h"

enum { PSEUDONYM_KEY_MIN_BYTES = 16, PSEUDONYM_KEY_MAX_BYTES = 4096 };

struct pseudonym_key {
	unsigned char bytes[PSEUDONYM_KEY_MAX_BYTES];
	size_t count; /* 0: no file was named */
};

/*
 * Reads the file; where `path` is NULL the key has no bytes. 0, or a negative errno with a
 * sentence: the file cannot be read, is not a regular file, is open to its group or to others, or
 * its size is out of range.
 */
int pseudonym_key__read(const char *path, struct pseudonym_key *key, struct error *err);

void pseudonym_key__wipe(struct pseudonym_key *key);

#endif
