// SPDX-License-Identifier: BSD-2-Clause
/*
 * Exports any bytes as a recording: the Chrome trace and the profile are JSON, every beginning has
 * its end, and times go up in a profile; a table has as many cells in each row.
 *
 *	input:  how many spans are held, in a byte, then the lines of the recording
 *
 * links: src/steptrace/recording/recorded_[a-hj-z]*.c src/steptrace/export/[a-z]*.c
 * links: STREAM -lcjson
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "steptrace/export/chrome.h"
#include "steptrace/export/clickhouse.h"
#include "steptrace/export/csv.h"
#include "steptrace/export/speedscope.h"
#include "steptrace/recording/recorded_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* ---- each line is an event of the recording, as recording_reader.h yields it */

struct target {
	void *export;
	int (*event)(void *export, const struct recorded_event *event);
};

static int to_chrome(void *export, const struct recorded_event *event)
{
	return chrome__event(export, event);
}

static int to_speedscope(void *export, const struct recorded_event *event)
{
	return speedscope__event(export, event);
}

static int to_csv(void *export, const struct recorded_event *event)
{
	return csv__event(export, event);
}

static int to_clickhouse(void *export, const struct recorded_event *event)
{
	return clickhouse__event(export, event);
}

static void feed(const struct target *target, const char *text, size_t bytes)
{
	struct recorded_line reader = {.room = NULL};
	const char *end = text + bytes;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);
		struct recorded_event event = {.place = {.file = "fuzz", .line = 1}};

		if (recorded_line__read(&reader, &event, text, line) == 0)
			require(target->event(target->export, &event) == 0);
		text += line + 1;
	}
	recorded_line__free(&reader);
}

/* ---- the documents */

struct document {
	char *text;
	size_t bytes;
	FILE *file;
	struct export_out out;
};

static void open_document(struct document *document)
{
	document->file = open_memstream(&document->text, &document->bytes);
	require(document->file != NULL);
	export_out__init(&document->out, document->file);
}

static void close_document(struct document *document)
{
	export_out__free(&document->out);
	fclose(document->file);
	free(document->text);
}

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	require(cJSON_IsNumber(member));
	return member->valuedouble;
}

static char letter_of(const cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	require(cJSON_IsString(member) && strlen(member->valuestring) == 1);
	return member->valuestring[0];
}

static void check_chrome(const char *text, const struct chrome_counts *counts)
{
	cJSON *json = cJSON_Parse(text);
	const cJSON *event;
	uint64_t begun = 0, ended = 0, flows = 0;

	require(cJSON_IsObject(json));
	cJSON_ArrayForEach (event, cJSON_GetObjectItemCaseSensitive(json, "traceEvents")) {
		char phase = letter_of(event, "ph");

		begun += phase == 'b';
		ended += phase == 'e';
		flows += phase == 's';
		if (phase != 'M')
			number_of(event, "ts");
	}
	require(begun == ended);
	require(flows == counts->flows);
	cJSON_Delete(json);
}

enum { DEPTH_MAX = 4096 };

/* Returns how many frames began. */
static uint64_t check_profile(const cJSON *profile, int frames)
{
	double stack[DEPTH_MAX], now = 0, end = number_of(profile, "endValue");
	const cJSON *event;
	uint64_t begun = 0;
	size_t depth = 0;

	require(number_of(profile, "startValue") == 0);
	cJSON_ArrayForEach (event, cJSON_GetObjectItemCaseSensitive(profile, "events")) {
		double frame = number_of(event, "frame"), at = number_of(event, "at");

		require(at >= now && at <= end && frame >= 0 && frame < frames);
		now = at;
		if (letter_of(event, "type") == 'O') {
			require(depth < DEPTH_MAX);
			stack[depth++] = frame;
			begun++;
		} else {
			require(depth > 0 && stack[--depth] == frame);
		}
	}
	require(depth == 0);
	return begun;
}

static void check_speedscope(const char *text, const struct speedscope_counts *counts)
{
	cJSON *json = cJSON_Parse(text);
	const cJSON *shared = cJSON_GetObjectItemCaseSensitive(json, "shared"), *profile;
	int frames = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(shared, "frames"));
	uint64_t begun = 0, profiles = 0;

	require(cJSON_IsObject(json));
	cJSON_ArrayForEach (profile, cJSON_GetObjectItemCaseSensitive(json, "profiles")) {
		begun += check_profile(profile, frames);
		profiles++;
	}
	require(profiles == counts->profiles);
	require(begun >= counts->executions + counts->steps + counts->tools);
	cJSON_Delete(json);
}

/* Each row is one line, and has as many cells as the first one. */
static void check_table(const char *text, size_t bytes, uint64_t rows)
{
	size_t columns = 0, cells = 1, lines = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '"')
			is_quoted = !is_quoted;
		else if (text[i] == ',' && !is_quoted)
			cells++;
		if (text[i] != '\n')
			continue;
		require(!is_quoted && i > 0 && text[i - 1] == '\r');
		require(lines == 0 || cells == columns);
		columns = cells;
		cells = 1;
		lines++;
	}
	require(lines == rows + 1);
}

/* ---- the formats */

static void run_chrome(const char *text, size_t bytes, size_t held)
{
	struct chrome_counts counts;
	struct document document;
	struct target target = {.event = to_chrome};

	open_document(&document);
	target.export = chrome__with_limit(&document.out, held);
	feed(&target, text, bytes);
	require(chrome__end(target.export, &counts) == 0);
	check_chrome(document.text, &counts);
	chrome__free(target.export);
	close_document(&document);
}

static void run_speedscope(const char *text, size_t bytes, size_t held)
{
	struct speedscope_counts counts;
	struct document document;
	struct target target = {.event = to_speedscope};

	open_document(&document);
	target.export = speedscope__with_limit(&document.out, held);
	feed(&target, text, bytes);
	require(speedscope__end(target.export, &counts) == 0);
	check_speedscope(document.text, &counts);
	speedscope__free(target.export);
	close_document(&document);
}

static void run_csv(const char *text, size_t bytes, enum csv_table table)
{
	struct csv_counts counts;
	struct document document;
	struct target target = {.event = to_csv};

	open_document(&document);
	target.export = csv__new(&document.out, table);
	feed(&target, text, bytes);
	require(csv__end(target.export, &counts) == 0);
	check_table(document.text, document.bytes, counts.rows);
	csv__free(target.export);
	close_document(&document);
}

/* Each row is one line, and a JSON object of scalars with different names. */
static void check_rows(const char *text, uint64_t rows)
{
	uint64_t lines = 0;

	for (const char *newline; *text; text = newline + 1, lines++) {
		cJSON *row;

		newline = strchr(text, '\n');
		require(newline != NULL);
		row = cJSON_ParseWithLength(text, (size_t)(newline - text));
		require(cJSON_IsObject(row));
		for (const cJSON *cell = row->child; cell; cell = cell->next) {
			require(!cell->child);
			require(cJSON_GetObjectItemCaseSensitive(row, cell->string) == cell);
		}
		cJSON_Delete(row);
	}
	require(lines == rows);
}

static void run_clickhouse(const char *text, size_t bytes)
{
	struct clickhouse_counts counts;
	struct document document;
	struct target target = {.event = to_clickhouse};

	open_document(&document);
	target.export = clickhouse__new(&document.out);
	feed(&target, text, bytes);
	require(clickhouse__end(target.export, &counts) == 0);
	check_rows(document.text, counts.rows);
	clickhouse__free(target.export);
	close_document(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t held = size ? (size_t)data[0] * 64 : 0;
	const char *text = (const char *)data + (size > 0);

	size -= size > 0;
	run_chrome(text, size, held);
	run_speedscope(text, size, held);
	for (int table = 0; table < CSV_TABLES_COUNT; table++)
		run_csv(text, size, (enum csv_table)table);
	run_clickhouse(text, size);
	return 0;
}
