/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Computes the text that a reader of the JSON must find for a text field. The method differs from
 * the writer's: it decodes code points and checks whether each of them is valid.
 */
#ifndef TESTS_FOREIGN_TEXT_H
#define TESTS_FOREIGN_TEXT_H

#include <stdint.h>
#include <string.h>

/* Length of the character at `at`, in bytes; 0: not valid UTF-8. */
static inline size_t foreign_text__character(const uint8_t *at, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t count = at[0] < 0x80 ? 1 : 0;
	uint32_t point = at[0];

	if (count)
		return count;
	while (point & (0x80u >> count))
		count++;
	if (count < 2 || count > 4 || count > left)
		return 0;
	point &= 0x7fu >> count;
	for (size_t i = 1; i < count; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < smallest[count] || point > 0x10ffff || point >> 11 == 0xd800 >> 11)
		return 0;
	return count;
}

/* Converts the text up to its NUL or the end of the field. Each byte that is not part of a valid
 * character becomes U+FFFD. `expected` has room for three times the field and a NUL. */
static inline void foreign_text__expected(const void *field, size_t bytes, char *expected)
{
	const uint8_t *at = (const uint8_t *)field;
	const uint8_t *end = at + strnlen((const char *)field, bytes);

	while (at < end) {
		size_t count = foreign_text__character(at, (size_t)(end - at));

		memcpy(expected, count ? (const char *)at : "\xef\xbf\xbd", count ? count : 3);
		expected += count ? count : 3;
		at += count ? count : 1;
	}
	*expected = 0;
}

/* A random generator (xorshift64*) with a given seed, so that a failure can be repeated. */
static inline uint64_t random__next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1du;
}

/* Fills a text field with plain text, control characters, valid UTF-8 and invalid UTF-8. */
static inline void random__text(uint64_t *state, char *field, size_t bytes)
{
	static const char *const pieces[] = {"a",
					     "\xc3\xa9",
					     "\xe2\x82\xac",
					     "\xf0\x9f\x98\x80",
					     "\xed\xa0\x80",
					     "\xc0\xaf",
					     "\xf4\x90\x80\x80",
					     "\"",
					     "\\",
					     "\xe2\x82",
					     "\n",
					     "\x7f",
					     "\xc2\x85",
					     "</script>"};
	size_t at = 0, count = random__next(state) % (bytes + 8);

	memset(field, 0, bytes);
	while (at < bytes && at < count) {
		const char *piece =
			pieces[random__next(state) % (sizeof(pieces) / sizeof(*pieces))];
		size_t length = strlen(piece);

		if (random__next(state) % 3 == 0) {
			field[at++] = (char)(random__next(state) % 255 + 1);
			continue;
		}
		length = length < bytes - at ? length : bytes - at;
		memcpy(field + at, piece, length);
		at += length;
	}
}

#endif
