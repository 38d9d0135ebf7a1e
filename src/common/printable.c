// SPDX-License-Identifier: BSD-2-Clause
#include "common/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

/* One byte becomes at most this many: "\xff". The long escapes are of two bytes or more. */
enum { ESCAPE_GROWTH = 4 };

struct range {
	uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count && ranges[i].first <= point; i++)
		if (point <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(ranges, point) is_in(ranges, sizeof(ranges) / sizeof((ranges)[0]), point)

/* Controls, and what sets the direction of writing. */
static const struct range escaped[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
	{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
};

/* Combining characters, joiners and selectors of variants. */
static const struct range narrow[] = {
	{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
	{0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

/* Chinese, Japanese and Korean characters, full-width forms, emoji. */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
	{0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
	{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static uint8_t columns_of(uint32_t point)
{
	if (IS_IN(narrow, point))
		return 0;
	return IS_IN(wide, point) ? 2 : 1;
}

/* The code point of a valid sequence of two to four bytes. */
static uint32_t point_of(const uint8_t *at, int bytes)
{
	uint32_t point = at[0] & (0x7fu >> bytes);

	for (int i = 1; i < bytes; i++)
		point = point << 6 | (at[i] & 0x3f);
	return point;
}

static void escape(struct printable *shown, const char *form, uint32_t value)
{
	char text[sizeof(shown->text) + 1];
	int bytes = snprintf(text, sizeof(text), form, value);

	memcpy(shown->text, text, sizeof(shown->text));
	shown->bytes = shown->columns = (uint8_t)bytes;
}

static const char *form_of(uint32_t point)
{
	switch (point) {
	case '\n': return "\\n";
	case '\t': return "\\t";
	case '\r': return "\\r";
	default: return point < 0x80 ? "\\x%02x" : "\\u%04x";
	}
}

struct printable printable__character(const uint8_t *at, const uint8_t *end)
{
	int bytes = *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);
	struct printable shown = {.bytes = (uint8_t)bytes, .taken = (uint8_t)bytes, .columns = 1};
	uint32_t point = bytes > 1 ? point_of(at, bytes) : *at;

	if (bytes == 0) {
		escape(&shown, "\\x%02x", *at);
		shown.taken = 1;
	} else if (IS_IN(escaped, point)) {
		escape(&shown, form_of(point), point);
	} else {
		memcpy(shown.text, at, (size_t)bytes);
		shown.columns = columns_of(point);
	}
	return shown;
}

char *printable__copy(char *to, size_t room, const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + strnlen(text, bytes);
	size_t used = 0;

	while (at < end) {
		struct printable shown = printable__character(at, end);

		if (room - used <= shown.bytes)
			break;
		memcpy(to + used, shown.text, shown.bytes);
		used += shown.bytes;
		at += shown.taken;
	}
	to[used] = 0;
	return to;
}

char *printable__duplicate(const char *text)
{
	size_t room = ESCAPE_GROWTH * strlen(text) + 1;
	char *copy = malloc(room);

	return copy ? printable__copy(copy, room, text, SIZE_MAX) : NULL;
}

size_t printable__columns(const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + strnlen(text, bytes);
	size_t columns = 0;

	while (at < end) {
		struct printable shown = printable__character(at, end);

		columns += shown.columns;
		at += shown.taken;
	}
	return columns;
}
