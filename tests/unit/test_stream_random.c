// SPDX-License-Identifier: BSD-2-Clause
/* The stream with random spans, random records, and the longest texts that a runner can give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "foreign_text.h"
#include "stream_fixture.h"

static void expect_text_member(const cJSON *event, const char *path, const void *field,
			       size_t bytes)
{
	char expected[3 * 128 + 1];
	const cJSON *member = event;
	char name[32];

	while (*path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		member = cJSON_GetObjectItemCaseSensitive(member, name);
		path += length + (path[length] == '.');
	}
	foreign_text__expected(field, bytes, expected);
	assert_non_null(member);
	assert_string_equal(cJSON_GetStringValue(member), expected);
}

#define EXPECT_TEXT(event, path, field) expect_text_member(event, path, field, sizeof(field))

static void random_bytes(uint64_t *seed, void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)random__next(seed);
}

static struct command_span random_command(uint64_t *seed)
{
	struct command_span command;
	struct span_head head = records__head(sizeof(command), 1);

	random_bytes(seed, &command, sizeof(command));
	memcpy(&command, &head, offsetof(struct span_head, flags));
	random_bytes(seed, &command.head.execution_id, 16);
	command.outcome = (uint8_t)(random__next(seed) % 5 + 1);
	random__text(seed, command.slug, sizeof(command.slug));
	random__text(seed, command.user_id, sizeof(command.user_id));
	random__text(seed, command.request_source, sizeof(command.request_source));
	random__text(seed, command.correlation_id, sizeof(command.correlation_id));
	command.correlation_id[0] = 'x';
	return command;
}

static struct step_span random_step(uint64_t *seed, const struct command_span *command)
{
	struct step_span step;
	struct span_head head = records__head(sizeof(step), 2);

	random_bytes(seed, &step, sizeof(step));
	memcpy(&step, &head, offsetof(struct span_head, flags));
	memcpy(step.child.head.execution_id, command->head.execution_id, 16);
	step.outcome = (uint8_t)(random__next(seed) % 5 + 1);
	random__text(seed, step.type, sizeof(step.type));
	random__text(seed, step.name, sizeof(step.name));
	return step;
}

static void expect_command_texts(const cJSON *event, const struct command_span *command)
{
	EXPECT_TEXT(event, "correlation_id", command->correlation_id);
	EXPECT_TEXT(event, "command_slug", command->slug);
	EXPECT_TEXT(event, "user_id", command->user_id);
}

static void expect_integer(const char *line, const char *name, const char *format, ...)
{
	char expected[96];
	va_list args;

	snprintf(expected, sizeof(expected), "\"%s\":", name);
	va_start(args, format);
	vsnprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), format, args);
	va_end(args);
	if (!strstr(line, expected))
		fail_msg("no %s in %s", expected, line);
}

/* Text by what a parser reads back; integers, which a parser may round, by their digits. */
static void expect_step(struct stream *stream, const struct step_span *step,
			const struct command_span *command)
{
	const char *line = written(stream);
	cJSON *event = cJSON_Parse(line);

	if (!event)
		fail_msg("not JSON: %s", line);
	expect_command_texts(event, command);
	EXPECT_TEXT(event, "step_type", step->type);
	EXPECT_TEXT(event, "step.name", step->name);
	expect_integer(line, "mutations_count", "%" PRIu64 ",", step->mutations_count);
	expect_integer(line, "index", "%u,", step->index);
	expect_integer(line, "depth", "%u,", step->depth);
	if (step->child.head.flags & SPAN_FRAGMENT_ID)
		expect_integer(line, "fragment_id", "%" PRId64 ",", step->fragment_id);
	if (step->child.head.flags & SPAN_ITEMS)
		expect_integer(line, "items", "{\"in\":%" PRIu32 ",\"out\":%" PRIu32 "}",
			       step->items_in, step->items_out);
	cJSON_Delete(event);
}

static void random_spans_come_out_as_they_are(void **state)
{
	struct stream *stream = json_stream();
	uint64_t seed = 77;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct command_span command = random_command(&seed);
		struct step_span step = random_step(&seed, &command);
		cJSON *event;

		event = line_of(stream, records__introducing(PROBE_COMMAND_START, &command,
							     sizeof(command)));
		expect_command_texts(event, &command);
		EXPECT_TEXT(event, "request_source", command.request_source);
		cJSON_Delete(event);
		feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
		expect_step(stream, &step, &command);
		event = line_of(stream,
				records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
		expect_command_texts(event, &command);
		cJSON_Delete(event);
	}
	assert_int_equal(lost_at_all(stream), 0);
	stream__free(stream);
}

/* A record of any probe, with any bytes; half of them with a head that is right. */
static struct record_bytes random_record(uint64_t *seed)
{
	static const size_t span_bytes[] = {496, 496, 472, 248, 248, 160, 160, 88};
	static const uint8_t kinds[] = {1, 1, 5, 2, 2, 3, 3, 4};
	unsigned int probe = random__next(seed) % PROBES_COUNT;
	struct span_head head = records__head(span_bytes[probe], kinds[probe]);
	uint8_t span[512];

	random_bytes(seed, span, sizeof(span));
	head.execution_id[0] = (uint8_t)(random__next(seed) % 4);
	if (random__next(seed) % 2)
		memcpy(span, &head, sizeof(head));
	if (probe == PROBE_COMMAND_START || probe == PROBE_COMMAND_REJECTED)
		return records__introducing(probe, span, span_bytes[probe]);
	if (random__next(seed) % 4 == 0) {
		struct command_span command = records__command();

		memcpy(command.head.execution_id, head.execution_id, 16);
		return records__with_context(probe, span, span_bytes[probe], &command);
	}
	return records__plain(probe, span, span_bytes[probe]);
}

static void every_record_is_an_event_or_a_loss(void **state)
{
	static const enum stream_format formats[] = {FORMAT_JSON, FORMAT_COMPACT};

	(void)state;
	for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
		struct stream_options options = options_for(formats[f]);
		struct stream *stream;
		uint64_t seed = 5, records = 0, filtered = 0;

		options.events_limit = 2000;
		stream = stream_with(&options);
		for (int i = 0; i < 30000; i++) {
			struct record_bytes bytes = random_record(&seed);
			const struct steptrace_record *record = (const void *)bytes.bytes;

			records += probes[record->probe].event != EVENT_NONE;
			feed(stream, bytes);
			lines__clear(stream__lines(stream));
		}
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			records += stream__counts(stream)->lost[EVENT_NONE][reason];
		assert_int_equal(stream__events_total(stream), 2000);
		assert_true(lost(stream, LOSS_INVALID) && lost(stream, LOSS_UNATTRIBUTED));
		for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
			filtered += stream__counts(stream)->filtered[kind];
		assert_true(filtered > 0);
		assert_int_equal(stream__events_total(stream) + lost_at_all(stream) + filtered,
				 records);
		stream__free(stream);
	}
}

/* The longest lines there can be fit the room that is kept for one. */
static void the_longest_lines(void **state)
{
	struct stream *stream = json_stream();
	struct command_span command = records__command();
	struct rejected_span rejected = records__rejected();
	struct step_span step = records__step();
	size_t front = offsetof(struct command_span, slug);

	(void)state;
	memset((char *)&command + front, 1, sizeof(command) - front);
	memset(command.parent_execution_id, 0xff, 16);
	command.head.flags = UINT32_MAX;
	command.schedule_id = command.schedule_run_id = INT64_MIN;
	cJSON_Delete(line_of(stream,
			     records__introducing(PROBE_COMMAND_START, &command, sizeof(command))));
	memset(rejected.slug, 1, sizeof(rejected) - offsetof(struct rejected_span, slug));
	for (size_t i = 1; i < sizeof(rejected.invalid_fields); i += 2)
		rejected.invalid_fields[i] = ',';
	cJSON_Delete(line_of(
		stream, records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected))));
	memset(step.type, 1, sizeof(step.type) + sizeof(step.name));
	step.child.head.flags = UINT32_MAX;
	step.fragment_id = INT64_MIN;
	step.mutations_count = UINT64_MAX;
	step.child.head.start_ns = 1;
	step.child.head.end_ns = 1ULL << 60;
	step.items_in = step.items_out = step.prompt_tokens = step.completion_tokens = UINT32_MAX;
	step.ai_cache = 2;
	step.outcome = 2;
	step.error_category = 4;
	memset(step.parent_step_id, 0xff, 16);
	cJSON_Delete(
		line_of(stream, records__at(records__plain(PROBE_STEP_DONE, &step, sizeof(step)),
					    step.child.head.end_ns)));
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_spans_come_out_as_they_are),
		cmocka_unit_test(every_record_is_an_event_or_a_loss),
		cmocka_unit_test(the_longest_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
