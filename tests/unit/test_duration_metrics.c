// SPDX-License-Identifier: BSD-2-Clause
/* Records go in, metrics come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>

#include "steptrace/latency/duration_metrics.h"
#include "stream_fixture.h"

static struct duration_metrics *metrics;
static struct stream *stream;
static struct strbuf text;

static void begin(const char *bounds_text)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct duration_bounds bounds = {.count = 0};
	struct error err;

	if (bounds_text)
		assert_int_equal(duration_bounds__parse(bounds_text, &bounds, &err), 0);
	metrics = duration_metrics__new(&bounds, 1769860800000000000);
	assert_non_null(metrics);
	options.on_event = duration_metrics__on_event;
	options.on_event_context = metrics;
	stream = stream_with(&options);
	feed_started(stream);
}

static const char *shown(bool is_open)
{
	const struct prometheus_text out = {&text, is_open};

	strbuf__init(&text, SIZE_MAX);
	duration_metrics__put(metrics, &out);
	assert_int_equal(text.err, 0);
	return text.text;
}

static void end(void)
{
	strbuf__free(&text);
	stream__free(stream);
	duration_metrics__free(metrics);
}

static void histograms_and_counters(void **state)
{
	(void)state;
	begin("1us,2us");
	feed_step_taking(stream, "S", 1000, OUTCOME_SUCCESS); /* equal to a bound: within */
	feed_step_taking(stream, "S", 1001, OUTCOME_FAILURE);
	feed_step_taking(stream, "S", 500, OUTCOME_SUCCESS);
	feed_step_taking(stream, "S", 9000, OUTCOME_SUCCESS);
	feed_completed(stream, 3);
	assert_string_equal(
		shown(false),
		"# HELP steptrace_command_duration_seconds How long commands took, without the "
		"time in which they were suspended.\n"
		"# TYPE steptrace_command_duration_seconds histogram\n"
		"steptrace_command_duration_seconds_bucket{command=\"fragment.update\","
		"le=\"1e-06\"} 0\n"
		"steptrace_command_duration_seconds_bucket{command=\"fragment.update\","
		"le=\"2e-06\"} 0\n"
		"steptrace_command_duration_seconds_bucket{command=\"fragment.update\","
		"le=\"+Inf\"} 1\n"
		"steptrace_command_duration_seconds_sum{command=\"fragment.update\"} "
		"1.250800000\n"
		"steptrace_command_duration_seconds_count{command=\"fragment.update\"} 1\n"
		"# HELP steptrace_step_duration_seconds How long steps took, without the time in "
		"which they were suspended.\n"
		"# TYPE steptrace_step_duration_seconds histogram\n"
		"steptrace_step_duration_seconds_bucket{command=\"fragment.update\","
		"step_type=\"S\",le=\"1e-06\"} 2\n"
		"steptrace_step_duration_seconds_bucket{command=\"fragment.update\","
		"step_type=\"S\",le=\"2e-06\"} 3\n"
		"steptrace_step_duration_seconds_bucket{command=\"fragment.update\","
		"step_type=\"S\",le=\"+Inf\"} 4\n"
		"steptrace_step_duration_seconds_sum{command=\"fragment.update\","
		"step_type=\"S\"} 0.000011501\n"
		"steptrace_step_duration_seconds_count{command=\"fragment.update\","
		"step_type=\"S\"} 4\n"
		"# HELP steptrace_commands_ended_total Commands that ended.\n"
		"# TYPE steptrace_commands_ended_total counter\n"
		"steptrace_commands_ended_total{command=\"fragment.update\","
		"outcome=\"success\",error_category=\"none\"} 1\n"
		"# HELP steptrace_steps_ended_total Steps that ended.\n"
		"# TYPE steptrace_steps_ended_total counter\n"
		"steptrace_steps_ended_total{command=\"fragment.update\",step_type=\"S\","
		"outcome=\"success\"} 3\n"
		"steptrace_steps_ended_total{command=\"fragment.update\",step_type=\"S\","
		"outcome=\"failure\"} 1\n");
	assert_null(strstr(written(stream), "command_duration")); /* lines are written as ever */
	end();
}

/* The last execution that a bucket counted. The time is that of the record. */
static void exemplars(void **state)
{
	const char *open;

	(void)state;
	begin("1us");
	feed_step_taking(stream, "S", 1500, OUTCOME_SUCCESS);
	open = shown(true);
	assert_non_null(strstr(open, "le=\"1e-06\"} 0\n"));
	assert_non_null(strstr(open, "le=\"+Inf\"} 1 # {execution_id=\"10111213-1415-1617-1819-"
				     "1a1b1c1d1e1f\"} 0.000001500 1769860805.000\n"));
	assert_non_null(strstr(open, "# TYPE steptrace_steps_ended counter\n"));
	assert_non_null(strstr(open, "\nsteptrace_steps_ended_total{"));
	end();
}

static void label_sets_beyond_the_limit(void **state)
{
	char type[32];

	(void)state;
	begin("1us");
	for (int i = 0; i < DURATION_LABEL_SETS_MAX + 7; i++) {
		snprintf(type, sizeof(type), "Step%d", i);
		feed_step_taking(stream, type, 10, OUTCOME_SUCCESS);
	}
	feed_step_taking(stream, "Step0", 10, OUTCOME_SUCCESS);
	assert_non_null(strstr(shown(false), "step_type=\"Step499\",outcome=\"success\"} 1\n"));
	assert_null(strstr(text.text, "Step500"));
	assert_non_null(strstr(text.text, "{command=\"other\",step_type=\"other\","
					  "outcome=\"other\"} 7\n"));
	assert_non_null(strstr(text.text, "step_type=\"Step0\",outcome=\"success\"} 2\n"));
	assert_non_null(strstr(text.text, "_count{command=\"other\",step_type=\"other\"} 7\n"));
	end();
}

static void foreign_text(void **state)
{
	(void)state;
	begin(NULL);
	feed_step_taking(stream, "a\"b\\c\nd\xff", 10, OUTCOME_SUCCESS);
	assert_non_null(strstr(shown(false), "step_type=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\""));
	assert_non_null(strstr(text.text, "le=\"0.0001\"}"));
	assert_non_null(strstr(text.text, "le=\"300\"}"));
	end();
}

/* A step whose beginning was not seen is counted, and is in no histogram. */
/* A text that fills its member has no zero behind it. What follows is not part of it. */
static void text_that_ends_with_its_member(void **state)
{
	struct step_span step = records__step();

	(void)state;
	begin("1us");
	memset(step.type, 't', sizeof(step.type));
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	assert_non_null(strstr(shown(false),
			       "steptrace_steps_ended_total{command=\"fragment.update\","
			       "step_type=\"tttttttttttttttttttttttttttttttttttttttttttttttt\","
			       "outcome=\"success\"} 1\n"));
	end();
}

static void without_a_duration(void **state)
{
	struct step_span step = records__step();

	(void)state;
	begin("1us");
	step.child.head.start_ns = 0;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
	assert_non_null(strstr(shown(false), "outcome=\"success\"} 1\n"));
	assert_non_null(strstr(text.text, "_count{command=\"fragment.update\","
					  "step_type=\"DatabaseUpdateStep\"} 0\n"));
	end();
}

static void bounds_that_are_none(void **state)
{
	static const char *const texts[] = {
		"",        "1ms,", "x",        "1ms,1ms",
		"2ms,1ms", "0",    "1ms,,2ms", "100000000000000000000000000000000000000s"};
	struct duration_bounds bounds;
	struct error err;
	char many[512] = "1us";

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(duration_bounds__parse(texts[i], &bounds, &err), -EINVAL);
	for (int i = 2; i <= DURATION_BOUNDS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",%dus", i);
	assert_int_equal(duration_bounds__parse(many, &bounds, &err), 0);
	assert_int_equal(bounds.count, DURATION_BOUNDS_MAX);
	strcat(many, ",1s");
	assert_int_equal(duration_bounds__parse(many, &bounds, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histograms_and_counters),
		cmocka_unit_test(exemplars),
		cmocka_unit_test(label_sets_beyond_the_limit),
		cmocka_unit_test(foreign_text),
		cmocka_unit_test(text_that_ends_with_its_member),
		cmocka_unit_test(without_a_duration),
		cmocka_unit_test(bounds_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
