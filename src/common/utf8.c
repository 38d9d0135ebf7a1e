// SPDX-License-Identifier: BSD-2-Clause
#include "common/utf8.h"

static int continues(const uint8_t *at, const uint8_t *end, int count)
{
	if (end - at <= count)
		return 0;
	for (int i = 1; i <= count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return 1;
}

int utf8__sequence_bytes(const uint8_t *at, const uint8_t *end)
{
	uint8_t first = at[0];

	if (first >= 0xc2 && first <= 0xdf)
		return continues(at, end, 1) ? 2 : 0;
	if (first >= 0xe0 && first <= 0xef) {
		if (!continues(at, end, 2) || (first == 0xe0 && at[1] < 0xa0) ||
		    (first == 0xed && at[1] > 0x9f))
			return 0;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		if (!continues(at, end, 3) || (first == 0xf0 && at[1] < 0x90) ||
		    (first == 0xf4 && at[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}
