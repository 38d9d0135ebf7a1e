// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <steptrace.h>

#include "records.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/schemas.h"
#include "steptrace/stream/stream.h"

/*
 * What a row in the tables of spans, probes and event kinds needs in other files. Some of it is
 * needed to compile: the program in the BPF object (capture.c) and the functions that write an
 * event (event_json.c, event_text.c). The rest is tested here.
 */

enum { SPAN_KINDS_MAX = 256, SPAN_BYTES_MAX = 512 };

#define SPAN_BYTES(kind, no, type, ...) [no] = sizeof(struct type),
static const size_t span_bytes[SPAN_KINDS_MAX] = {STEPTRACE_SPANS(SPAN_BYTES)};

#define SPAN_TABLE_LINE(kind, no, type, ...) {SPAN_##kind, #type, kind##_SPAN_MIN_BYTES},
static const struct {
	enum span_kind kind;
	const char *type;
	size_t min_bytes;
} spans[] = {STEPTRACE_SPANS(SPAN_TABLE_LINE)};

/* The probe functions in usdt/steptrace.h. Without one of them this does not compile. */
#define RUNNER_PROBE(probe, no, name, ...) [no] = steptrace_probe_##name,
static void (*const runner_probes[])(const void *span) = {STEPTRACE_PROBES(RUNNER_PROBE)};

static const enum event_kind kinds[] = {
#define KIND(kind, ...) EVENT_##kind,
	STEPTRACE_EVENT_KINDS(KIND)};

enum { KINDS_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		fail_msg("cannot open '%s' (tests run from the repository's root)", path);
	length = getdelim(&text, &room, 0, file);
	fclose(file);
	assert_true(length > 0);
	return text;
}

/* A record of the probe as the kernel program makes it, with the context if it can have one. */
static struct record_bytes record_of(const struct probe_info *probe, size_t size_bytes)
{
	uint8_t span[SPAN_BYTES_MAX] = {0};
	struct span_head head = records__head(size_bytes, probe->span);
	struct command_span command = records__command();
	unsigned int number = (unsigned int)(probe - probes);

	memcpy(span, &head, sizeof(head));
#define SET_OUTCOME(kind, ...)                                                                     \
	if (probe->span == SPAN_##kind && kind##_SPAN_OUTCOME_AT > (int)ALWAYS_FAILED)             \
		span[kind##_SPAN_OUTCOME_AT] = OUTCOME_SUCCESS;
	STEPTRACE_SPANS(SET_OUTCOME)
	if (probe->span == SPAN_FRAGMENT)
		((struct fragment_span *)(void *)span)->operation = STEPTRACE_CREATED;
	if (probe->form == FORM_PROCESS)
		return records__introducing(number, span, span_bytes[probe->span]);
	return records__with_context(number, span, span_bytes[probe->span], &command);
}

/* What a new stream writes of one record. The caller frees it. */
static char *line_of(const struct record_bytes *record, enum stream_format format)
{
	struct stream_options options = {.format = format};
	struct stream *stream;
	struct json *text;
	char *line;

	assert_int_equal(stream__new(&options, &stream), 0);
	assert_int_equal(stream__record(stream, record->bytes, record->size_bytes), 0);
	text = &stream__lines(stream)->text;
	line = strndup(text->base, json__length(text));
	assert_non_null(line);
	stream__free(stream);
	return line;
}

/* Tables are indexed by these numbers. */
static void numbers_have_no_gap(void **state)
{
	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		assert_non_null(probes[i].name);
		assert_non_null(runner_probes[i]);
		assert_int_not_equal(span_bytes[probes[i].span], 0);
	}
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		assert_int_equal(spans[i].kind, i + 1);
}

/* The reader knows the probe of a record by the number alone. */
static void numbers_stay(void **state)
{
	static const char *const pinned[] = {
		"command__start", "command__done", "command__rejected", "step__start",
		"step__done",     "tool__start",   "tool__done",        "fragment__changed"};

	(void)state;
	for (size_t i = 0; i < sizeof(pinned) / sizeof(pinned[0]); i++)
		assert_string_equal(probes[i].name, pinned[i]);
}

static void names_say_what_the_columns_say(void **state)
{
	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		const char *end = strstr(probes[i].name, "__");
		bool is_command = strncmp(probes[i].name, "command__", 9) == 0;

		assert_non_null(end);
		assert_int_equal(strcmp(end, "__start") == 0, probes[i].phase == PHASE_BEGINS);
		assert_int_equal(strcmp(end, "__done") == 0, probes[i].phase == PHASE_ENDS);
		assert_int_equal(is_command, probes[i].form != FORM_CHILD);
	}
}

static void what_begins_also_ends(void **state)
{
	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		int begins = 0, ends = 0;

		for (int k = 0; k < PROBES_COUNT; k++) {
			begins +=
				probes[k].span == probes[i].span && probes[k].phase == PHASE_BEGINS;
			ends += probes[k].span == probes[i].span && probes[k].phase == PHASE_ENDS;
		}
		assert_int_equal(begins, ends);
		if (probes[i].phase == PHASE_BEGINS && probes[i].event != EVENT_NONE)
			assert_true(probes[i].captured);
	}
}

static void every_probe_is_documented(void **state)
{
	char *reference = file_text("usdt/README.md"), row[64];

	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		snprintf(row, sizeof(row), "\n| `%s` | `struct steptrace_", probes[i].name);
		if (!strstr(reference, row))
			fail_msg("usdt/README.md has no row for %s", probes[i].name);
	}
	free(reference);
}

static void every_span_has_its_first_published_size(void **state)
{
	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		enum span_kind kind = probes[i].span;
		struct decoded decoded;

		for (size_t k = 0; k < sizeof(spans) / sizeof(spans[0]); k++) {
			struct record_bytes record = record_of(&probes[i], spans[k].min_bytes);

			if (spans[k].kind != kind)
				continue;
			assert_int_equal(decode__record(record.bytes, record.size_bytes, &decoded),
					 0);
			record = record_of(&probes[i], spans[k].min_bytes - 1);
			assert_int_not_equal(
				decode__record(record.bytes, record.size_bytes, &decoded), 0);
		}
	}
}

/* If decoding, attribution or writing does not know the probe or the kind of its event, there is
 * another line or none. */
static void every_record_becomes_its_event(void **state)
{
	(void)state;
	for (int i = 0; i < PROBES_COUNT; i++) {
		struct record_bytes record = record_of(&probes[i], span_bytes[probes[i].span]);
		char *json = line_of(&record, FORMAT_JSON);
		char *compact = line_of(&record, FORMAT_COMPACT);

		print_message("%s: %s", probes[i].name, json[0] ? json : "no event\n");
		if (probes[i].event == EVENT_NONE) {
			assert_string_equal(json, "");
			assert_string_equal(compact, "");
		} else {
			cJSON *line = cJSON_Parse(json);
			cJSON *name = cJSON_GetObjectItemCaseSensitive(line, "event");

			assert_string_equal(cJSON_GetStringValue(name),
					    event_names[probes[i].event]);
			assert_non_null(strchr(compact, '\n'));
			cJSON_Delete(line);
		}
		free(compact);
		free(json);
	}
}

static bool has_schema(const char *event)
{
	for (size_t i = 0; i < schemas_count; i++)
		if (strcmp(schemas[i].event, event) == 0)
			return true;
	return false;
}

static bool has_member(const cJSON *schema, const char *object, const char *member)
{
	const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
	const cJSON *inner = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(properties, object), "properties");

	return cJSON_GetObjectItemCaseSensitive(inner, member) != NULL;
}

static void every_kind_has_a_schema(void **state)
{
	char *text = file_text("docs/schema/trace.stopped.json");
	cJSON *stopped = cJSON_Parse(text);

	(void)state;
	assert_non_null(stopped);
	for (int i = 0; i < KINDS_COUNT; i++) {
		const char *name = event_names[kinds[i]];

		if (!has_schema(name))
			fail_msg("docs/schema/%s.json is missing", name);
		if (!has_member(stopped, "lost_by_kind", name) ||
		    !has_member(stopped, "filtered", name))
			fail_msg("docs/schema/trace.stopped.json does not know %s", name);
	}
	cJSON_Delete(stopped);
	free(text);
}

/* Two probes that make the same kind of event would break the sum: hits = events + lost. */
static void every_kind_has_one_probe(void **state)
{
	(void)state;
	for (int i = 0; i < KINDS_COUNT; i++) {
		int makers = 0;

		for (int k = 0; k < PROBES_COUNT; k++)
			makers += probes[k].event == kinds[i] && probes[k].captured;
		assert_int_equal(makers, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_no_gap),
		cmocka_unit_test(numbers_stay),
		cmocka_unit_test(names_say_what_the_columns_say),
		cmocka_unit_test(what_begins_also_ends),
		cmocka_unit_test(every_probe_is_documented),
		cmocka_unit_test(every_span_has_its_first_published_size),
		cmocka_unit_test(every_record_becomes_its_event),
		cmocka_unit_test(every_kind_has_a_schema),
		cmocka_unit_test(every_kind_has_one_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
