// SPDX-License-Identifier: BSD-2-Clause
#include "common/printable.h"

#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

/* U+0080 to U+009F, two bytes each in UTF-8. */
static int is_control(const uint8_t *at, int bytes)
{
	return bytes == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

void printable__text(char *text)
{
	const uint8_t *end = (const uint8_t *)text + strlen(text);
	uint8_t *at = (uint8_t *)text;

	while (at < end) {
		int bytes = *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);

		if (*at < 0x20 || *at == 0x7f || bytes == 0 || is_control(at, bytes)) {
			bytes = bytes ? bytes : 1;
			memset(at, '?', (size_t)bytes);
		}
		at += bytes;
	}
}
