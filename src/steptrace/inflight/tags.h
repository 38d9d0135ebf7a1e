/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the tags of open commands and steps in the memory of a runner.
 *
 * While a command or step is open, its struct contains a tag: a constant mixed with the address of
 * the tag (usdt/steptrace.h, "WHAT IS OPEN NOW"). Here the bytes are only searched. A process can
 * forge tags, so a tag is a hint: open_spans.c checks the struct around it.
 */
#ifndef STEPTRACE_TAGS_H
#define STEPTRACE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tag {
	uint64_t address; /* of the tag, in the runner */
	uint8_t version;  /* of the struct's members */
	uint8_t kind;     /* RUNNER_SPAN_COMMAND or RUNNER_SPAN_STEP, if not forged */
	uint16_t size_bytes;
};

enum { TAG_VERSION = 1 };

#define TAG_FACTOR 0x9e3779b97f4a7c15ull

/* Whether `word` at this address of the runner is a tag. If so, fills in `tag`. */
static inline bool tag__parse(uint64_t word, uint64_t address, struct tag *tag)
{
	uint64_t mixed = word ^ address * TAG_FACTOR;

	if (mixed >> 32 != 0xd1f57e9a)
		return false;
	*tag = (struct tag){address, (uint8_t)(mixed >> 24), (uint8_t)(mixed >> 16),
			    (uint16_t)mixed};
	return true;
}

typedef void tag_fn(void *context, const struct tag *tag);

/* Calls `each` for every tag in bytes that were read at `address`, which is divisible by 8. Bytes
 * behind the last whole word are not looked at. */
void tags__find(const void *bytes, size_t size_bytes, uint64_t address, tag_fn *each,
		void *context);

#endif
