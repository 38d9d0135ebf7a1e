// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sends any bytes as records through decoder and writers: as JSON, as JSON with selected fields,
 * and as text. Then corrects the lines, as for an output that has missed some of them.
 *
 *	input:  records, each after its length in 2 bytes (little-endian)
 *
 * links: STREAM src/steptrace/output/batch.c src/steptrace/output/incomplete.c -lcjson
 */
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/output/batch.h"
#include "steptrace/output/incomplete.h"
#include "steptrace/stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_line(const char *line, size_t bytes, enum stream_format format)
{
	cJSON *event;

	for (size_t i = 0; i + 1 < bytes; i++)
		require((unsigned char)line[i] >= 0x20);
	if (format != FORMAT_JSON)
		return;
	event = cJSON_ParseWithLength(line, bytes);
	require(cJSON_IsObject(event));
	cJSON_Delete(event);
}

/* Checks that only whole lines were added to the buffer; returns their number. */
static size_t check_lines(struct stream *stream, size_t from)
{
	const char *at = stream__lines(stream)->text.base + from;
	const char *end = stream__lines(stream)->text.at;
	size_t count = 0;

	for (const char *next; at < end; at = next, count++) {
		next = memchr(at, '\n', (size_t)(end - at));
		require(next != NULL);
		next++;
		check_line(at, (size_t)(next - at), stream__options(stream)->format);
	}
	return count;
}

static uint64_t lost_total(const struct stream *stream)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			sum += stream__counts(stream)->lost[kind][reason];
	return sum;
}

/* If the record ends a process, its open executions become aborted events, and no other event or
 * loss is counted. */
static void end_process(struct stream *stream, const void *record, size_t count)
{
	uint64_t lost = lost_total(stream), events = stream__events_total(stream);
	size_t length = lines__bytes(stream__lines(stream));
	struct termination termination;

	if (termination__of_record(record, count, &termination))
		return;
	stream__abort_process(stream, &termination);
	require(lost_total(stream) == lost);
	require(check_lines(stream, length) == stream__events_total(stream) - events);
}

/* Feeds a record from the end of aligned memory, so that AddressSanitizer sees a read beyond it. A
 * record makes at most one event or one loss. */
static void feed(struct stream *stream, const uint8_t *bytes, size_t count)
{
	uint64_t before = stream__events_total(stream) + lost_total(stream), after;
	size_t length = lines__bytes(stream__lines(stream));
	void *record = NULL;

	require(posix_memalign(&record, 8, count) == 0);
	memcpy(record, bytes, count);
	require(stream__record(stream, record, count) == 0);
	after = stream__events_total(stream) + lost_total(stream);
	require(after - before <= 1);
	require(check_lines(stream, length) <= 1);
	end_process(stream, record, count);
	free(record);
}

/* Marks the second half of the batch as missed, then corrects and checks all of it. */
static void correct(const struct batch *batch, enum stream_format format)
{
	struct incomplete *incomplete = incomplete__new();
	struct lines room = {.text = {0}};
	const struct lines *lines;
	const char *at, *next;

	require(incomplete != NULL);
	incomplete__miss(incomplete, &batch->lines, lines__bytes(&batch->lines) / 2);
	lines = incomplete__correct(incomplete, &batch->lines, &room);
	require(lines__count(lines) == lines__count(&batch->lines));
	for (at = lines->text.base; at < lines->text.at; at = next) {
		next = lines__behind(lines, at);
		check_line(at, (size_t)(next - at), format);
	}
	lines__free(&room);
	incomplete__free(incomplete);
}

static void run(const uint8_t *data, size_t size, const struct stream_options *options)
{
	struct line_counts counts = {.events = {0}};
	struct stream *stream;
	struct batch *batch;

	require(stream__new(options, &stream) == 0);
	while (size >= 2) {
		size_t count = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		count = count < size ? count : size;
		feed(stream, data, count);
		data += count;
		size -= count;
	}
	batch = batch__take(stream);
	require(batch != NULL);
	line_counts__count(&counts, &batch->lines, lines__bytes(&batch->lines) / 2);
	require(line_counts__total(&counts) <= lines__count(&batch->lines));
	if (options->format == FORMAT_JSON)
		correct(batch, options->format);
	batch__let_go(batch);
	stream__free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_options options = {.format = FORMAT_JSON, .executions_limit = 4};

	options.seed_fields_only = size > 0 && data[size - 1] & 1;
	options.has_breakdown = size > 0 && data[size - 1] & 2;
	run(data, size, &options);
	options.seed_fields_only = false;
	options.fields.count = 2;
	options.fields.kept[0].name = "source";
	options.fields.kept[1].name = "step_type";
	for (size_t i = 0; i < options.fields.count; i++)
		options.fields.kept[i].bytes = strlen(options.fields.kept[i].name);
	run(data, size, &options);
	options.fields.count = 0;
	options.format = FORMAT_COMPACT;
	run(data, size, &options);
	return 0;
}
