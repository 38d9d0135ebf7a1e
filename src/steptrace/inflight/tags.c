// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/tags.h"

#include <string.h>

void tags__find(const void *bytes, size_t size_bytes, uint64_t address, tag_fn *each, void *context)
{
	const char *at = bytes;
	struct tag tag;
	uint64_t word;

	for (size_t i = 0; i + sizeof(word) <= size_bytes; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		if (__builtin_expect(tag__parse(word, address + i, &tag), 0))
			each(context, &tag);
	}
}
