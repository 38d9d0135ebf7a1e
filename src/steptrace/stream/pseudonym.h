/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --pseudonymize: replaces text that identifies a person by a keyed hash (BLAKE2b). This happens
 * right after a record is decoded, so no later part of the program has the original text.
 *
 *	"alice"	->	"p:5f1c…" (32 hexadecimal digits; 13 where a field has no room for more)
 *
 * The same text in the same field has the same pseudonym under the same key. In another field it
 * has another one. With a random key the pseudonyms of two recordings cannot be compared. Empty
 * text stays empty. Only pseudonym.c uses libsodium.
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

/* Their names in --pseudonymize, for example "user_id". */
extern const char *const pseudonym_fields[PSEUDONYM_FIELDS_COUNT];

/* Adds the fields of a list ("user_id,comm") to the mask: bit PSEUDONYM_COMM for "comm", and so
 * on. 0, or -EINVAL with a sentence. */
int pseudonym__parse(const char *list, unsigned int *mask, struct error *err);

struct pseudonyms;

/*
 * `mask` holds the fields to replace (pseudonym__parse). `key` is hashed and not kept; it may have
 * any length. Where `key_bytes` is 0 the key is a random one. 0, or a negative errno with a
 * sentence.
 */
int pseudonyms__new(unsigned int mask, const void *key, size_t key_bytes,
		    struct pseudonyms **pseudonyms, struct error *err);
/* Wipes the key. Accepts NULL. */
void pseudonyms__free(struct pseudonyms *pseudonyms);

/* The fields that are replaced. NULL: none. */
unsigned int pseudonyms__mask(const struct pseudonyms *pseudonyms);

/* Replaces `text` in place, if the mask has the field. `bytes` is the size of its array. NULL
 * pseudonyms replace nothing. */
void pseudonyms__replace(const struct pseudonyms *pseudonyms, enum pseudonym_field field,
			 char *text, size_t bytes);

/* Replaces all fields of a record. To be used as `pseudonymize` in struct stream_options. */
void pseudonyms__apply(void *pseudonyms, struct decoded *decoded);

#endif
