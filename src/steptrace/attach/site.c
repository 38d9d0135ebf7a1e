// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/site.h"

#include <string.h>

#if defined(__x86_64__)
const struct site_info sites[SITE_KINDS_COUNT] = {
	[SITE_NOP1] = {"nop1", 0, 1, {0x90}},
	[SITE_NOP5] = {"nop5", 1, 5, {0x0f, 0x1f, 0x44, 0x00, 0x00}},
	[SITE_NOP10] = {"nop10", 6, 10, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}},
};
#else
const struct site_info sites[SITE_KINDS_COUNT] = {
	[SITE_NOP1] = {"nop", 0, 4, {0x1f, 0x20, 0x03, 0xd5}},
	[SITE_NOP5] = {"nop5", 0, 0, {0}},
	[SITE_NOP10] = {"nop10", 0, 0, {0}},
};
#endif

unsigned int site__recognise(const uint8_t *bytes, size_t size_bytes)
{
	unsigned int found = 0;

	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++) {
		const struct site_info *site = &sites[kind];

		if (site->size_bytes == 0 || site->offset + site->size_bytes > size_bytes)
			break; /* the later ones lie behind the earlier ones */
		if (memcmp(bytes + site->offset, site->bytes, site->size_bytes) != 0)
			break;
		found |= 1u << kind;
	}
	return found;
}
