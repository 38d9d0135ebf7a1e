// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_text.h"

#include "common/utf8.h"

/* ---- the usual characters, eight at a time */

#define EACH(byte) (0x0101010101010101ull * (byte))

/* The high bit of each byte that is zero; bytes above it may be wrong, the lowest is right. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH(0x01)) & ~word & EACH(0x80);
}

/* The high bit of each byte that is a quote, a backslash, a control character, or not ASCII. */
static uint64_t special_bytes(uint64_t word)
{
	return zero_bytes(word ^ EACH('"')) | zero_bytes(word ^ EACH('\\')) |
	       ((word - EACH(0x20)) & ~word & EACH(0x80)) | (word & EACH(0x80));
}

static bool is_special(unsigned char c)
{
	return c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
}

static const char *pass_usual(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (; end - at >= 8; at += 8) {
		uint64_t word, special;

		memcpy(&word, at, sizeof(word));
		special = special_bytes(word);
		if (special)
			return at + __builtin_ctzll(special) / 8;
	}
#endif
	while (at < end && !is_special((unsigned char)*at))
		at++;
	return at;
}

/* ---- escapes */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of a \u escape. -1: there are none. */
static int hex_unit(const char *at, const char *end)
{
	int unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static bool is_between(int value, int from, int to)
{
	return value >= from && value <= to;
}

/* *at is behind "\u". 0: it is no character. */
static uint32_t unicode_escape(const char **at, const char *end)
{
	int high = hex_unit(*at, end), low;

	if (high <= 0 || is_between(high, 0xdc00, 0xdfff))
		return 0;
	*at += 4;
	if (!is_between(high, 0xd800, 0xdbff))
		return (uint32_t)high;
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	low = hex_unit(*at + 2, end);
	*at += 6;
	if (!is_between(low, 0xdc00, 0xdfff))
		return 0;
	return 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

static char *put_character(char *to, uint32_t character)
{
	if (character < 0x80) {
		*to++ = (char)character;
		return to;
	}
	if (character < 0x800) {
		*to++ = (char)(0xc0 | character >> 6);
	} else if (character < 0x10000) {
		*to++ = (char)(0xe0 | character >> 12);
		*to++ = (char)(0x80 | (character >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | character >> 18);
		*to++ = (char)(0x80 | (character >> 12 & 0x3f));
		*to++ = (char)(0x80 | (character >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (character & 0x3f));
	return to;
}

/* *at is behind the backslash. 0: there is no such escape. */
static uint32_t escape(const char **at, const char *end)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (*at == end)
		return 0;
	if (**at == 'u') {
		++*at;
		return unicode_escape(at, end);
	}
	found = **at ? strchr(names, **at) : NULL;
	++*at;
	return found ? (uint8_t)values[found - names] : 0;
}

/* ---- texts */

/* Moves behind one special character that is not the closing quote. `*character` is 0 if it is
 * not an escape. False: it is not allowed. */
static bool pass_special(const char **at, const char *end, uint32_t *character)
{
	int bytes;

	*character = 0;
	if (**at == '\\') {
		++*at;
		*character = escape(at, end);
		return *character != 0;
	}
	bytes = (unsigned char)**at >= 0x80
			? utf8__sequence_bytes((const uint8_t *)*at, (const uint8_t *)end)
			: 0;
	*at += bytes;
	return bytes != 0;
}

/* Behind the first escape: copies to the room, up to the closing quote. */
static bool decode(const char **at, const char *end, char **room)
{
	while (*at < end && **at != '"') {
		const char *from = *at;
		uint32_t character = 0;

		*at = pass_usual(from, end);
		if (*at == from && !pass_special(at, end, &character))
			return false;
		if (character) {
			*room = put_character(*room, character);
			continue;
		}
		memcpy(*room, from, (size_t)(*at - from));
		*room += *at - from;
	}
	return *at < end;
}

static bool decode_from_start(const char **at, const char *end, const char *start, char **room,
			      struct recorded_text *text)
{
	char *decoded = *room;

	*at = start;
	if (!decode(at, end, room))
		return false;
	*text = (struct recorded_text){decoded, (size_t)(*room - decoded)};
	++*at;
	return true;
}

bool recorded_text__scan(const char **at, const char *end, char **room, struct recorded_text *text)
{
	const char *start = *at;
	uint32_t character;

	for (;;) {
		*at = pass_usual(*at, end);
		if (*at == end)
			return false;
		if (**at == '"')
			break;
		if (**at == '\\')
			return decode_from_start(at, end, start, room, text);
		if (!pass_special(at, end, &character))
			return false;
	}
	*text = (struct recorded_text){start, (size_t)(*at - start)};
	++*at;
	return true;
}

bool recorded_text__pass(const char **at, const char *end)
{
	uint32_t character;

	for (;;) {
		*at = pass_usual(*at, end);
		if (*at == end)
			return false;
		if (**at == '"')
			break;
		if (!pass_special(at, end, &character))
			return false;
	}
	++*at;
	return true;
}
