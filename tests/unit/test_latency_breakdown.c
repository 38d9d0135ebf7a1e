// SPDX-License-Identifier: BSD-2-Clause
/* latency --breakdown: what was measured is added up by row, and shown as shares. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "common/printable.h"
#include "steptrace/latency/latency.h"
#include "stream_fixture.h"

static struct latency_options options;
static struct latency latency;
static struct stream *stream;

static void begin(enum stream_format format, unsigned int columns)
{
	struct stream_options for_stream = options_for(format);
	struct error err;

	options = (struct latency_options){
		.rows_limit = 3, .is_json = format == FORMAT_JSON, .has_breakdown = true};
	assert_int_equal(row_keys__parse("step", &options.keys, &err), 0);
	assert_int_equal(latency__open(&latency, &options), 0);
	for_stream.text.columns = columns;
	for_stream.has_breakdown = true;
	for_stream.on_event = latency__on_event;
	for_stream.on_event_context = &latency;
	for_stream.leaves_out_lines = true;
	stream = stream_with(&for_stream);
	latency__on_time(&latency, stream, 1000000000, false);
	feed_started(stream);
}

static const char *reported(void)
{
	latency__on_time(&latency, stream, 3000000000, true);
	assert_int_equal(latency.reports_failed, 0);
	return written(stream);
}

static void end(void)
{
	stream__free(stream);
	latency__close(&latency);
}

/* A step of 1000 ns. `kind` takes what is left of it. */
static void feed_measured(uint64_t on_cpu_ns, uint64_t runnable_ns, enum blocked_kind kind)
{
	struct steptrace_cpu cpu = {
		.threads_ns = 1000, .on_cpu_ns = on_cpu_ns, .runnable_ns = runnable_ns};
	struct step_span step = records__step();

	cpu.blocked_ns[kind] = 1000 - on_cpu_ns - runnable_ns;
	step.child.head.end_ns = step.child.head.start_ns + 1000;
	feed(stream, records__measured(records__plain(PROBE_STEP_DONE, &step, sizeof(step)), &cpu));
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in '%s'", part, text);
}

/* The step that was not measured is counted, and is no part of the shares. */
static void shares(void **state)
{
	const char *text;

	(void)state;
	begin(FORMAT_REPORT, 0);
	feed_measured(100, 20, BLOCKED_PIPE);
	feed_measured(300, 0, BLOCKED_LOCK);
	feed_measured(200, 0, BLOCKED_LOCK);
	feed_step_taking(stream, "DatabaseUpdateStep", 5000, OUTCOME_SUCCESS);
	text = reported();
	expect_in(text, "    SHARE      CPU  RUNNABLE  BLOCKED  WAITS FOR\n");
	expect_in(text, "  100.0 %   20.0 %     0.7 %   79.3 %       lock\n");
	end();
}

static void nothing_was_measured(void **state)
{
	(void)state;
	begin(FORMAT_REPORT, 0);
	feed_step(stream);
	expect_in(reported(), "  100.0 %        -         -        -          -\n");
	end();
	begin(FORMAT_JSON, 0);
	feed_step(stream);
	expect_in(reported(), ",\"cpu\":null,\"buckets\"");
	end();
}

static void as_json(void **state)
{
	(void)state;
	begin(FORMAT_JSON, 0);
	feed_measured(100, 20, BLOCKED_PIPE);
	feed_measured(300, 0, BLOCKED_LOCK);
	feed_step(stream);
	expect_in(reported(),
		  ",\"cpu\":{\"measured\":2,\"on_cpu_ms\":0.0004,\"runnable_ms\":0.00002,"
		  "\"blocked_ms\":{\"disk\":0,\"lock\":0.0007,\"network\":0,\"sleep\":0,"
		  "\"pipe\":0.00088,\"other\":0},\"threads_ms\":0.002},\"buckets\"");
	end();
}

static void without_it(void **state)
{
	(void)state;
	for (int format = FORMAT_JSON; format <= FORMAT_REPORT; format++) {
		const char *text;

		if (format == FORMAT_COMPACT)
			continue;
		begin((enum stream_format)format, 0);
		options.has_breakdown = false;
		feed_measured(100, 20, BLOCKED_PIPE);
		text = reported();
		assert_null(strstr(text, "RUNNABLE"));
		assert_null(strstr(text, "\"cpu\""));
		end();
	}
}

/* The columns of the breakdown stay where others are left out. */
static void narrow_terminals(void **state)
{
	static const struct {
		unsigned int width;
		bool has_cpu, has_runnable;
	} cases[] = {{160, true, true}, {100, true, false}, {90, true, false}, {60, false, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text;

		begin(FORMAT_REPORT, cases[i].width);
		feed_measured(100, 20, BLOCKED_NETWORK);
		text = reported();
		assert_in_range(printable__columns(text, strcspn(text, "\n")), 20, cases[i].width);
		if ((strstr(text, "WAITS FOR") != NULL) != cases[i].has_cpu ||
		    (strstr(text, "RUNNABLE") != NULL) != cases[i].has_runnable)
			fail_msg("%u columns: %s", cases[i].width, text);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),           cmocka_unit_test(nothing_was_measured),
		cmocka_unit_test(as_json),          cmocka_unit_test(without_it),
		cmocka_unit_test(narrow_terminals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
