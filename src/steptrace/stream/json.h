/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON writer: functions that append to one growing buffer.
 *
 * The functions check no space. The caller reserves enough for a whole line with json__reserve()
 * first; the *_BYTES constants say how much a value may take. Text from a traced process or from
 * the system goes through json__text() only. It escapes what JSON must escape and replaces bytes
 * that are not UTF-8 by U+FFFD, so every line is valid JSON.
 *
 *	json__reserve(json, 256);
 *	json__raw(json, "{\"duration_ms\":");
 *	json__milliseconds(json, 45200000);		45.2
 */
#ifndef STEPTRACE_JSON_H
#define STEPTRACE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *base;  /* owned, where json__init made it */
	char *at;    /* the next byte is written here */
	char *limit; /* the end of the memory */
	/* Integers beyond JSON_SAFE_INTEGER are written as strings. Set it after json__init. */
	bool safe_integers;
};

/* The largest integer up to which a double holds every integer: 2^53 - 1. */
#define JSON_SAFE_INTEGER 9007199254740991

/* Makes an empty buffer of this size. 0 or -ENOMEM. json__free() accepts a zeroed struct. */
int json__init(struct json *json, size_t bytes);
void json__free(struct json *json);

/* Enlarges the buffer, so that it has room for `bytes` more. 0, or -ENOMEM: nothing has changed. */
int json__grow(struct json *json, size_t bytes);

/* The same; does nothing where there is enough room. */
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

/* A string literal, without escapes. */
#define json__raw(json, literal) json__bytes(json, "" literal, sizeof(literal) - 1)

/* A constant of the program that needs no escapes, for example a name from a table. */
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
	JSON_U64_BYTES = 22, /* with quotes */
	JSON_UUID_BYTES = 36,
	JSON_MILLISECONDS_BYTES = 22,
};

/* The most that json__text() writes for a field of this many bytes, with the quotes. */
#define JSON_TEXT_BYTES(field_bytes) (6 * (field_bytes) + 2)

/* Any number; json__u64() calls it for numbers of more than one digit. */
void json__long_u64(struct json *json, uint64_t value);

static inline void json__u64(struct json *json, uint64_t value)
{
	if (value < 10)
		*json->at++ = (char)('0' + value);
	else
		json__long_u64(json, value);
}

void json__i64(struct json *json, int64_t value);

/* A value below 1,000,000,000, with leading zeros. */
void json__nine_digits(struct json *json, uint32_t value);

/* 16 bytes as 8-4-4-4-12 hexadecimal digits, without quotes. */
void json__uuid(struct json *json, const uint8_t id[16]);

/* Nanoseconds as milliseconds: exact, with up to six decimals, without trailing zeros. */
void json__milliseconds(struct json *json, uint64_t ns);

/* A quoted string. The text ends at its first NUL or after `bytes` bytes. */
void json__text(struct json *json, const char *text, size_t bytes);

#endif
