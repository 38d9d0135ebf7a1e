// SPDX-License-Identifier: BSD-2-Clause
/*
 * The structs of a runner whose memory is foreign: any bytes, with valid tags in front of them. The
 * input is a list of tags (their number, then kind and place of each), and the memory.
 *
 * links: src/steptrace/inflight/open_spans.c src/steptrace/inflight/tags.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/inflight/open_spans.h"
#include "steptrace/inflight/runner_structs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASE = 0x10000, MEMORY_BYTES = 1 << 14, TAGS_MAX = 32 };

static uint8_t memory[MEMORY_BYTES];

static ssize_t read_memory(void *context, uint64_t address, void *bytes, size_t size_bytes)
{
	(void)context;
	if (address < BASE || address >= BASE + MEMORY_BYTES)
		return -1;
	if (size_bytes > BASE + MEMORY_BYTES - address)
		size_bytes = BASE + MEMORY_BYTES - address;
	memcpy(bytes, &memory[address - BASE], size_bytes);
	return (ssize_t)size_bytes;
}

static void put_tag(uint16_t place, uint8_t kind)
{
	size_t at = place % (MEMORY_BYTES - sizeof(uint64_t)) / 8 * 8;
	uint64_t size = kind & 1 ? sizeof(struct runner_command) : sizeof(struct runner_step);
	uint64_t word = 0xd1f57e9aull << 32 | (uint64_t)(kind >> 2 ? TAG_VERSION : 2) << 24 |
			(uint64_t)(kind & 1 ? RUNNER_SPAN_COMMAND : RUNNER_SPAN_STEP) << 16 | size;

	word ^= (BASE + at) * TAG_FACTOR;
	memcpy(&memory[at], &word, sizeof(word));
}

static void on_tag(void *context, const struct tag *tag)
{
	const struct memory_reader reader = {read_memory, NULL};

	open_spans__read(context, tag, &reader, 1ull << 60);
}

#define IS_TEXT(array) (memchr(array, 0, sizeof(array)) != NULL)

static void check(const struct open_spans *spans)
{
	for (size_t i = 0; i < spans->commands_count; i++) {
		const struct open_command *command = &spans->commands[i];

		if (!IS_TEXT(command->slug) || !IS_TEXT(command->user_id) ||
		    !IS_TEXT(command->request_source) || !IS_TEXT(command->correlation_id) ||
		    open_spans__find_command(spans, command->span.address) != (int)i)
			abort();
	}
	for (size_t i = 0; i < spans->steps_count; i++) {
		const struct open_step *step = &spans->steps[i];

		if (!IS_TEXT(step->type) || !IS_TEXT(step->name) || step->command < 0 ||
		    (size_t)step->command >= spans->commands_count ||
		    step->parent >= (int)spans->steps_count || step->span.start_ns > 1ull << 60 ||
		    open_spans__find_step(spans, step->span.address) != (int)i)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t tags = size ? data[0] % TAGS_MAX : 0;
	const uint8_t *rest = data + 1 + 3 * tags;
	struct open_spans spans = {0};

	if (size < 1 + 3 * tags)
		return 0;
	memset(memory, 0, sizeof(memory));
	size -= 1 + 3 * tags;
	memcpy(memory, rest, size < MEMORY_BYTES ? size : MEMORY_BYTES);
	for (size_t i = 0; i < tags; i++)
		put_tag((uint16_t)(data[1 + 3 * i] << 8 | data[2 + 3 * i]), data[3 + 3 * i]);
	tags__find(memory, sizeof(memory), BASE, on_tag, &spans);
	open_spans__link(&spans);
	check(&spans);
	open_spans__free(&spans);
	return 0;
}
