// SPDX-License-Identifier: BSD-2-Clause
/* UTF-8 that may be broken: every byte that belongs to no code point counts as one. */
#include "runner/value.h"

/* Bytes of the sequence that starts with `lead`, and the least code point that needs so many. */
static size_t sequence_size(unsigned char lead, unsigned int *least, unsigned int *code)
{
	static const unsigned int leasts[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	*least = leasts[size];
	*code = size > 1 ? lead & (0x7fu >> size) : lead;
	return lead > 0xf4 ? 0 : size;
}

/* 0 where the text does not start with a valid code point. */
static size_t valid_size(const char *text, size_t length)
{
	unsigned int least, code;
	size_t size = length ? sequence_size((unsigned char)text[0], &least, &code) : 0;

	if (size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (size == 0 || code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return size;
}

size_t utf8__size(const char *text, size_t length)
{
	size_t size = valid_size(text, length);

	return size || !length ? size : 1;
}

bool utf8__is_valid(const char *text, size_t length)
{
	while (length > 0) {
		size_t size = valid_size(text, length);

		if (!size)
			return false;
		text += size;
		length -= size;
	}
	return true;
}

size_t utf8__count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t at = 0; at < length; count++)
		at += utf8__size(text + at, length - at);
	return count;
}

size_t utf8__offset(const char *text, size_t length, size_t index)
{
	size_t at = 0;

	while (at < length && index-- > 0)
		at += utf8__size(text + at, length - at);
	return at;
}
