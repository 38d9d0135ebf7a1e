// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "steptrace/output/batch.h"
#include "steptrace/stream/open_steps.h"
#include "steptrace/stream/stream.h"

static uint64_t last_lost_ns[PROBES_COUNT];

static struct stream *new_stream(void)
{
	struct stream_options options = {.format = FORMAT_JSON,
					 .clock = {.realtime_ns = 1769860800000000000},
					 .last_lost_ns = last_lost_ns};
	struct stream *stream = NULL;

	memset(last_lost_ns, 0, sizeof(last_lost_ns));
	assert_int_equal(stream__new(&options, &stream), 0);
	return stream;
}

static void feed(struct stream *stream, struct record_bytes bytes, uint64_t time_ns)
{
	((struct steptrace_record *)bytes.bytes)->time_ns = time_ns;
	assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
}

static void start_command(struct stream *stream, uint64_t time_ns)
{
	struct command_span command = records__command();

	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)), time_ns);
}

static void feed_step(struct stream *stream, enum steptrace_probe probe, uint8_t id,
		      uint64_t time_ns)
{
	struct step_span step = records__step();

	records__id(step.step_id, id);
	feed(stream, records__plain(probe, &step, sizeof(step)), time_ns);
}

static struct termination died(uint32_t status, uint64_t time_ns)
{
	const struct process_end end = {
		.record = {.pid = RECORD_PID,
			   .tid = RECORD_PID,
			   .time_ns = time_ns,
			   .probe = PROCESS_ENDED},
		.status = status,
	};
	struct termination termination;

	assert_int_equal(termination__of_record(&end, sizeof(end), &termination), 0);
	return termination;
}

/* The lines about what was aborted. */
static char *aborted_lines(struct stream *stream, uint32_t status, uint64_t time_ns)
{
	struct termination termination = died(status, time_ns);
	struct json *lines = &stream__lines(stream)->text;

	lines__clear(stream__lines(stream));
	stream__abort_process(stream, &termination);
	assert_int_equal(json__reserve(lines, 1), 0);
	*lines->at = 0;
	return lines->base;
}

static int count(const char *text, const char *word)
{
	int times = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		times++;
	}
	return times;
}

static void open_steps_and_their_command(void **state)
{
	struct stream *stream = new_stream();
	const char *lines;

	(void)state;
	start_command(stream, 1000000);
	feed_step(stream, PROBE_STEP_START, 0x20, 2000000);
	feed_step(stream, PROBE_STEP_DONE, 0x20, 2500000);
	feed_step(stream, PROBE_STEP_START, 0x40, 3000000);
	feed_step(stream, PROBE_STEP_START, 0x60, 4000000);
	lines = aborted_lines(stream, 9, 10000000);
	assert_int_equal(count(lines, "\n"), 3);
	assert_int_equal(count(lines, "\"outcome\":\"aborted\""), 3);
	/* innermost first: from its start to the end */
	assert_non_null(strstr(lines, "\"step_id\":\"60616263-"));
	assert_true(strstr(lines, "\"step_id\":\"60616263-") <
		    strstr(lines, "\"step_id\":\"40414243-"));
	assert_int_equal(count(lines, "\"duration_ms\":6,"), 1);
	assert_int_equal(count(lines, "\"duration_ms\":7,"), 1);
	assert_non_null(strstr(lines, "\"total_duration_ms\":9,\"steps_executed\":3,"
				      "\"steps_successful\":1,\"steps_failed\":0"));
	assert_non_null(strstr(lines,
			       "\"complete\":true,\"steps_lost\":0,\"steps_skipped\":0,"
			       "\"aborted\":{\"cause\":\"signal\","
			       "\"signal\":9,\"signal_name\":\"SIGKILL\",\"core_dumped\":false,"
			       "\"oom_killed\":false,\"open_steps\":2,\"step\":{\"step_id\":"
			       "\"60616263-6465-6667-6869-6a6b6c6d6e6f\",\"step_type\":"
			       "\"DatabaseUpdateStep\",\"name\":\"set-title\",\"index\":1}}}\n"));
	/* no boundary made them */
	assert_int_equal(stream__events_total(stream), 5);
	assert_int_equal(stream__events_of_boundaries(stream), 2);
	/* and there is nothing open any more */
	assert_int_equal(count(aborted_lines(stream, 9, 11000000), "\n"), 0);
	stream__free(stream);
}

static void other_processes_go_on(void **state)
{
	struct stream *stream = new_stream();
	struct termination termination = died(0, 9000000);

	(void)state;
	start_command(stream, 1000000);
	termination.record.pid++;
	lines__clear(stream__lines(stream));
	stream__abort_process(stream, &termination);
	assert_int_equal(lines__bytes(stream__lines(stream)), 0);
	assert_int_equal(count(aborted_lines(stream, 0x300, 9000000), "\"exit_status\":3"), 1);
	stream__free(stream);
}

/* The end of the command may be what was lost. */
static void what_may_have_ended_is_not_claimed(void **state)
{
	struct stream *stream = new_stream();

	(void)state;
	start_command(stream, 1000000);
	last_lost_ns[PROBE_COMMAND_DONE] = 2000000;
	assert_int_equal(count(aborted_lines(stream, 9, 9000000), "\n"), 0);

	start_command(stream, 1000000);
	feed_step(stream, PROBE_STEP_DONE, 0x20, 2000001); /* it lived on after the loss */
	assert_int_equal(count(aborted_lines(stream, 9, 9000000), "\n"), 1);

	last_lost_ns[PROBE_COMMAND_DONE] = 0; /* a loss that only the tracer knows of */
	start_command(stream, 1000000);
	stream__add_loss(stream, EVENT_COMMAND_COMPLETED, LOSS_MISSED, 1);
	assert_int_equal(count(aborted_lines(stream, 9, 9000000), "\n"), 0);

	start_command(stream, 1000000); /* it began after that loss */
	assert_int_equal(count(aborted_lines(stream, 9, 9000000), "\n"), 1);
	stream__free(stream);
}

/* A step that began after the last lost end is surely open, and so is its command. */
static void a_step_without_doubt(void **state)
{
	struct stream *stream = new_stream();
	const char *lines;

	(void)state;
	start_command(stream, 1000000);
	feed_step(stream, PROBE_STEP_START, 0x20, 2000000);
	feed_step(stream, PROBE_STEP_START, 0x40, 4000000);
	last_lost_ns[PROBE_STEP_DONE] = 3000000;
	lines = aborted_lines(stream, 9, 9000000);
	assert_int_equal(count(lines, "\n"), 2);
	assert_int_equal(count(lines, "\"open_steps\":1"), 1);
	assert_int_equal(count(lines, "\"complete\":false,\"steps_lost\":null"), 1);
	stream__free(stream);
}

static void lines_that_cannot_be_written(void **state)
{
	struct line_counts lost = {.events = {0}};
	struct stream *stream = new_stream();
	struct batch *batch;

	(void)state;
	start_command(stream, 1000000);
	feed_step(stream, PROBE_STEP_START, 0x20, 2000000);
	aborted_lines(stream, 9, 9000000);
	assert_int_equal(stream__events_total(stream), 3);
	batch = batch__take(stream);
	assert_non_null(batch);
	line_counts__count(&lost, &batch->lines, 0);
	batch__let_go(batch);
	assert_int_equal(lost.events[EVENT_STEP_EXECUTED], 0); /* nothing is owed for them */
	assert_int_equal(lost.aborted[EVENT_STEP_EXECUTED], 1);
	assert_int_equal(lost.aborted[EVENT_COMMAND_COMPLETED], 1);
	stream__free(stream);
}

/* A runner that never ends its steps: the newest are known, and memory is bounded. */
static void steps_without_end(void **state)
{
	struct stream *stream = new_stream();
	struct step_span step = records__step();
	const char *lines;

	(void)state;
	start_command(stream, 1000000);
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(step.step_id, &i, sizeof(i));
		feed(stream, records__plain(PROBE_STEP_START, &step, sizeof(step)), 2000000 + i);
	}
	lines = aborted_lines(stream, 9, 9000000);
	assert_int_equal(count(lines, "dsl.step.executed"), OPEN_STEPS_PER_EXECUTION);
	assert_int_equal(count(lines, "\"complete\":false"), 1);
	assert_int_equal(count(lines, "\"steps_lost\":null"), 1);
	stream__free(stream);
}

static void words_for_every_fate(void **state)
{
	static const struct {
		uint32_t status;
		const char *text;
	} rows[] = {{0, "exit status 0"},
		    {0x2a00, "exit status 42"},
		    {9, "SIGKILL"},
		    {0x8b, "SIGSEGV"},
		    {64, "SIG64"}};
	char text[TERMINATION_TEXT_BYTES];
	struct termination termination;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		termination = died(rows[i].status, 1);
		termination__text(&termination, text);
		assert_string_equal(text, rows[i].text);
	}
	termination = died(0x8b, 1);
	assert_true(termination.core_dumped);
	termination = termination__vanished(7, 1);
	termination__text(&termination, text);
	assert_string_equal(text, "gone");
	assert_int_equal(termination__of_record("", 0, &termination), -EBADMSG);
}

static void killed_for_want_of_memory(void **state)
{
	const struct process_end end = {
		.record = {.pid = 1, .probe = PROCESS_ENDED}, .status = 9, .oom_killed = 1};
	char text[TERMINATION_TEXT_BYTES];
	struct termination termination;

	(void)state;
	assert_int_equal(termination__of_record(&end, sizeof(end), &termination), 0);
	assert_true(termination.oom_killed);
	termination__text(&termination, text);
	assert_string_equal(text, "SIGKILL, out of memory");
	assert_int_equal(termination__of_record(&end, sizeof(end) - 1, &termination), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_steps_and_their_command),
		cmocka_unit_test(other_processes_go_on),
		cmocka_unit_test(what_may_have_ended_is_not_claimed),
		cmocka_unit_test(a_step_without_doubt),
		cmocka_unit_test(lines_that_cannot_be_written),
		cmocka_unit_test(steps_without_end),
		cmocka_unit_test(words_for_every_fate),
		cmocka_unit_test(killed_for_want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
