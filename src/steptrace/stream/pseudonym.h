/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --pseudonymize: text that names somebody is replaced by a keyed hash (BLAKE2b) as soon as a record is
 * decoded, so that nothing behind that ever sees it.
 *
 *	"alice"	->	"p:5f1c…" (32 hexadecimal digits; 13 where a field has no room for more)
 *
 * The same value of the same field has the same pseudonym under the same key. The key is that of a
 * file, or a random one that is gone with the recording. Nothing stays nothing. libsodium is used in
 * this file only.
 */
#ifndef STEPTRACE_PSEUDONYM_H
#define STEPTRACE_PSEUDONYM_H

#include <stddef.h>

#include "common/error.h"
#include "steptrace/stream/decode.h"

enum pseudonym_field {
	PSEUDONYM_USER_ID,
	PSEUDONYM_CORRELATION_ID,
	PSEUDONYM_COMMAND_SLUG,
	PSEUDONYM_REQUEST_SOURCE,
	PSEUDONYM_STEP_NAME,
	PSEUDONYM_TOOL_SLUG,
	PSEUDONYM_COMM,
	PSEUDONYM_HOST,
	PSEUDONYM_FIELDS_COUNT,
};

/* "user_id": as --pseudonymize has them. */
extern const char *const pseudonym_fields[PSEUDONYM_FIELDS_COUNT];

/* Adds the fields of a list ("user_id,comm") to the mask; -EINVAL with a sentence. */
int pseudonym__parse(const char *list, unsigned int *mask, struct error *err);

struct pseudonyms;

/*
 * `mask` holds the fields to replace (pseudonym__parse). `key` is hashed and not kept; it may have
 * any length. Where `key_bytes` is 0 the key is a random one. 0, or a negative errno with a sentence.
 */
int pseudonyms__new(unsigned int mask, const void *key, size_t key_bytes,
		    struct pseudonyms **pseudonyms, struct error *err);
/* Wipes the key. Accepts NULL. */
void pseudonyms__free(struct pseudonyms *pseudonyms);

unsigned int pseudonyms__mask(const struct pseudonyms *pseudonyms);

/* The text of a field of so many bytes, in place, where that field is to be replaced. */
void pseudonyms__replace(const struct pseudonyms *pseudonyms, enum pseudonym_field field,
			 char *text, size_t bytes);

/* All of a record's; a `pseudonymize` of stream.h. */
void pseudonyms__apply(void *pseudonyms, struct decoded *decoded);

#endif
