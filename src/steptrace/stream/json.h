/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON writer of the event stream.
 *
 * Straight appends into one growing buffer. json__reserve() is called once for a line (or for a
 * piece of unbounded length); between two calls the writers below check nothing, so each says how
 * much it may need. Every string that comes from outside goes through json__text(), which escapes
 * what JSON must escape and replaces what is not UTF-8 by U+FFFD: whatever the bytes, the line is
 * valid.
 *
 *	json__reserve(json, 256);
 *	json__raw(json, "{\"duration_ms\":");
 *	json__milliseconds(json, 45200000);		45.2
 */
#ifndef STEPTRACE_JSON_H
#define STEPTRACE_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *base; /* owned */
	char *at;
	char *limit;
};

/* 0 or -ENOMEM. The buffer is empty after init; json__free may be called on zeroed memory. */
int json__init(struct json *json, size_t bytes);
void json__free(struct json *json);

/* Room for `bytes` more; 0 or -ENOMEM (nothing is lost). */
int json__grow(struct json *json, size_t bytes);

static inline int json__reserve(struct json *json, size_t bytes)
{
	return (size_t)(json->limit - json->at) >= bytes ? 0 : json__grow(json, bytes);
}

static inline size_t json__length(const struct json *json)
{
	return (size_t)(json->at - json->base);
}

static inline void json__bytes(struct json *json, const char *bytes, size_t count)
{
	memcpy(json->at, bytes, count);
	json->at += count;
}

/* A literal, as it stands. */
#define json__raw(json, literal) json__bytes(json, "" literal, sizeof(literal) - 1)

/* A constant of the program that needs no escapes: a name from a table. */
static inline void json__word(struct json *json, const char *word)
{
	json__bytes(json, word, strlen(word));
}

static inline void json__bool(struct json *json, int value)
{
	if (value)
		json__raw(json, "true");
	else
		json__raw(json, "false");
}

enum {
	JSON_U64_BYTES = 20,
	JSON_UUID_BYTES = 36,
	JSON_MILLISECONDS_BYTES = 22,
};

/* What json__text() may need for a field of this many bytes, quotes included. */
#define JSON_TEXT_BYTES(field_bytes) (6 * (field_bytes) + 2)

void json__long_u64(struct json *json, uint64_t value);

static inline void json__u64(struct json *json, uint64_t value)
{
	if (value < 10)
		*json->at++ = (char)('0' + value);
	else
		json__long_u64(json, value);
}

void json__i64(struct json *json, int64_t value);

/* Less than a thousand million, with leading zeros. */
void json__nine_digits(struct json *json, uint32_t value);

/* 16 bytes as 8-4-4-4-12 hexadecimal digits, without quotes. */
void json__uuid(struct json *json, const uint8_t id[16]);

/* Nanoseconds as a decimal number of milliseconds: exact, up to six places, no trailing zeros. */
void json__milliseconds(struct json *json, uint64_t ns);

/* A quoted string from a NUL-padded field of at most `bytes` bytes. */
void json__text(struct json *json, const char *text, size_t bytes);

#endif
