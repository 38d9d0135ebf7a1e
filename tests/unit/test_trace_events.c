// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "steptrace/stream/trace_events.h"
#include "steptrace/version.h"

static const char *const target_names[] = {"--pid 4711", "/opt/r\xff\"unner"};

static const struct trace_facts facts = {
	.host = "host-1",
	.boot_id = "b00t",
	.kernel = "6.1.0",
	.site = "nop5",
	.method = "uprobe_multi",
	.targets = target_names,
	.targets_count = 2,
};

static struct stream *stream_of(enum stream_format format)
{
	struct stream_options options = {
		.format = format,
		.clock = {.monotonic_ns = 1000, .realtime_ns = 1769860800000001000},
	};
	struct stream *stream = NULL;

	assert_int_equal(stream__new(&options, &stream), 0);
	return stream;
}

static const char *written(struct stream *stream)
{
	struct json *lines = &stream__lines(stream)->text;

	assert_int_equal(json__reserve(lines, 1), 0);
	*lines->at = 0;
	lines__clear(stream__lines(stream));
	return lines->base;
}

static void started(void **state)
{
	struct stream *stream = stream_of(FORMAT_JSON);

	(void)state;
	assert_int_equal(trace_events__started(stream, &facts), 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.started\",\"timestamp\":\"2026-01-31T12:00:00.000001000Z\","
		"\"monotonic_ns\":1000,\"schema_version\":2,\"version\":\"" STEPTRACE_VERSION "\","
		"\"host\":\"host-1\",\"boot_id\":\"b00t\",\"kernel\":\"6.1.0\","
		"\"probe_site\":\"nop5\",\"attach_method\":\"uprobe_multi\","
		"\"targets\":[\"--pid 4711\",\"/opt/r\xef\xbf\xbd\\\"unner\"],"
		"\"breakdown\":false,"
		"\"clock\":{\"monotonic_ns\":1000,\"realtime_ns\":1769860800000001000}}\n");
	assert_int_equal(stream__events_total(stream), 0); /* it is not the runner's */
	stream__free(stream);
}

/* More targets and longer texts than the initial buffer can hold. */
static void started_with_many_targets(void **state)
{
	enum { COUNT = 2000, LENGTH = 300 };
	static const char *names[COUNT];
	static char name[LENGTH + 1], host[EVENT_LINE_BYTES * 2 + 1];
	struct stream *stream = stream_of(FORMAT_JSON);
	struct trace_facts many = facts;
	cJSON *event;

	(void)state;
	memset(name, 1, LENGTH);
	memset(host, 'h', sizeof(host) - 1);
	for (int i = 0; i < COUNT; i++)
		names[i] = name;
	many.host = many.method = host;
	many.targets = names;
	many.targets_count = COUNT;
	assert_int_equal(trace_events__started(stream, &many), 0);
	event = cJSON_Parse(written(stream));
	assert_non_null(event);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(event, "targets")), COUNT);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(event, "host")), host);
	cJSON_Delete(event);
	stream__free(stream);
}

static void degraded(void **state)
{
	struct trace_degree degree = {"steps_sampled", 8, 37.25, 5};
	struct stream *stream = stream_of(FORMAT_JSON);

	(void)state;
	assert_int_equal(trace_events__degraded(stream, &degree, 2000000000), 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.degraded\",\"timestamp\":\"2026-01-31T12:00:02.000000000Z\","
		"\"monotonic_ns\":2000000000,\"level\":\"steps_sampled\",\"sample_every\":8,"
		"\"cpu_percent\":37.3,\"max_cpu_percent\":5}\n");
	lines__clear(stream__lines(stream));
	degree = (struct trace_degree){"counts_only", 0, 0.04, 0.5};
	assert_int_equal(trace_events__degraded(stream, &degree, 2000000000), 0);
	assert_non_null(strstr(written(stream), "\"sample_every\":null,\"cpu_percent\":0,"
						"\"max_cpu_percent\":0.5}"));
	stream__free(stream);
}

static void clock_was_set(void **state)
{
	struct clock_pair ahead = {.monotonic_ns = 2000000000, .realtime_ns = 1769864402000000000},
			  behind = {.monotonic_ns = 1000, .realtime_ns = 1769860800000000999};
	struct stream *stream = stream_of(FORMAT_JSON);

	(void)state;
	assert_int_equal(trace_events__clock(stream, &ahead,
					     clock_anchor__ahead_ns(stream__clock(stream), &ahead)),
			 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.clock\",\"timestamp\":\"2026-01-31T12:00:02.000000000Z\","
		"\"monotonic_ns\":2000000000,\"realtime_ns\":1769864402000000000,"
		"\"ahead_ns\":3600000000000}\n");
	assert_int_equal(
		trace_events__clock(stream, &behind,
				    clock_anchor__ahead_ns(stream__clock(stream), &behind)),
		0);
	assert_non_null(strstr(written(stream), "\"ahead_ns\":-1}"));
	assert_int_equal(stream__events_total(stream), 0); /* it is not the runner's */
	stream__free(stream);
}

static void lost(void **state)
{
	struct stream *stream = stream_of(FORMAT_JSON);

	(void)state;
	assert_int_equal(trace_events__lost(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 17, 1000,
					    2000000000),
			 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.lost\",\"timestamp\":\"2026-01-31T12:00:02.000000000Z\","
		"\"monotonic_ns\":2000000000,\"kind\":\"dsl.step.executed\",\"lost\":17,"
		"\"since\":\"2026-01-31T12:00:00.000001000Z\","
		"\"until\":\"2026-01-31T12:00:02.000000000Z\",\"reason\":\"buffer_full\"}\n");
	stream__free(stream);
}

static void lost_as_text(void **state)
{
	struct stream *stream = stream_of(FORMAT_COMPACT);

	(void)state;
	assert_int_equal(trace_events__lost(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 17, 1000,
					    2000000000),
			 0);
	assert_string_equal(written(stream),
			    "12:00:02.000000           LOST 17 dsl.step.executed: buffer_full\n");
	stream__free(stream);
}

static int put_stopped(struct stream *stream, const struct trace_totals *totals, uint64_t now_ns)
{
	return trace_events__put_stopped(&stream__lines(stream)->text,
					 stream__options(stream)->format, stream__clock(stream),
					 stream__counts(stream), totals, now_ns);
}

static void stopped_with_all_that_was_counted(void **state)
{
	const struct trace_totals totals = {.hits = 12, .reason = "interrupted"};
	struct stream *stream = stream_of(FORMAT_JSON);
	struct rejected_span rejected = records__rejected();
	struct record_bytes bytes =
		records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected));

	(void)state;
	assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
	written(stream);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 7);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_INVALID, 1);
	stream__add_loss(stream, EVENT_COMMAND_STARTED, LOSS_BUFFER_FULL, 3);
	stream__add_filtered(stream, EVENT_COMMAND_STARTED, 5);
	stream__add_loss(stream, EVENT_NONE, LOSS_MISSED, 1000); /* makes no event: not counted */
	assert_int_equal(put_stopped(stream, &totals, 3000000000), 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.stopped\",\"timestamp\":\"2026-01-31T12:00:03.000000000Z\","
		"\"monotonic_ns\":3000000000,\"hits\":12,\"events\":1,"
		"\"aborted_events\":0,\"lost\":11,"
		"\"lost_by_kind\":{\"command.execution.started\":3,\"dsl.step.executed\":8,"
		"\"command.execution.completed\":0,\"command.validation.failed\":0,"
		"\"tool.invocation.completed\":0,\"fragment.changed\":0},"
		"\"lost_by_reason\":{\"buffer_full\":10,\"unreadable\":0,\"invalid\":1,"
		"\"unknown_layout\":0,\"unattributed\":0,\"missed\":0,\"degraded\":0,"
		"\"not_written\":0,\"refused\":0},"
		"\"filtered\":{\"command.execution.started\":5,\"dsl.step.executed\":0,"
		"\"command.execution.completed\":0,\"command.validation.failed\":0,"
		"\"tool.invocation.completed\":0,\"fragment.changed\":0},"
		"\"reason\":\"interrupted\"}\n");
	stream__free(stream);
}

static void binaries_come_and_go(void **state)
{
	const uint32_t pids[] = {17, 4711};
	struct trace_binary binary = {.exe = "/opt/a \"runner\"\n",
				      .inode = 99,
				      .build_id = "0aff",
				      .site = "nop1",
				      .late_ns = 12340000,
				      .pids = pids,
				      .pids_count = 2};
	struct stream *stream = stream_of(FORMAT_JSON);

	(void)state;
	assert_int_equal(trace_events__attached(stream, &binary, 2000000000), 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.attached\",\"timestamp\":\"2026-01-31T12:00:02.000000000Z\","
		"\"monotonic_ns\":2000000000,\"exe\":\"/opt/a \\\"runner\\\"\\n\",\"inode\":99,"
		"\"build_id\":\"0aff\",\"probe_site\":\"nop1\",\"late_ms\":12.34,"
		"\"pids\":[17,4711]}\n");
	binary.pids_count = 0;
	binary.build_id = "";
	assert_int_equal(trace_events__detached(stream, &binary, 2000000000), 0);
	assert_string_equal(
		written(stream),
		"{\"event\":\"trace.detached\",\"timestamp\":\"2026-01-31T12:00:02.000000000Z\","
		"\"monotonic_ns\":2000000000,\"exe\":\"/opt/a \\\"runner\\\"\\n\",\"inode\":99,"
		"\"build_id\":null,\"probe_site\":\"nop1\",\"pids\":[]}\n");
	stream__free(stream);
}

/* In text format the program reports start and stop on stderr. The stream has titles of columns. */
static void text_format_has_titles_instead_of_trace_started(void **state)
{
	const struct trace_totals totals = {.hits = 1, .reason = "count"};
	struct stream *stream = stream_of(FORMAT_COMPACT);

	(void)state;
	assert_int_equal(trace_events__started(stream, &facts), 0);
	assert_memory_equal(written(stream), "TIME (UTC) ", 11);
	assert_int_equal(put_stopped(stream, &totals, 1), 0);
	assert_string_equal(written(stream), "");
	stream__free(stream);
}

/* Every combination of kind and reason makes a valid line of JSON. */
static void every_loss_is_valid_json(void **state)
{
	(void)state;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++) {
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++) {
			struct stream *stream = stream_of(FORMAT_JSON);
			cJSON *event;

			assert_int_equal(trace_events__lost(stream, (enum event_kind)kind,
							    (enum loss_reason)reason, UINT64_MAX, 0,
							    UINT64_MAX),
					 0);
			event = cJSON_Parse(written(stream));
			assert_string_equal(
				cJSON_GetStringValue(cJSON_GetObjectItem(event, "reason")),
				loss_names[reason]);
			assert_string_equal(
				cJSON_GetStringValue(cJSON_GetObjectItem(event, "kind")),
				event_names[kind]);
			cJSON_Delete(event);
			stream__free(stream);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(started),
		cmocka_unit_test(started_with_many_targets),
		cmocka_unit_test(degraded),
		cmocka_unit_test(clock_was_set),
		cmocka_unit_test(lost),
		cmocka_unit_test(lost_as_text),
		cmocka_unit_test(stopped_with_all_that_was_counted),
		cmocka_unit_test(binaries_come_and_go),
		cmocka_unit_test(text_format_has_titles_instead_of_trace_started),
		cmocka_unit_test(every_loss_is_valid_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
