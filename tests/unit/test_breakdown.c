// SPDX-License-Identifier: BSD-2-Clause
/* Where the time of a span went, from the record to the lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>

#include "steptrace/stream/decode.h"
#include "steptrace/stream/trace_events.h"
#include "stream_fixture.h"

/* The step of records.h takes 45.2 ms, its command 1250.8 ms. */
static struct steptrace_cpu cpu_of_step(void)
{
	return (struct steptrace_cpu){
		.threads_ns = 45200000,
		.on_cpu_ns = 5000001,
		.runnable_ns = 199999,
		.blocked_ns = {[BLOCKED_LOCK] = 30000000, [BLOCKED_PIPE] = 10000000},
		.switches_voluntary = 3,
		.switches_involuntary = 1,
		.migrations = 2,
		.page_faults = 7,
	};
}

static struct steptrace_cpu cpu_of_command(uint64_t threads_ns)
{
	return (struct steptrace_cpu){.threads_ns = threads_ns, .on_cpu_ns = threads_ns};
}

static struct stream *breakdown_stream(enum stream_format format)
{
	struct stream_options options = options_for(format);
	struct stream *stream;

	options.has_breakdown = true;
	stream = stream_with(&options);
	feed_started(stream);
	written(stream);
	return stream;
}

static struct record_bytes step_with(const struct step_span *step, const struct steptrace_cpu *cpu)
{
	return records__measured(records__plain(PROBE_STEP_DONE, step, sizeof(*step)), cpu);
}

static struct record_bytes command_with(const struct steptrace_cpu *cpu)
{
	struct command_span command = records__command_done(0);

	return records__measured(records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)),
				 cpu);
}

/* ---- JSON */

static void all_parts(void **state)
{
	static const struct member members[] = {
		{"cpu",
		 "{\"on_cpu_ms\":5.000001,\"runnable_ms\":0.199999,"
		 "\"blocked_ms\":{\"disk\":0,\"lock\":30,\"network\":0,\"sleep\":0,\"pipe\":10,"
		 "\"other\":0},"
		 "\"switches\":{\"voluntary\":3,\"involuntary\":1},\"migrations\":2,"
		 "\"page_faults\":7,\"threads_ms\":45.2}"},
		{"duration_ms", "45.2"},
	};
	struct stream *stream = breakdown_stream(FORMAT_JSON);
	struct steptrace_cpu cpu = cpu_of_step();
	struct step_span step = records__step();

	(void)state;
	EXPECT_MEMBERS(line_of(stream, step_with(&step, &cpu)), members);
	stream__free(stream);
}

static void expect_of_step(const struct step_span *step, const struct steptrace_cpu *cpu,
			   bool is_known)
{
	struct stream *stream = breakdown_stream(FORMAT_JSON);
	cJSON *event = line_of(stream, step_with(step, cpu));

	if (is_known)
		expect_member(event, "cpu.migrations", "2");
	else
		expect_member(event, "cpu", "null");
	cJSON_Delete(event);
	stream__free(stream);
}

/* The kernel read the stamps before the record was made, and the runner may change its memory. */
static void what_does_not_add_up_is_null(void **state)
{
	struct steptrace_cpu cpu = cpu_of_step(), other = cpu;
	struct step_span step = records__step(), changed = step;

	(void)state;
	expect_of_step(&step, &cpu, true);
	other.on_cpu_ns++;
	expect_of_step(&step, &other, false);
	other.threads_ns++;
	expect_of_step(&step, &other, false);
	other = cpu; /* the sum overflows */
	other.blocked_ns[BLOCKED_DISK] = UINT64_MAX - 3;
	other.blocked_ns[BLOCKED_OTHER] = 4;
	expect_of_step(&step, &other, false);
	changed.child.head.end_ns--;
	expect_of_step(&changed, &cpu, false);
	changed.child.head.start_ns = 0;
	expect_of_step(&changed, &cpu, false);
	changed = step;
	changed.child.head.flags |= SPAN_SUSPENDED;
	expect_of_step(&changed, &cpu, false);
}

static void a_command_may_have_more_time_than_it_takes(void **state)
{
	static const struct {
		uint64_t threads_ns;
		const char *text;
	} cases[] = {{1250800000, "1250.8"}, {4000000000, "4000"}, {1250799999, "-"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream *stream = breakdown_stream(FORMAT_JSON);
		struct steptrace_cpu cpu = cpu_of_command(cases[i].threads_ns);
		cJSON *event = line_of(stream, command_with(&cpu));

		expect_member(event, "cpu.threads_ms", cases[i].text);
		cJSON_Delete(event);
		stream__free(stream);
	}
}

static void not_measured_and_not_asked_for(void **state)
{
	struct stream *stream = breakdown_stream(FORMAT_JSON), *without = json_stream();
	struct steptrace_cpu cpu = cpu_of_step();
	struct step_span step = records__step();
	struct record_bytes plain = records__plain(PROBE_STEP_DONE, &step, sizeof(step));
	cJSON *event = line_of(stream, plain);

	(void)state;
	expect_member(event, "cpu", "null");
	cJSON_Delete(event);
	feed_started(without);
	written(without);
	event = line_of(without, step_with(&step, &cpu));
	expect_member(event, "cpu", "-");
	cJSON_Delete(event);
	stream__free(stream);
	stream__free(without);
}

static void an_aborted_step(void **state)
{
	struct stream *stream = breakdown_stream(FORMAT_JSON);
	struct step_span step = records__step();
	struct termination end = {
		.record = {.time_ns = record_time_ns + 5, .pid = RECORD_PID, .tid = RECORD_TID}};
	const char *lines;

	(void)state;
	feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)));
	stream__abort_process(stream, &end);
	lines = written(stream);
	assert_non_null(strstr(lines, "dsl.step.executed"));
	assert_non_null(strstr(lines, "\"cpu\":null,\"aborted\":{"));
	assert_non_null(strstr(strstr(lines, "command.execution.completed"), "\"cpu\":null"));
	stream__free(stream);
}

static void the_header_says_it(void **state)
{
	static const char *const targets[] = {"all"};
	struct trace_facts facts = {.host = "",
				    .boot_id = "",
				    .kernel = "",
				    .site = "nop1",
				    .method = "perf",
				    .targets = targets,
				    .targets_count = 1,
				    .breakdown = true};
	struct stream *stream = json_stream();

	(void)state;
	assert_int_equal(trace_events__started(stream, &facts), 0);
	assert_non_null(strstr(written(stream), ",\"breakdown\":true,"));
	stream__free(stream);
}

/* ---- text */

static void compact_lines(void **state)
{
	static const struct {
		struct steptrace_cpu cpu;
		const char *text;
	} cases[] = {
		{{.threads_ns = 45200000, .on_cpu_ns = 45200000}, "45.2 ms  cpu 100 %  3 rows\n"},
		{{.threads_ns = 45200000,
		  .on_cpu_ns = 4520000,
		  .runnable_ns = 10680000,
		  .blocked_ns = {[BLOCKED_NETWORK] = 30000000}},
		 "45.2 ms  cpu 10 %, network 66 %  3 rows\n"},
		{{.threads_ns = 45200000, .on_cpu_ns = 22600000, .runnable_ns = 22600000},
		 "45.2 ms  cpu 50 %, runnable 50 %  3 rows\n"},
		{{.threads_ns = 7, .on_cpu_ns = 7}, "45.2 ms  cpu ?  3 rows\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream *stream = breakdown_stream(FORMAT_COMPACT);
		struct step_span step = records__step();
		const char *line;

		feed(stream, step_with(&step, &cases[i].cpu));
		line = written(stream);
		if (!strstr(line, cases[i].text))
			fail_msg("no '%s' in '%s'", cases[i].text, line);
		stream__free(stream);
	}
}

/* ---- records */

static void every_length(void **state)
{
	struct steptrace_cpu cpu = cpu_of_step();
	struct step_span step = records__step();
	struct command_span command = records__command();
	struct record_bytes bytes = records__measured(
		records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command), &cpu);
	struct decoded decoded;

	(void)state;
	assert_int_equal(decode__record(bytes.bytes, bytes.size_bytes, &decoded), 0);
	assert_non_null(decoded.cpu);
	assert_int_equal(decoded.cpu->page_faults, 7);
	assert_string_equal(decoded.context->slug, "fragment.update");
	for (size_t size = 0; size < bytes.size_bytes; size++)
		assert_int_equal(decode__record(bytes.bytes, size, &decoded), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts),
		cmocka_unit_test(what_does_not_add_up_is_null),
		cmocka_unit_test(a_command_may_have_more_time_than_it_takes),
		cmocka_unit_test(not_measured_and_not_asked_for),
		cmocka_unit_test(an_aborted_step),
		cmocka_unit_test(the_header_says_it),
		cmocka_unit_test(compact_lines),
		cmocka_unit_test(every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
