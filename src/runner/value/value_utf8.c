// SPDX-License-Identifier: BSD-2-Clause
/* Code points of text that may contain invalid UTF-8. See value.h for how invalid bytes count. */
#include "runner/value/value.h"

#include <stdint.h>

#include "common/utf8.h"

/* Bytes of the valid code point at the start of the text; 0: there is none. */
static size_t valid_size(const char *text, size_t length)
{
	const uint8_t *at = (const uint8_t *)text;

	if (!length)
		return 0;
	return *at < 0x80 ? 1 : (size_t)utf8__sequence_bytes(at, at + length);
}

size_t utf8__size(const char *text, size_t length)
{
	size_t size = valid_size(text, length);

	return size || !length ? size : 1;
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
