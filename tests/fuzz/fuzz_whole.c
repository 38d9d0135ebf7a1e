// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sends any bytes as records into a plain stream and into one with --whole and little memory.
 * Executions are whole or absent in the second, and the counts of both are equal.
 *
 *	input:  a byte that chooses the conditions, then records, each after its length in 2 bytes
 *		(little-endian)
 *
 * links: STREAM
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void require(int condition)
{
	if (!condition)
		abort();
}

#define WHOLE_REQUIRE(condition) require(condition)
#include "../unit/whole_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct streams {
	struct stream *plain, *whole;
	uint64_t now_ns;
};

/* A record has a time of its own: two executions of one id began at different times. */
static void set_time(struct streams *streams, void *bytes, size_t count)
{
	struct steptrace_record *record = bytes;

	if (count < sizeof(*record))
		return;
	streams->now_ns += 1 + (record->time_ns & 0xffffff);
	record->time_ns = streams->now_ns;
}

static void feed_one(struct stream *stream, const void *record, size_t count)
{
	const struct steptrace_record *head = record;
	struct termination termination;

	if (count >= sizeof(struct command_closed) && head->probe == COMMAND_CLOSED)
		return; /* only a filter that excludes --whole makes these */
	require(stream__record(stream, record, count) == 0);
	if (!termination__of_record(record, count, &termination))
		stream__abort_process(stream, &termination);
}

/* From the end of aligned memory, so that AddressSanitizer sees a read beyond it. */
static void feed(struct streams *streams, const uint8_t *bytes, size_t count)
{
	const struct held_store *held = stream__held(streams->whole);
	void *record = NULL;

	require(posix_memalign(&record, 8, count) == 0);
	memcpy(record, bytes, count);
	set_time(streams, record, count);
	feed_one(streams->plain, record, count);
	feed_one(streams->whole, record, count);
	require(hits_of(streams->plain) == hits_of(streams->whole));
	require(held->bytes <= held->limit_bytes);
	free(record);
}

static void feed_all(struct streams *streams, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t count = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		count = count < size ? count : size;
		feed(streams, data, count);
		data += count;
		size -= count;
	}
}

static void end(struct streams *streams)
{
	const struct whole_counts *counts = stream__whole_counts(streams->whole);

	stream__end(streams->whole, streams->now_ns);
	require(stream__held(streams->whole)->bytes == 0);
	require(stream__held(streams->whole)->events == 0);
	require(counts->early <= counts->written && counts->unfinished <= counts->left_out);
	require(stream__events_total(streams->whole) ==
		lines__count(stream__lines(streams->whole)));
	require(hits_of(streams->plain) == hits_of(streams->whole));
	whole_check(streams->plain, streams->whole);
}

static void run(const uint8_t *data, size_t size, struct stream_options options,
		const struct whole *whole)
{
	struct streams streams = {.now_ns = 1};

	require(stream__new(&options, &streams.plain) == 0);
	options.whole = *whole;
	require(stream__new(&options, &streams.whole) == 0);
	feed_all(&streams, data, size);
	end(&streams);
	stream__free(streams.plain);
	stream__free(streams.whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = size ? data[0] : 0;
	struct whole whole = {
		.conditions = choice & (WHOLE_FAILED | WHOLE_SLOWER | WHOLE_ABORTED),
		.slower_ns = UINT64_C(1) << (choice >> 3),
		.sample_every = choice & 8 ? 2 : 0,
		.hold_bytes = choice & 16 ? 4 * HELD_BLOCK_BYTES : 1 << 20,
	};

	if (!whole.conditions)
		whole.conditions = WHOLE_FAILED;
	data += size > 0;
	size -= size > 0;
	run(data, size, (struct stream_options){.format = FORMAT_JSON}, &whole);
	run(data, size, (struct stream_options){.format = FORMAT_COMPACT, .executions_limit = 2},
	    &whole);
	return 0;
}
