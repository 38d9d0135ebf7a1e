// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads any bytes as the file of a recording. Every line is yielded or counted, and what is yielded
 * is what cJSON reads from the same line. Then reports it: the text is printable, and the JSON is
 * JSON.
 *
 *	input:  the file, plain or gzip
 *
 * links: src/steptrace/recording/[a-z]*.c src/steptrace/report/[a-z]*.c
 * links: src/steptrace/latency/histogram.c STREAM -lcjson -lz
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steptrace/recording/recording_reader.h"
#include "steptrace/report/summary_json.h"
#include "steptrace/report/summary_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* The last member of this name, as the reader takes it. */
static const cJSON *last_of(const cJSON *json, const char *name)
{
	const cJSON *member, *found = NULL;

	cJSON_ArrayForEach (member, json)
		if (member->string && strcmp(member->string, name) == 0)
			found = member;
	return found;
}

static void expect_text(const cJSON *json, const char *name, struct recorded_text text)
{
	const cJSON *member = last_of(json, name);

	require(cJSON_IsString(member) == (text.text != NULL));
	if (text.text)
		require(strlen(member->valuestring) == text.bytes &&
			memcmp(member->valuestring, text.text, text.bytes) == 0);
}

/* Doubles are exact up to 2^53. */
static void expect_number(const cJSON *json, const char *name, bool has, uint64_t value)
{
	const cJSON *member = last_of(json, name);

	if (has && cJSON_IsNumber(member) && value < 1ull << 53)
		require((double)value == member->valuedouble);
	if (!member || cJSON_IsNull(member))
		require(!has);
}

static void check(const struct recorded_event *event)
{
	cJSON *json = cJSON_ParseWithLength(event->line.text, event->line.bytes);

	require(cJSON_IsObject(json));
	require(event->line.bytes == event->place.line_bytes);
	expect_text(json, "event", event->event_name);
	expect_text(json, "command_slug", event->command_slug);
	expect_text(json, "outcome", event->outcome_name);
	expect_number(json, "mutations_count", RECORDED_HAS(event, mutations_count),
		      event->mutations_count);
	expect_number(json, "monotonic_ns", RECORDED_HAS(event, monotonic_ns), event->monotonic_ns);
	cJSON_Delete(json);
}

static void check_counts(const struct recording_counts *counts, uint64_t yielded)
{
	uint64_t skipped = 0;

	for (int reason = 0; reason < RECORDING_SKIPS_COUNT; reason++)
		skipped += counts->skipped[reason];
	require(counts->events == yielded);
	require(counts->lines == yielded + skipped);
}

static void check_json(const struct summary *summary, const struct recording_counts *counts)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	cJSON *json;

	require(summary_json__write(out, summary, counts) == 0 && fclose(out) == 0);
	json = cJSON_Parse(text);
	require(cJSON_IsObject(json));
	cJSON_Delete(json);
	free(text);
}

static void check_text(const struct summary *summary, const struct recording_counts *counts,
		       unsigned int columns)
{
	const struct text_style style = {.columns = columns};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	require(summary_text__write(out, summary, counts, &style) == 0 && fclose(out) == 0);
	for (size_t i = 0; i < bytes; i++)
		require((unsigned char)text[i] >= 0x20 || text[i] == '\n');
	free(text);
}

static void check_report(struct summary *summary, const struct recording_counts *counts)
{
	summary__finish(summary);
	check_json(summary, counts);
	check_text(summary, counts, 0);
	check_text(summary, counts, 61);
	summary__free(summary);
}

static void read_all(const char *path)
{
	const struct summary_options options = {.slowest = 3, .rows = 5};
	struct summary *summary;
	struct recording_reader *reader;
	struct recorded_event event;
	struct error err = {""};
	uint64_t yielded = 0;
	int code = recording_reader__open(&reader, &path, 1, &err);

	if (code) {
		require(err.text[0] != 0);
		return;
	}
	summary = summary__new(&options);
	while ((code = recording_reader__next(reader, &event, &err)) > 0) {
		check(&event);
		require(summary__add(summary, &event) == 0);
		yielded++;
	}
	require(code == 0);
	check_counts(recording_reader__counts(reader), yielded);
	check_report(summary, recording_reader__counts(reader));
	recording_reader__close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[32];

	if (fd < 0)
		fd = memfd_create("recording", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	require(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	read_all(path);
	return 0;
}
