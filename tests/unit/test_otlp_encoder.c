// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/otlp/open_commands.h"
#include "steptrace/otlp/otlp_encoder.h"
#include "steptrace/recording/recorded_line.h"

#define TIME   "\"timestamp\":\"2026-11-30T10:00:00.123456789Z\""
#define END_NS "1796032800123456789"

struct fixture {
	struct otlp_encoder *encoder;
	struct recorded_line lines;
	uint64_t next_mark; /* tells the marks apart */
	cJSON *document;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.encoder = otlp_encoder__new("shop")};
	*state = &fixture;
	return fixture.encoder ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	otlp_encoder__free(fixture->encoder);
	recorded_line__free(&fixture->lines);
	cJSON_Delete(fixture->document);
	return 0;
}

static int put(struct fixture *fixture, const char *line)
{
	struct line_mark mark = {.kind = EVENT_STEP_EXECUTED};
	struct recorded_event event;

	mark.known_ns = ++fixture->next_mark;
	assert_int_equal(recorded_line__read(&fixture->lines, &event, line, strlen(line)), 0);
	return otlp_encoder__put(fixture->encoder, &event, &mark);
}

/* The request as it would be sent, which is emptied. */
static const cJSON *take(struct fixture *fixture, enum otlp_signal signal)
{
	struct otlp_request *request = otlp_encoder__request(fixture->encoder, signal);
	struct json body = {.base = NULL};

	cJSON_Delete(fixture->document);
	assert_int_equal(otlp_request__write(request, "1.2", &body), 0);
	fixture->document = cJSON_ParseWithLength(body.base, json__length(&body));
	assert_non_null(fixture->document);
	json__free(&body);
	otlp_request__clear(request);
	return fixture->document;
}

static const cJSON *at(const cJSON *json, const char *name, int index)
{
	const cJSON *found =
		cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, name), index);

	assert_non_null(found);
	return found;
}

static const cJSON *span_of(const cJSON *document, int index)
{
	return at(at(at(document, "resourceSpans", 0), "scopeSpans", 0), "spans", index);
}

static const cJSON *log_of(const cJSON *document, int index)
{
	return at(at(at(document, "resourceLogs", 0), "scopeLogs", 0), "logRecords", index);
}

static const char *text_of(const cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	return text ? text : "";
}

/* The value of an attribute as text; "": there is none. */
static const char *attribute(const cJSON *item, const char *key)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(item, "attributes")) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, "value")->child;

		if (strcmp(text_of(entry, "key"), key) != 0)
			continue;
		if (cJSON_IsBool(value))
			return cJSON_IsTrue(value) ? "true" : "false";
		return cJSON_GetStringValue(value);
	}
	return "";
}

static size_t marks_count(struct fixture *fixture, enum otlp_signal signal)
{
	return otlp_request__marks_count(otlp_encoder__request(fixture->encoder, signal));
}

#define COMPLETED(execution, more)                                                                 \
	"{\"event\":\"command.execution.completed\",\"correlation_id\":\"c1\",\"execution_id\":"   \
	"\"" execution "\",\"command_slug\":\"pay\",\"total_duration_ms\":1.5," TIME more "}"
#define STARTED(execution, more)                                                                   \
	"{\"event\":\"command.execution.started\",\"correlation_id\":\"c1\",\"execution_id\":"     \
	"\"" execution "\",\"command_slug\":\"pay\"," TIME more "}"
#define STEP(execution, step, more)                                                                \
	"{\"event\":\"dsl.step.executed\",\"correlation_id\":\"c1\",\"execution_id\":"             \
	"\"" execution "\",\"step_id\":\"" step                                                    \
	"\",\"step_type\":\"T\",\"duration_ms\":0.25," TIME more "}"

static void times_are_exact(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *span;

	assert_int_equal(put(fixture, COMPLETED("e1", ",\"suspended_ms\":0.000001")), 0);
	span = span_of(take(fixture, OTLP_TRACES), 0);
	assert_string_equal(text_of(span, "endTimeUnixNano"), END_NS);
	assert_string_equal(text_of(span, "startTimeUnixNano"), "1796032800121956788");
}

/* The start of the command is known from its own event, as long as the end does not say it. */
static void an_unknown_beginning(void **state)
{
	static const char start[] =
		"{\"event\":\"command.execution.started\",\"execution_id\":\"e1\","
		"\"timestamp\":\"2026-11-30T10:00:00.000000001Z\"}";
	static const char end[] =
		"{\"event\":\"command.execution.completed\",\"execution_id\":\"e1\","
		"\"total_duration_ms\":null," TIME "}";
	struct fixture *fixture = *state;
	const cJSON *span;

	put(fixture, end);
	span = span_of(take(fixture, OTLP_TRACES), 0);
	assert_string_equal(text_of(span, "startTimeUnixNano"), END_NS);
	assert_string_equal(attribute(span, "steptrace.begin_unknown"), "true");
	put(fixture, start);
	put(fixture, end);
	span = span_of(take(fixture, OTLP_TRACES), 0);
	assert_string_equal(text_of(span, "startTimeUnixNano"), "1796032800000000001");
}

static void parents(void **state)
{
	struct fixture *fixture = *state;
	char outer[17], command[17];
	const cJSON *document;

	put(fixture, STEP("e1", "s1", ""));
	put(fixture, STEP("e1", "s2", ",\"step\":{\"parent_step_id\":\"s1\"}"));
	put(fixture,
	    "{\"event\":\"tool.invocation.completed\",\"correlation_id\":\"c1\","
	    "\"execution_id\":\"e1\",\"step_id\":\"s1\",\"invocation_id\":\"i1\"," TIME "}");
	put(fixture, COMPLETED("e1", ""));
	document = take(fixture, OTLP_TRACES);
	snprintf(outer, sizeof(outer), "%s", text_of(span_of(document, 0), "spanId"));
	snprintf(command, sizeof(command), "%s", text_of(span_of(document, 3), "spanId"));
	assert_string_equal(text_of(span_of(document, 0), "parentSpanId"), command);
	assert_string_equal(text_of(span_of(document, 1), "parentSpanId"), outer);
	assert_string_equal(text_of(span_of(document, 2), "parentSpanId"), outer);
	assert_string_equal(text_of(span_of(document, 3), "parentSpanId"), "");
	for (int i = 1; i < 4; i++)
		assert_string_equal(text_of(span_of(document, i), "traceId"),
				    text_of(span_of(document, 0), "traceId"));
}

static void a_traceparent_is_the_parent_of_the_root(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *document;

	put(fixture,
	    "{\"event\":\"command.execution.completed\",\"correlation_id\":"
	    "\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\",\"execution_id\":\"e1\","
	    "\"total_duration_ms\":1," TIME "}");
	put(fixture,
	    "{\"event\":\"command.execution.completed\",\"correlation_id\":"
	    "\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\",\"execution_id\":\"e2\","
	    "\"parent_execution_id\":\"e1\",\"total_duration_ms\":1," TIME "}");
	document = take(fixture, OTLP_TRACES);
	assert_string_equal(text_of(span_of(document, 0), "traceId"),
			    "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(text_of(span_of(document, 0), "parentSpanId"), "00f067aa0ba902b7");
	assert_string_equal(text_of(span_of(document, 1), "parentSpanId"),
			    text_of(span_of(document, 0), "spanId"));
}

static void a_child_of_another_trace_has_a_link(void **state)
{
	struct fixture *fixture = *state;
	char trace[33], span[17];
	const cJSON *document, *link;

	put(fixture, COMPLETED("e1", ""));
	document = take(fixture, OTLP_TRACES);
	snprintf(trace, sizeof(trace), "%s", text_of(span_of(document, 0), "traceId"));
	snprintf(span, sizeof(span), "%s", text_of(span_of(document, 0), "spanId"));
	put(fixture, "{\"event\":\"command.execution.completed\",\"correlation_id\":\"other\","
		     "\"execution_id\":\"e2\",\"parent_execution_id\":\"e1\","
		     "\"total_duration_ms\":1," TIME "}");
	document = take(fixture, OTLP_TRACES);
	link = at(span_of(document, 0), "links", 0);
	assert_string_equal(text_of(link, "traceId"), trace);
	assert_string_equal(text_of(link, "spanId"), span);
	assert_string_equal(text_of(span_of(document, 0), "parentSpanId"), "");
}

static void held_events_go_into_their_spans(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *document, *event;

	put(fixture, STARTED("e1", ",\"request_source\":\"queue\",\"queue\":{\"name\":\"mail\","
				   "\"attempt\":2,\"wait_ms\":1.5}"));
	put(fixture,
	    "{\"event\":\"fragment.changed\",\"correlation_id\":\"c1\",\"execution_id\":"
	    "\"e1\",\"step_id\":\"s1\",\"fragment_id\":7,\"operation\":\"updated\"," TIME "}");
	assert_int_equal(marks_count(fixture, OTLP_TRACES), 0);
	put(fixture, STEP("e1", "s2", ""));
	put(fixture, STEP("e1", "s1", ""));
	put(fixture, COMPLETED("e1", ""));
	assert_int_equal(marks_count(fixture, OTLP_TRACES), 5);
	assert_int_equal(marks_count(fixture, OTLP_LOGS), 0);
	document = take(fixture, OTLP_TRACES);
	assert_null(cJSON_GetObjectItem(span_of(document, 0), "events"));
	event = at(span_of(document, 1), "events", 0);
	assert_string_equal(text_of(event, "name"), "fragment.changed");
	assert_string_equal(text_of(event, "timeUnixNano"), END_NS);
	assert_string_equal(attribute(event, "steptrace.fragment_id"), "7");
	assert_string_equal(attribute(span_of(document, 2), "messaging.destination.name"), "mail");
	assert_string_equal(attribute(span_of(document, 2), "steptrace.queue.attempt"), "2");
	assert_int_equal(cJSON_GetObjectItem(span_of(document, 2), "kind")->valueint, 5);
	assert_false(otlp_encoder__let_go(fixture->encoder));
}

/* A command that never ended, and a fragment of a step that never did. */
static void what_no_span_takes_becomes_a_log_record(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *document;
	int rounds = 0;

	put(fixture, STARTED("e1", ""));
	put(fixture, "{\"event\":\"fragment.changed\",\"correlation_id\":\"c1\",\"execution_id\":"
		     "\"e1\",\"step_id\":\"s1\",\"fragment_id\":7," TIME "}");
	while (otlp_encoder__let_go(fixture->encoder))
		rounds++;
	assert_int_equal(rounds, 1);
	assert_int_equal(marks_count(fixture, OTLP_LOGS), 2);
	document = take(fixture, OTLP_LOGS);
	assert_string_equal(attribute(log_of(document, 0), "event.name"),
			    "command.execution.started");
	assert_string_equal(attribute(log_of(document, 1), "event.name"), "fragment.changed");
	assert_string_equal(text_of(log_of(document, 0), "timeUnixNano"), END_NS);
	assert_int_equal(strlen(text_of(log_of(document, 0), "traceId")), 32);
	assert_int_equal(strlen(text_of(log_of(document, 0), "spanId")), 16);
}

/* Each event is in one request or the other, whatever there is too much of. */
static void too_many_are_held(void **state)
{
	struct fixture *fixture = *state;
	struct otlp_request *logs = otlp_encoder__request(fixture->encoder, OTLP_LOGS);
	char line[256];
	size_t count = OPEN_COMMANDS_MAX + 10, logged;

	for (size_t i = 0; i < count; i++) {
		snprintf(line, sizeof(line),
			 "{\"event\":\"command.execution.started\",\"execution_id\":\"e%zu\"," TIME
			 "}",
			 i);
		assert_int_equal(put(fixture, line), 0);
	}
	logged = otlp_request__marks_count(logs);
	assert_int_equal(logged, 10);
	assert_string_equal(
		attribute(log_of(take(fixture, OTLP_LOGS), 0), "steptrace.execution_id"), "e0");
	for (size_t i = 0; i < HELD_FRAGMENTS_MAX + 5; i++)
		put(fixture, "{\"event\":\"fragment.changed\",\"execution_id\":\"e99\",\"step_id\":"
			     "\"s1\"," TIME "}");
	assert_int_equal(otlp_request__marks_count(logs), 5);
	while (otlp_encoder__let_go(fixture->encoder))
		continue;
	assert_int_equal(otlp_request__marks_count(logs),
			 5 + HELD_FRAGMENTS_MAX + OPEN_COMMANDS_MAX);
}

#define PAD_BYTES (1 << 18)

static void put_fragment(struct fixture *fixture, const char *execution)
{
	static char line[PAD_BYTES + 256];
	static const char begin[] =
		"{\"event\":\"fragment.changed\",\"execution_id\":\"%s\",\"step_id\":"
		"\"s1\"," TIME ",\"unknown\":\"%0*d\"}";

	snprintf(line, sizeof(line), begin, execution, PAD_BYTES, 0);
	assert_int_equal(put(fixture, line), 0);
}

/* The oldest commands give way, and none of the events is lost. */
static void too_many_bytes_are_held(void **state)
{
	struct fixture *fixture = *state;
	struct otlp_request *logs = otlp_encoder__request(fixture->encoder, OTLP_LOGS);
	size_t count = 2 * HELD_BYTES_MAX / PAD_BYTES, logged;
	char execution[16];

	for (size_t i = 0; i < count; i++) {
		snprintf(execution, sizeof(execution), "e%zu", i);
		put_fragment(fixture, execution);
		assert_true(otlp_encoder__held_bytes(fixture->encoder) <= HELD_BYTES_MAX);
	}
	assert_true(otlp_encoder__held_bytes(fixture->encoder) > HELD_BYTES_MAX - 2 * PAD_BYTES);
	logged = otlp_request__marks_count(logs);
	assert_true(logged > count / 2 && logged < count / 2 + 4);
	for (size_t i = 0; i < logged; i++)
		assert_int_equal(otlp_request__marks(logs)[i].mark.known_ns, i + 1);
	while (otlp_encoder__let_go(fixture->encoder))
		continue;
	assert_int_equal(otlp_request__marks_count(logs), count);
	assert_int_equal(otlp_encoder__held_bytes(fixture->encoder), 0);
}

/* What is too much for one command makes no other one give way. */
static void one_command_holds_too_many_bytes(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, STARTED("e1", ""));
	put(fixture, STARTED("e2", ""));
	for (size_t i = 0; i < HELD_FRAGMENTS_MAX; i++)
		put_fragment(fixture, "e1");
	assert_true(otlp_encoder__held_bytes(fixture->encoder) <= HELD_COMMAND_BYTES_MAX + 1024);
	assert_int_equal(marks_count(fixture, OTLP_LOGS), HELD_FRAGMENTS_MAX - 3);
	put(fixture, COMPLETED("e1", ""));
	put(fixture, COMPLETED("e2", ""));
	assert_int_equal(marks_count(fixture, OTLP_TRACES), 3 + 4);
	assert_int_equal(otlp_encoder__held_bytes(fixture->encoder), 0);
}

/* A start that is too large for what is held is a log record at once. */
static void a_start_is_too_large(void **state)
{
	static char line[HELD_COMMAND_BYTES_MAX + 256];
	struct fixture *fixture = *state;

	snprintf(line, sizeof(line),
		 "{\"event\":\"command.execution.started\",\"execution_id\":\"e1\"," TIME
		 ",\"unknown\":\"%0*d\"}",
		 HELD_COMMAND_BYTES_MAX, 0);
	put(fixture, STARTED("e1", ""));
	assert_int_equal(put(fixture, line), 0);
	assert_int_equal(marks_count(fixture, OTLP_LOGS), 2);
	assert_int_equal(otlp_encoder__held_bytes(fixture->encoder), 0);
}

/* What each event of many processes brings fits into the request, also when much gives way. */
static void held_events_of_many_processes(void **state)
{
	static char line[HELD_COMMAND_BYTES_MAX];
	struct fixture *fixture = *state;
	struct otlp_request *logs = otlp_encoder__request(fixture->encoder, OTLP_LOGS);
	size_t count = 2 * (HELD_BYTES_MAX / PAD_BYTES) * 16, sent = 0;
	struct line_mark mark;

	for (size_t i = 0; i < count; i++) {
		int pad = i % 64 ? PAD_BYTES / 16 : HELD_COMMAND_BYTES_MAX - 4096;

		snprintf(line, sizeof(line),
			 "{\"event\":\"fragment.changed\",\"execution_id\":\"e%zu\"," TIME
			 ",\"source\":{\"pid\":%zu,\"comm\":\"w\"},\"unknown\":\"%0*d\"}",
			 i, i + 1, pad, 0);
		assert_int_equal(put(fixture, line), 0);
		assert_true(otlp_encoder__held_bytes(fixture->encoder) <= HELD_BYTES_MAX);
		if (otlp_request__is_full(logs)) {
			sent += otlp_request__marks_count(logs);
			otlp_request__clear(logs);
		}
	}
	while (otlp_encoder__let_go(fixture->encoder)) {
		sent += otlp_request__marks_count(logs);
		otlp_request__clear(logs);
	}
	assert_false(otlp_encoder__take_dropped(fixture->encoder, &mark));
	assert_int_equal(sent, count);
}

/* One request with large items does not keep its memory. */
static void memory_of_a_request(void **state)
{
	static char line[HELD_COMMAND_BYTES_MAX];
	struct fixture *fixture = *state;
	struct otlp_request *logs = otlp_encoder__request(fixture->encoder, OTLP_LOGS);
	size_t kept = 0;

	for (size_t i = 0; i < 8; i++) {
		snprintf(line, sizeof(line),
			 "{\"event\":\"command.execution.overdue\",\"execution_id\":\"e%zu\"," TIME
			 ",\"source\":{\"pid\":%zu,\"comm\":\"w\"},\"unknown\":\"%0*d\"}",
			 i, i + 1, HELD_COMMAND_BYTES_MAX - 4096, 0);
		assert_int_equal(put(fixture, line), 0);
	}
	otlp_request__clear(logs);
	for (size_t i = 0; i < OTLP_PARTS_MAX; i++)
		kept += (size_t)(logs->parts[i].items.limit - logs->parts[i].items.base);
	assert_true(kept <= OTLP_KEPT_BYTES_MAX);
	put_fragment(fixture, "e1");
	while (otlp_encoder__let_go(fixture->encoder))
		continue;
	assert_int_equal(otlp_request__marks_count(logs), 1);
}

static void failures(void **state)
{
	static const struct {
		const char *more, *type;
	} cases[] = {
		{",\"outcome\":\"failure\",\"error_category\":\"timeout\"", "timeout"},
		{",\"outcome\":\"failure\"", "_OTHER"},
		{",\"outcome\":\"aborted\"", "aborted"},
		{",\"outcome\":\"cancelled\",\"error_category\":\"limit\"", "limit"},
		{",\"outcome\":\"success\"", ""},
		{",\"outcome\":\"skipped\"", ""},
	};
	struct fixture *fixture = *state;
	char line[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const cJSON *span, *status;

		snprintf(
			line, sizeof(line),
			"{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\","
			"\"duration_ms\":1," TIME "%s}",
			cases[i].more);
		put(fixture, line);
		span = span_of(take(fixture, OTLP_TRACES), 0);
		status = cJSON_GetObjectItem(span, "status");
		assert_string_equal(attribute(span, "error.type"), cases[i].type);
		assert_string_equal(text_of(status, "message"), cases[i].type);
		assert_int_equal(cJSON_HasObjectItem(status, "code"), cases[i].type[0] != 0);
	}
}

/* The command never ran: its span says why, and is an error. */
static void a_rejected_command(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *span;

	put(fixture, "{\"event\":\"command.validation.failed\",\"correlation_id\":\"c1\","
		     "\"execution_id\":\"e1\",\"command_slug\":\"pay\",\"reason\":"
		     "\"unknown_command\"," TIME "}");
	span = span_of(take(fixture, OTLP_TRACES), 0);
	assert_string_equal(attribute(span, "error.type"), "unknown_command");
	assert_string_equal(text_of(span, "startTimeUnixNano"), END_NS);
}

static void texts_are_escaped(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *span;

	put(fixture, "{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\","
		     "\"step\":{\"name\":\"a\\\"b\\\\\\n\\u0001\"},\"duration_ms\":1," TIME "}");
	span = span_of(take(fixture, OTLP_TRACES), 0);
	assert_string_equal(text_of(span, "name"), "a\"b\\\n\x01");
}

static void all_fields_of_a_log_record(void **state)
{
	struct fixture *fixture = *state;
	const cJSON *log;

	put(fixture,
	    "{\"event\":\"trace.lost\"," TIME ",\"kind\":\"dsl.step.executed\",\"lost\":12,"
	    "\"half\":0.5,\"big\":18446744073709551615,\"most\":9223372036854775807,"
	    "\"none\":null,\"list\":[1,\"a,]\",[true,{}]],\"more\":{\"x\":-3}}");
	log = log_of(take(fixture, OTLP_LOGS), 0);
	assert_string_equal(attribute(log, "event.name"), "trace.lost");
	assert_string_equal(attribute(log, "steptrace.lost"), "12");
	assert_string_equal(attribute(log, "steptrace.big"), "18446744073709551615");
	assert_string_equal(attribute(log, "steptrace.most"), "9223372036854775807");
	assert_string_equal(attribute(log, "steptrace.none"), "");
	assert_string_equal(text_of(log, "severityText"), "WARN");
}

static void what_cannot_be_a_span(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(put(fixture, "{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\"}"),
			 -ENODATA);
	assert_int_equal(put(fixture, "{\"event\":\"dsl.step.executed\"," TIME "}"), -ENODATA);
	assert_int_equal(marks_count(fixture, OTLP_TRACES), 0);
}

/* A request is full before it is too full for what one event can bring. */
static void many_processes(void **state)
{
	struct fixture *fixture = *state;
	struct otlp_request *request = otlp_encoder__request(fixture->encoder, OTLP_TRACES);
	char line[256];
	int count = 0;

	while (!otlp_request__is_full(request)) {
		snprintf(
			line, sizeof(line),
			"{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\","
			"\"source\":{\"pid\":%d,\"comm\":\"w\"}," TIME "}",
			++count);
		assert_int_equal(put(fixture, line), 0);
	}
	assert_true(count < OTLP_PARTS_MAX);
	assert_int_equal(cJSON_GetArraySize(
				 cJSON_GetObjectItem(take(fixture, OTLP_TRACES), "resourceSpans")),
			 count);
	assert_false(otlp_request__is_full(request));
}

static void resources(void **state)
{
	struct fixture *fixture = *state;
	struct otlp_encoder *named = fixture->encoder;
	const cJSON *resource;

	fixture->encoder = otlp_encoder__new(NULL);
	put(fixture, "{\"event\":\"trace.started\"," TIME ",\"host\":\"h1\",\"labels\":{\"env\":"
		     "\"prod\",\"host.name\":\"x\",\"service.name\":\"x\",\"process.pid\":\"x\"}}");
	put(fixture, "{\"event\":\"trace.attached\"," TIME ",\"exe\":\"/usr/bin/long-name-of-a-"
		     "program\",\"pids\":[7,8]}");
	put(fixture, "{\"event\":\"trace.attached\"," TIME ",\"exe\":\"/usr/bin/other\","
		     "\"pids\":[]}");
	put(fixture, "{\"event\":\"command.execution.started\",\"execution_id\":\"e\","
		     "\"container\":{\"container_id\":\"abc\"},\"source\":{\"pid\":9,\"uid\":33,"
		     "\"comm\":\"long-name-of-a-\"}," TIME "}");
	put(fixture, "{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\","
		     "\"source\":{\"pid\":9,\"uid\":33,\"comm\":\"long-name-of-a-\"}," TIME "}");
	resource =
		cJSON_GetObjectItem(at(take(fixture, OTLP_TRACES), "resourceSpans", 0), "resource");
	assert_string_equal(attribute(resource, "service.name"), "long-name-of-a-program");
	assert_string_equal(attribute(resource, "host.name"), "h1");
	assert_string_equal(attribute(resource, "env"), "prod");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(resource, "attributes")), 8);
	assert_string_equal(attribute(resource, "process.pid"), "9");
	assert_string_equal(attribute(resource, "process.user.id"), "33");
	assert_string_equal(attribute(resource, "container.id"), "abc");
	resource = cJSON_GetObjectItem(at(take(fixture, OTLP_LOGS), "resourceLogs", 0), "resource");
	assert_string_equal(attribute(resource, "service.name"), "steptrace");
	put(fixture, "{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\","
		     "\"source\":{\"pid\":10,\"comm\":\"unknown\"}," TIME "}");
	resource =
		cJSON_GetObjectItem(at(take(fixture, OTLP_TRACES), "resourceSpans", 0), "resource");
	assert_string_equal(attribute(resource, "service.name"), "unknown");
	otlp_encoder__free(fixture->encoder);
	fixture->encoder = named;
	put(fixture, STEP("e", "s", ""));
	resource =
		cJSON_GetObjectItem(at(take(fixture, OTLP_TRACES), "resourceSpans", 0), "resource");
	assert_string_equal(attribute(resource, "service.name"), "shop");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(times_are_exact),
		TEST(an_unknown_beginning),
		TEST(parents),
		TEST(a_traceparent_is_the_parent_of_the_root),
		TEST(a_child_of_another_trace_has_a_link),
		TEST(held_events_go_into_their_spans),
		TEST(what_no_span_takes_becomes_a_log_record),
		TEST(too_many_are_held),
		TEST(too_many_bytes_are_held),
		TEST(one_command_holds_too_many_bytes),
		TEST(a_start_is_too_large),
		TEST(held_events_of_many_processes),
		TEST(memory_of_a_request),
		TEST(failures),
		TEST(a_rejected_command),
		TEST(texts_are_escaped),
		TEST(all_fields_of_a_log_record),
		TEST(what_cannot_be_a_span),
		TEST(many_processes),
		TEST(resources),
	};

	return cmocka_run_group_tests_name("otlp encoder", tests, NULL, NULL);
}
