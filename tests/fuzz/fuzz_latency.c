// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sends any bytes as records through the stream into the table of `steptrace latency`, and reports
 * it as text and as JSON; and into `steptrace top`, whose keys are the same bytes.
 *
 *	input:  the columns of the terminal in a byte, then records, each after its length in 2
 *		bytes (little-endian)
 *
 * links: src/steptrace/latency/[a-z]*.c src/steptrace/top/[a-z]*.c STREAM -lcjson
 */
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "steptrace/latency/latency.h"
#include "steptrace/top/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* ---- the report */

static double number_of(const cJSON *row, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(row, name);

	require(cJSON_IsNumber(member));
	return member->valuedouble;
}

/* The buckets have all timed values. Returns how many values the row has. */
static double check_row(const char *line, size_t bytes)
{
	cJSON *row = cJSON_ParseWithLength(line, bytes);
	const cJSON *bucket;
	double sum = 0, count;

	require(cJSON_IsObject(row));
	cJSON_ArrayForEach (bucket, cJSON_GetObjectItemCaseSensitive(row, "buckets"))
		sum += cJSON_GetArrayItem(bucket, 2)->valuedouble;
	count = number_of(row, "count");
	require(sum == count - number_of(row, "untimed"));
	require(number_of(row, "failures") <= count);
	cJSON_Delete(row);
	return count;
}

static double check_lines(struct stream *stream, bool is_json)
{
	const char *at = stream__lines(stream)->text.base, *end = stream__lines(stream)->text.at;
	double count = 0;

	for (const char *next; at < end; at = next) {
		next = memchr(at, '\n', (size_t)(end - at));
		require(next != NULL);
		for (const char *byte = at; byte < next; byte++)
			require((unsigned char)*byte >= 0x20);
		next++;
		count += is_json ? check_row(at, (size_t)(next - at)) : 0;
	}
	return count;
}

/* ---- records */

struct counter {
	struct latency *latency;
	bool of_steps;
	uint64_t ended;
};

static void on_event(void *context, const struct event *event)
{
	struct counter *counter = context;

	counter->ended +=
		event->kind == (counter->of_steps ? EVENT_STEP_EXECUTED : EVENT_COMMAND_COMPLETED);
	latency__on_event(counter->latency, event);
}

/* From the end of aligned memory, so that AddressSanitizer sees a read beyond it. */
static void feed(struct stream *stream, const uint8_t *bytes, size_t count)
{
	struct termination termination;
	void *record = NULL;

	require(posix_memalign(&record, 8, count) == 0);
	memcpy(record, bytes, count);
	require(stream__record(stream, record, count) == 0);
	if (!termination__of_record(record, count, &termination))
		stream__abort_process(stream, &termination);
	free(record);
}

static void feed_all(struct stream *stream, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t count = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		count = count < size ? count : size;
		feed(stream, data, count);
		data += count;
		size -= count;
	}
}

static void run(const uint8_t *data, size_t size, const char *by, bool is_json,
		unsigned int columns)
{
	struct latency_options options = {
		.rows_limit = 2, .is_json = is_json, .has_histograms = !is_json};
	struct latency latency;
	struct counter counter = {.latency = &latency};
	struct stream_options for_stream = {.format = is_json ? FORMAT_JSON : FORMAT_REPORT,
					    .executions_limit = 4,
					    .text.columns = columns,
					    .on_event = on_event,
					    .on_event_context = &counter,
					    .leaves_out_lines = true};
	struct stream *stream;
	struct error err;

	require(row_keys__parse(by, &options.keys, &err) == 0);
	counter.of_steps = options.keys.of_steps;
	require(latency__open(&latency, &options) == 0);
	require(stream__new(&for_stream, &stream) == 0);
	feed_all(stream, data, size);
	latency__on_time(&latency, stream, 1000000000, true);
	require(latency.reports_failed == 0);
	if (is_json)
		require(check_lines(stream, true) == (double)counter.ended);
	else
		check_lines(stream, false);
	stream__free(stream);
	latency__close(&latency);
}

/* ---- top */

/* No control characters, and not wider than the terminal. */
static void check_screen(const struct page *page, unsigned int columns)
{
	struct strbuf text;

	strbuf__init(&text, SIZE_MAX);
	page__lines(page, &text);
	require(!text.err && !page->is_incomplete);
	for (const char *line = text.text; line && *line; line = strchr(line, '\n') + 1) {
		size_t bytes = strcspn(line, "\n");

		require(printable__columns(line, bytes) <= columns);
		for (size_t i = 0; i < bytes; i++)
			require((unsigned char)line[i] >= 0x20);
	}
	strbuf__free(&text);
}

static void top_event(void *context, const struct event *event)
{
	top__on_event(context, event);
}

static void run_top(const uint8_t *data, size_t size, unsigned int columns)
{
	const struct top_options options = {.rows_limit = 2, .target = "all runners"};
	struct top top;
	struct stream_options for_stream = {.format = FORMAT_REPORT,
					    .executions_limit = 4,
					    .on_event = top_event,
					    .on_event_context = &top,
					    .leaves_out_lines = true};
	struct stream *stream;

	require(top__open(&top, &options) == 0);
	require(stream__new(&for_stream, &stream) == 0);
	top__update(&top, stream, 1);
	feed_all(stream, data, size);
	top__update(&top, stream, 1000000000);
	check_screen(top__page(&top, columns, 24, NULL), columns);
	for (size_t i = 0; i < size && i < 8; i++) {
		top__press(&top, stream, 2000000000, data[i]);
		check_screen(top__page(&top, columns, 8, "a message"), columns);
	}
	stream__free(stream);
	top__close(&top);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int columns = size ? data[0] : 0;

	data += size > 0;
	size -= size > 0;
	run(data, size, "command,step,name,outcome,user,source,uid,exe,pid", true, 0);
	run(data, size, "command,outcome", true, 0);
	run(data, size, "command,step,user", false, columns);
	run(data, size, "source,name", false, 0);
	run_top(data, size, columns);
	return 0;
}
