// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host_port.h"
#include "steptrace/record/vitals.h"

static const struct vitals earlier = {.now_ns = 1000000000, .cpu_ns = 5000000};

static struct vitals later(void)
{
	struct vitals vitals = {
		.now_ns = 3000000000,
		.totals = {.hits = 70, .forgotten = 5, .decisions_lost = 6, .breakdowns_lost = 11},
		.cpu_ns = 105000000,
		.memory_bytes = 38 << 20,
		.own_memory_bytes = 3 << 20,
		.lag_ns = 48100000,
		.unread_bytes = 1 << 20,
		.ring_bytes = 4 << 20,
		.buffer_bytes = 16 << 20,
		.binaries = 2,
		.executions = 3,
		.oldest_ns = 12300000000,
		.held_events = 11,
		.held_bytes = 8 << 20,
		.hold_bytes = 64 << 20,
		.outputs = {{"plain", 1, 1 << 10, 8 << 20},
			    {"a\"b\\c\nd\xc3\xa9\xff", 4, 2 << 20, 8 << 20}},
		.outputs_count = 2,
	};

	vitals.totals.untraced[UNTRACED_MEMORY] = 8;
	vitals.counts.events[EVENT_STEP_EXECUTED] = 40;
	vitals.counts.aborted[EVENT_COMMAND_COMPLETED] = 2;
	vitals.counts.lost[EVENT_STEP_EXECUTED][LOSS_BUFFER_FULL] = 7;
	vitals.counts.filtered[EVENT_COMMAND_STARTED] = 9;
	return vitals;
}

static void the_line_describes_one_interval(void **state)
{
	struct vitals now = later();
	char line[VITALS_LINE_BYTES];

	(void)state;
	vitals__line(&earlier, &now, line);
	assert_string_equal(line,
			    "21 events/s, 6 lost/s, lag 48.1 ms, buffer 25.0 % of 16M, "
			    "queue 25.0 % of 8M, held 12.5 % of 64M, cpu 5.0 %, memory 38.0M");
	now.hold_bytes = 0; /* without --whole */
	vitals__line(&earlier, &now, line);
	assert_non_null(strstr(line, "of 8M, cpu"));
}

static void the_longest_line_has_room(void **state)
{
	struct vitals now = {.now_ns = 1};
	char line[VITALS_LINE_BYTES];

	(void)state;
	now.lag_ns = now.memory_bytes = now.unread_bytes = now.buffer_bytes = UINT64_MAX;
	now.counts.events[1] = now.counts.lost[1][0] = UINT64_MAX;
	now.cpu_ns = UINT64_MAX;
	now.ring_bytes = 1;
	now.held_bytes = now.hold_bytes = UINT64_MAX;
	now.outputs_count = 1;
	now.outputs[0] = (struct output_vitals){"x", 0, UINT64_MAX, 1};
	vitals__line(&(struct vitals){0}, &now, line);
	assert_non_null(strstr(line, ", memory "));
	assert_int_equal(line[strlen(line) - 1], 'M');
}

static void no_division_by_an_interval_of_zero(void **state)
{
	(void)state;
	assert_true(vitals__cpu_percent(&earlier, &earlier) == 0);
}

static char *prometheus(struct strbuf *text)
{
	struct vitals now = later();

	strbuf__init(text, 1 << 20);
	vitals__prometheus(&now, &(struct prometheus_text){text, false});
	assert_int_equal(text->err, 0);
	return text->text;
}

static void prometheus_has_the_counts(void **state)
{
	static const char *const lines[] = {
		"steptrace_hits_total 70\n",
		"steptrace_events_total{event=\"dsl.step.executed\"} 40\n",
		"steptrace_aborted_total{event=\"command.execution.completed\"} 2\n",
		"steptrace_filtered_total{event=\"command.execution.started\"} 9\n",
		"steptrace_lost_total{event=\"dsl.step.executed\",reason=\"buffer_full\"} 7\n",
		"steptrace_processes_untraced{reason=\"memory\"} 8\n",
		"steptrace_executions_forgotten_total 5\n",
		"steptrace_filter_decisions_lost_total 6\n",
		"steptrace_breakdowns_lost_total 11\n",
		"steptrace_output_lost_total{output=\"plain\"} 1\n",
		"steptrace_output_queue_used_bytes"
		"{output=\"a\\\"b\\\\c\\nd\xc3\xa9\xef\xbf\xbd\"} 2097152\n",
		"steptrace_lag_seconds 0.048100000\n",
		"steptrace_buffer_used_ratio 0.250000000\n",
		"steptrace_buffer_bytes 16777216\n",
		"steptrace_attached_binaries 2\n",
		"steptrace_open_executions 3\n",
		"steptrace_oldest_open_execution_seconds 12.300000000\n",
		"steptrace_held_events 11\n",
		"steptrace_held_bytes 8388608\n",
		"process_cpu_seconds_total 0.105000000\n",
		"process_resident_memory_bytes 39845888\n",
		"steptrace_own_memory_bytes 3145728\n",
	};
	struct strbuf buffer;
	const char *text = prometheus(&buffer);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not there: %s", lines[i]);
	strbuf__free(&buffer);
}

/* ---- the totals of trace.stopped */

enum { TOTALS_WORDS = sizeof(struct trace_totals) / sizeof(uint64_t) };

_Static_assert(sizeof(struct trace_totals) % sizeof(uint64_t) == 0, "a total is a uint64_t");

/* Every total has a value of its own that is not zero: the line leaves out zeros. */
static void set_all(struct vitals *vitals)
{
	uint64_t words[TOTALS_WORDS];

	for (size_t i = 0; i < TOTALS_WORDS; i++)
		words[i] = 1000 + i;
	memcpy(&vitals->totals, words, sizeof(words));
	vitals->totals.reason = "count";
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++) {
		vitals->counts.events[kind] = 100 + (uint64_t)kind;
		vitals->counts.aborted[kind] = 200 + (uint64_t)kind;
		vitals->counts.filtered[kind] = 300 + (uint64_t)kind;
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			vitals->counts.lost[kind][reason] = (uint64_t)(10 * kind + reason);
	}
}

static cJSON *stopped_event(const struct vitals *vitals)
{
	struct clock_anchor clock = {.realtime_ns = 1};
	struct json line = {0};
	cJSON *event;

	assert_int_equal(trace_events__put_stopped(&line, FORMAT_JSON, &clock, &vitals->counts,
						   &vitals->totals, 1),
			 0);
	event = cJSON_ParseWithLength(line.base, json__length(&line));
	assert_non_null(event);
	json__free(&line);
	return event;
}

/* What a field counts: the number, or the sum of an object's numbers. */
static uint64_t counted_by(const cJSON *field)
{
	const cJSON *member;
	uint64_t sum = 0;

	if (cJSON_IsNumber(field))
		return (uint64_t)field->valuedouble;
	cJSON_ArrayForEach (member, field)
		sum += (uint64_t)member->valuedouble;
	return sum;
}

/* The sum of the samples of a metric, over all labels. */
static uint64_t sampled(const char *text, const char *metric)
{
	size_t bytes = strlen(metric);
	uint64_t sum = 0;

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, metric, bytes) == 0 && (at[bytes] == ' ' || at[bytes] == '{'))
			sum += strtoull(strpbrk(at, " \n") + 1, NULL, 10);
	}
	return sum;
}

/* A metric is named as the field of trace.stopped, but for these. */
static const char *metric_of(const char *field, char name[96])
{
	static const struct {
		const char *field, *metric; /* NULL: no total */
	} others[] = {
		{"event", NULL},
		{"timestamp", NULL},
		{"monotonic_ns", NULL},
		{"reason", NULL},
		{"aborted_events", "steptrace_aborted_total"},
		{"lost_by_kind", "steptrace_lost_total"},
		{"lost_by_reason", "steptrace_lost_total"},
		{"processes_untraced", "steptrace_processes_untraced"}, /* may become less */
		{"untraced_by_reason", "steptrace_processes_untraced"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].field, field) == 0)
			return others[i].metric;
	snprintf(name, 96, "steptrace_%s_total", field);
	return name;
}

static void every_total_of_trace_stopped_is_a_metric(void **state)
{
	struct vitals now = {.now_ns = 1};
	const cJSON *field;
	struct strbuf text;
	int totals = 0;
	cJSON *event;

	(void)state;
	set_all(&now);
	event = stopped_event(&now);
	strbuf__init(&text, 1 << 20);
	vitals__prometheus(&now, &(struct prometheus_text){&text, false});
	cJSON_ArrayForEach (field, event) {
		char name[96];
		const char *metric = metric_of(field->string, name);

		if (!metric)
			continue;
		totals++;
		if (counted_by(field) == 0 || sampled(text.text, metric) != counted_by(field))
			fail_msg("%s is %llu, but %s is %llu", field->string,
				 (unsigned long long)counted_by(field), metric,
				 (unsigned long long)sampled(text.text, metric));
	}
	assert_true(totals >= 11);
	cJSON_Delete(event);
	strbuf__free(&text);
}

/* ---- addresses */

static void addresses_are_split(void **state)
{
	struct host_port address;

	(void)state;
	assert_int_equal(host_port__split("localhost:80", &address), 0);
	assert_string_equal(address.host, "localhost");
	assert_string_equal(address.port, "80");
	assert_true(host_port__split("localhost:65536", &address) < 0);
	assert_true(host_port__split("localhost:99999999999999999999", &address) < 0);
	assert_int_equal(host_port__split("[::1]:http", &address), 0);
	assert_string_equal(address.host, "::1");
	assert_string_equal(address.port, "http");
}

static void invalid_addresses_are_refused(void **state)
{
	static const char *const none[] = {"",     "80",     ":80",     "host:", "::1:80",
					   "[]:1", "[::1:1", "[::1]80", "[::1]"};
	struct host_port address;
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(host_port__split(none[i], &address) < 0);
	memset(text, 'a', sizeof(text));
	strcpy(text + 256, ":1");
	assert_true(host_port__split(text, &address) < 0);
	strcpy(text + 255, ":1");
	assert_int_equal(host_port__split(text, &address), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_describes_one_interval),
		cmocka_unit_test(the_longest_line_has_room),
		cmocka_unit_test(no_division_by_an_interval_of_zero),
		cmocka_unit_test(prometheus_has_the_counts),
		cmocka_unit_test(every_total_of_trace_stopped_is_a_metric),
		cmocka_unit_test(addresses_are_split),
		cmocka_unit_test(invalid_addresses_are_refused),
	};

	return cmocka_run_group_tests_name("vitals", tests, NULL, NULL);
}
