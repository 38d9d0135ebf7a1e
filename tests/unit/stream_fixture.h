/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream for tests: records go in (records.h), lines come out, and their members are compared as
 * JSON text.
 *
 *	struct stream *stream = json_stream();
 *
 *	feed_started(stream);
 *	feed_step(stream);
 *	assert_non_null(strstr(written(stream), "dsl.step.executed"));
 *	stream__free(stream);
 *
 * The clock of the stream began at 2026-01-31 12:00 UTC. Include <cmocka.h> first.
 */
#ifndef TESTS_STREAM_FIXTURE_H
#define TESTS_STREAM_FIXTURE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "steptrace/stream/stream.h"

static inline struct stream_options options_for(enum stream_format format)
{
	return (struct stream_options){
		.format = format,
		.clock = {.monotonic_ns = 0, .realtime_ns = 1769860800000000000},
	};
}

static inline struct stream *stream_with(const struct stream_options *options)
{
	struct stream *stream = NULL;

	assert_int_equal(stream__new(options, &stream), 0);
	return stream;
}

static inline struct stream *json_stream(void)
{
	struct stream_options options = options_for(FORMAT_JSON);

	return stream_with(&options);
}

static inline void feed(struct stream *stream, struct record_bytes bytes)
{
	assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
}

static inline void feed_started(struct stream *stream)
{
	struct command_span command = records__command();

	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
}

static inline void feed_step(struct stream *stream)
{
	struct step_span step = records__step();

	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
}

static inline void feed_step_taking(struct stream *stream, const char *type, uint64_t duration_ns,
				    uint8_t outcome)
{
	struct step_span step = records__step();

	snprintf(step.type, sizeof(step.type), "%s", type);
	step.child.head.end_ns = step.child.head.start_ns + duration_ns;
	step.outcome = outcome;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
}

static inline void feed_completed(struct stream *stream, uint64_t steps)
{
	struct command_span command = records__command_done(steps);

	feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
}

/* The lines since the last time, which are now written. */
static const char *written(struct stream *stream)
{
	struct json *lines = &stream__lines(stream)->text;

	assert_int_equal(json__reserve(lines, 1), 0);
	*lines->at = 0;
	lines__clear(stream__lines(stream));
	return lines->base;
}

static inline uint64_t lost(const struct stream *stream, enum loss_reason reason)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		sum += stream__counts(stream)->lost[kind][reason];
	return sum;
}

static inline uint64_t lost_at_all(const struct stream *stream)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
		sum += lost(stream, (enum loss_reason)reason);
	return sum;
}

/* The one line that this record makes, parsed. */
static inline cJSON *line_of(struct stream *stream, struct record_bytes bytes)
{
	const char *line;
	cJSON *event;

	feed(stream, bytes);
	line = written(stream);
	assert_non_null(strchr(line, '\n'));
	assert_int_equal(strchr(line, '\n')[1], 0);
	event = cJSON_Parse(line);
	if (!event)
		fail_msg("not JSON: %s", line);
	return event;
}

/* The member at "step.name", as JSON text; "-" where there is none. To be freed. */
static inline char *member_text(const cJSON *event, const char *path)
{
	char name[64];

	while (event && *path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		event = cJSON_GetObjectItemCaseSensitive(event, name);
		path += length + (path[length] == '.');
	}
	return event ? cJSON_PrintUnformatted(event) : strdup("-");
}

static inline void expect_member(const cJSON *event, const char *path, const char *text)
{
	char *found = member_text(event, path);

	if (strcmp(found, text) != 0)
		fail_msg("%s is %s instead of %s", path, found, text);
	free(found);
}

struct member {
	const char *path, *text;
};

static inline void expect_members(cJSON *event, const struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_member(event, members[i].path, members[i].text);
	cJSON_Delete(event);
}

#define EXPECT_MEMBERS(event, members)                                                             \
	expect_members(event, members, sizeof(members) / sizeof(*(members)))

#endif
