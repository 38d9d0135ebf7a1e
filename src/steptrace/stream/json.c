// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/json.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "common/utf8.h"

/* The numbers 0 to 99 as two digits each. */
static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
			    "34353637383940414243444546474849505152535455565758596061626364656667"
			    "6869707172737475767778798081828384858687888990919293949596979899";

int json__init(struct json *json, size_t bytes)
{
	json->base = malloc(bytes);
	if (!json->base)
		return -ENOMEM;
	json->at = json->base;
	json->limit = json->base + bytes;
	json->safe_integers = false;
	return 0;
}

void json__free(struct json *json)
{
	free(json->base);
	json->base = json->at = json->limit = NULL;
}

int json__grow(struct json *json, size_t bytes)
{
	size_t used = json__length(json);
	size_t room = (size_t)(json->limit - json->base);
	char *base;

	while (room - used < bytes)
		room = room ? room * 2 : 4096;
	base = realloc(json->base, room);
	if (!base)
		return -ENOMEM;
	json->base = base;
	json->at = base + used;
	json->limit = base + room;
	return 0;
}

/* The number of decimal digits. Computed from the number of bits; that may be one too small, which
 * a comparison corrects. */
static unsigned int digits_count(uint64_t value)
{
	static const uint64_t powers[] = {
		0,
		10,
		100,
		1000,
		10000,
		100000,
		1000000,
		10000000,
		100000000,
		1000000000,
		10000000000,
		100000000000,
		1000000000000,
		10000000000000,
		100000000000000,
		1000000000000000,
		10000000000000000,
		100000000000000000,
		1000000000000000000,
		10000000000000000000u,
	};
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(value | 1);
	unsigned int count = bits * 1233 >> 12; /* 1233 / 4096: the decimal logarithm of 2 */

	return count + (value >= powers[count]);
}

/* Eight digits, with leading zeros. */
static void put_eight(char *at, uint32_t value)
{
	memcpy(&at[0], &pairs[2 * (value / 1000000)], 2);
	memcpy(&at[2], &pairs[2 * (value / 10000 % 100)], 2);
	memcpy(&at[4], &pairs[2 * (value / 100 % 100)], 2);
	memcpy(&at[6], &pairs[2 * (value % 100)], 2);
}

static void put_digits(struct json *json, uint64_t value)
{
	char *at = json->at + digits_count(value);
	uint32_t rest;

	json->at = at;
	for (; value >= 100000000; value /= 100000000)
		put_eight(at -= 8, (uint32_t)(value % 100000000));
	for (rest = (uint32_t)value; rest >= 100; rest /= 100)
		memcpy(at -= 2, &pairs[2 * (rest % 100)], 2);
	if (rest >= 10)
		memcpy(at - 2, &pairs[2 * rest], 2);
	else
		at[-1] = (char)('0' + rest);
}

void json__long_u64(struct json *json, uint64_t value)
{
	bool is_text = json->safe_integers && value > JSON_SAFE_INTEGER;

	if (is_text)
		json__raw(json, "\"");
	put_digits(json, value);
	if (is_text)
		json__raw(json, "\"");
}

void json__i64(struct json *json, int64_t value)
{
	bool is_text = json->safe_integers && value < -JSON_SAFE_INTEGER;

	if (value >= 0) {
		json__u64(json, (uint64_t)value);
		return;
	}
	if (is_text)
		json__raw(json, "\"");
	json__raw(json, "-");
	put_digits(json, 0 - (uint64_t)value);
	if (is_text)
		json__raw(json, "\"");
}

void json__milliseconds(struct json *json, uint64_t ns)
{
	uint32_t rest = (uint32_t)(ns % 1000000);
	char *at;

	json__u64(json, ns / 1000000);
	if (rest == 0)
		return;
	at = json->at;
	at[0] = '.';
	memcpy(&at[1], &pairs[2 * (rest / 10000)], 2);
	memcpy(&at[3], &pairs[2 * (rest / 100 % 100)], 2);
	memcpy(&at[5], &pairs[2 * (rest % 100)], 2);
	at += 7;
	while (at[-1] == '0')
		at--;
	json->at = at;
}

void json__nine_digits(struct json *json, uint32_t value)
{
	*json->at++ = (char)('0' + value / 100000000);
	put_eight(json->at, value % 100000000);
	json->at += 8;
}

/* The numbers 0 to 255 as two hexadecimal digits each. */
#define HEX_ROW(high)                                                                              \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high      \
	     "9" high "a" high "b" high "c" high "d" high "e" high "f"
static const char hex_pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4")
	HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
		HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

void json__uuid(struct json *json, const uint8_t id[16])
{
	static const uint8_t places[16] = {0,  2,  4,  6,  9,  11, 14, 16,
					   19, 21, 24, 26, 28, 30, 32, 34};
	char *at = json->at;

	for (int i = 0; i < 16; i++)
		memcpy(&at[places[i]], &hex_pairs[2 * id[i]], 2);
	at[8] = at[13] = at[18] = at[23] = '-';
	json->at = at + JSON_UUID_BYTES;
}

/* How a byte inside a string is written. */
enum byte_class {
	PLAIN = 0, /* as it is */
	END,       /* NUL: the text ends */
	SHORT,     /* backslash and one character: \n */
	LONG,      /* \u00XX */
	MULTI,     /* the first byte of a UTF-8 sequence, or not UTF-8 */
};

static const uint8_t classes[256] = {
	[0] = END,
	[1 ... 0x07] = LONG,
	['\b'] = SHORT,
	['\t'] = SHORT,
	['\n'] = SHORT,
	[0x0b] = LONG,
	['\f'] = SHORT,
	['\r'] = SHORT,
	[0x0e ... 0x1f] = LONG,
	['"'] = SHORT,
	['\\'] = SHORT,
	[0x7f] = LONG,
	[0x80 ... 0xff] = MULTI,
};

static const char short_escapes[256] = {
	['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  ['\f'] = 'f',
	['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
};

/* A terminal executes control characters, so DEL and U+0080 to U+009F are escaped, too. */
static void put_long_escape(struct json *json, uint8_t point)
{
	static const char digits[] = "0123456789abcdef";

	json__raw(json, "\\u00");
	*json->at++ = digits[point >> 4];
	*json->at++ = digits[point & 15];
}

/* Writes one character that is not PLAIN. Returns how many bytes of the source it had. */
static int put_special(struct json *json, const uint8_t *at, const uint8_t *end)
{
	int count;

	switch (classes[*at]) {
	case SHORT:
		*json->at++ = '\\';
		*json->at++ = short_escapes[*at];
		return 1;
	case LONG: put_long_escape(json, *at); return 1;
	default:
		count = utf8__sequence_bytes(at, end);
		if (count == 0) {
			json__raw(json, "\xef\xbf\xbd");
			return 1;
		}
		if (at[0] == 0xc2 && at[1] < 0xa0) { /* U+0080 to U+009F */
			put_long_escape(json, at[1]);
			return count;
		}
		json__bytes(json, (const char *)at, (size_t)count);
		return count;
	}
}

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))

/*
 * Sets the top bit of each byte of the word that is not PLAIN. A subtraction may borrow from the
 * next byte (the addition may carry to it) and mark it wrongly, but only behind a byte that is
 * marked rightly. So the first mark is always right, and put_plain() uses no other.
 */
static uint64_t specials(uint64_t word)
{
	uint64_t quotes = word ^ EACH_BYTE('"'), slashes = word ^ EACH_BYTE('\\');

	return (word | (word + EACH_BYTE(1)) | ((word - EACH_BYTE(0x20)) & ~word) |
		((quotes - EACH_BYTE(1)) & ~quotes) | ((slashes - EACH_BYTE(1)) & ~slashes)) &
	       EACH_BYTE(0x80);
}

/* Copies PLAIN bytes, eight at a time, and stops at the first other byte or at the last seven.
 * Returns where it stopped. */
static const uint8_t *put_plain(struct json *json, const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 8) {
		uint64_t word, found;
		unsigned int plain;

		memcpy(&word, at, 8);
		memcpy(json->at, at, 8);
		found = specials(le64toh(word));
		plain = found ? (unsigned int)__builtin_ctzll(found) / 8 : 8;
		at += plain;
		json->at += plain;
		if (found)
			break;
	}
	return at;
}

void json__text(struct json *json, const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + bytes;

	*json->at++ = '"';
	at = put_plain(json, at, end);
	while (at < end) {
		uint8_t class = classes[*at];

		if (class == PLAIN) {
			*json->at++ = (char)*at++;
			continue;
		}
		if (class == END)
			break;
		at += put_special(json, at, end);
		at = put_plain(json, at, end);
	}
	*json->at++ = '"';
}
