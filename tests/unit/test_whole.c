// SPDX-License-Identifier: BSD-2-Clause
/* Tail sampling (--whole): which executions are written, and that they are whole or absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_REQUIRE(condition) assert_true(condition)
#include "stream_fixture.h"
#include "whole_check.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

enum { PARENT_PID = 100, CHILD_PID = 101 };

/* ---- conditions */

static void conditions_of_the_command_line(void **state)
{
	static const struct {
		const char *list;
		unsigned int conditions;
		uint64_t slower_ns;
	} good[] = {
		{"failed", WHOLE_FAILED, 0},
		{"aborted,failed", WHOLE_FAILED | WHOLE_ABORTED, 0},
		{"slower:250ms", WHOLE_SLOWER, 250 * MS},
		{"failed,slower:2,aborted", WHOLE_FAILED | WHOLE_SLOWER | WHOLE_ABORTED, 2 * S},
	};
	static const char *const bad[] = {
		"",
		"fail",
		"failed,",
		",failed",
		"failed:1s",
		"slower",
		"slower:",
		"slower:fast",
		"slower:0",
		"slower:1s,slower:2s",
		"sample",
		"early",
		"failed aborted",
		"slower:1s:2s",
		"slower:0000000000000000000000000000000000000001s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct whole whole = {.conditions = 0};
		struct error err = {""};

		assert_int_equal(whole__parse(&whole, good[i].list, &err), 0);
		assert_int_equal(whole.conditions, good[i].conditions);
		assert_int_equal(whole.slower_ns, good[i].slower_ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct whole whole = {.conditions = 0};
		struct error err = {""};

		if (whole__parse(&whole, bad[i], &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_memory_equal(err.text, "--whole", 7);
	}
}

static void conditions_are_added(void **state)
{
	struct whole whole = {.conditions = 0};
	struct error err;

	(void)state;
	assert_int_equal(whole__parse(&whole, "slower:1s", &err), 0);
	assert_int_equal(whole__parse(&whole, "failed,slower:1000ms", &err), 0);
	assert_int_equal(whole.conditions, WHOLE_FAILED | WHOLE_SLOWER);
	assert_int_equal(whole.slower_ns, S);
}

/* ---- records of several executions: each has its number in its id */

static uint64_t now_ns;

static struct record_bytes at_a_time_of_its_own(struct record_bytes bytes, uint32_t pid)
{
	return records__at(records__from(bytes, pid), now_ns += MS);
}

static void begin(struct stream *stream, uint8_t number, uint32_t pid)
{
	struct command_span command = records__command();

	records__id(command.head.execution_id, number);
	command.announced_ns = now_ns;
	feed(stream,
	     at_a_time_of_its_own(
		     records__introducing(PROBE_COMMAND_START, &command, sizeof(command)), pid));
}

static struct step_span step_of(uint8_t number)
{
	struct step_span step = records__step();

	records__id(step.child.head.execution_id, number);
	return step;
}

static void step(struct stream *stream, uint8_t number, uint32_t pid)
{
	struct step_span span = step_of(number);

	feed(stream,
	     at_a_time_of_its_own(records__plain(PROBE_STEP_DONE, &span, sizeof(span)), pid));
}

/* A step of an execution that the stream may not know. */
static void step_with_context(struct stream *stream, uint8_t number, uint32_t pid,
			      uint64_t announced_ns)
{
	struct command_span command = records__command();
	struct step_span span = step_of(number);

	records__id(command.head.execution_id, number);
	command.head.start_ns = command.announced_ns = announced_ns;
	feed(stream,
	     at_a_time_of_its_own(
		     records__with_context(PROBE_STEP_DONE, &span, sizeof(span), &command), pid));
}

static void end(struct stream *stream, uint8_t number, uint32_t pid, uint8_t outcome,
		uint64_t duration_ns)
{
	struct command_span command = records__command_done(1);

	records__id(command.head.execution_id, number);
	command.outcome = outcome;
	command.head.start_ns = duration_ns ? S : 0;
	command.head.end_ns = duration_ns ? S + duration_ns : 0;
	feed(stream, at_a_time_of_its_own(
			     records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)), pid));
}

static void reject(struct stream *stream, uint8_t number, uint32_t pid)
{
	struct rejected_span rejected = records__rejected();

	records__id(rejected.head.execution_id, number);
	feed(stream, at_a_time_of_its_own(records__introducing(PROBE_COMMAND_REJECTED, &rejected,
							       sizeof(rejected)),
					  pid));
}

static void end_process(struct stream *stream, uint32_t pid, enum termination_cause cause,
			bool is_fork)
{
	struct termination termination = {.record = {.time_ns = now_ns += MS, .pid = pid},
					  .cause = cause,
					  .is_fork = is_fork};

	stream__abort_process(stream, &termination);
}

/* Begin, one step, end. */
static void run(struct stream *stream, uint8_t number, uint8_t outcome, uint64_t duration_ns)
{
	begin(stream, number, PARENT_PID);
	step(stream, number, PARENT_PID);
	end(stream, number, PARENT_PID, outcome, duration_ns);
}

static struct stream *whole_stream(struct whole whole)
{
	struct stream_options options = options_for(FORMAT_JSON);

	now_ns = 100 * S;
	options.whole = whole;
	options.whole.hold_bytes = whole.hold_bytes ? whole.hold_bytes : 1 << 20;
	return stream_with(&options);
}

static struct stream *failures_stream(void)
{
	return whole_stream((struct whole){.conditions = WHOLE_FAILED});
}

/* The lines since the last time: a letter for each of this execution, in their order. */
static const char *story(const char *lines, uint8_t number)
{
	static char letters[64];
	char id[64];
	size_t count = 0;

	snprintf(id, sizeof(id), "\"execution_id\":\"%02x%02x%02x%02x-", number, number + 1,
		 number + 2, number + 3);
	for (const char *at = lines; *at; at = strchr(at, '\n') + 1) {
		size_t bytes = strcspn(at, "\n");

		if (memmem(at, bytes, id, strlen(id)))
			letters[count++] = memmem(at, bytes, "started", 7)       ? 'b'
					   : memmem(at, bytes, "step.exec", 9)   ? 's'
					   : memmem(at, bytes, "completed", 9)   ? 'e'
					   : memmem(at, bytes, "validation", 10) ? 'r'
										 : '?';
	}
	letters[count] = 0;
	return letters;
}

static void expect_story(struct stream *stream, uint8_t number, const char *expected)
{
	const char *lines = written(stream);

	assert_string_equal(story(lines, number), expected);
}

static uint64_t events_of(const struct stream *stream)
{
	return stream__events_of_boundaries(stream);
}

static uint64_t filtered_of(const struct stream *stream)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		sum += stream__counts(stream)->filtered[kind];
	return sum;
}

static void expect_counts(struct stream *stream, uint64_t events, uint64_t filtered, uint64_t held)
{
	assert_int_equal(events_of(stream), events);
	assert_int_equal(filtered_of(stream), filtered);
	assert_int_equal(stream__held(stream)->events, held);
	assert_int_equal(lost_at_all(stream), 0);
}

static void expect_executions(struct stream *stream, struct whole_counts expected)
{
	const struct whole_counts *counts = stream__whole_counts(stream);

	assert_int_equal(counts->written, expected.written);
	assert_int_equal(counts->left_out, expected.left_out);
	assert_int_equal(counts->early, expected.early);
	assert_int_equal(counts->unfinished, expected.unfinished);
}

/* ---- which executions are written */

static void what_an_execution_has_to_meet(void **state)
{
	static const struct {
		unsigned int conditions;
		uint8_t outcome;
		uint64_t duration_ns;
		const char *selected_by; /* NULL: it is left out */
	} cases[] = {
		{WHOLE_FAILED, OUTCOME_FAILURE, MS, "[\"failed\"]"},
		{WHOLE_FAILED, OUTCOME_SUCCESS, MS, NULL},
		{WHOLE_FAILED, OUTCOME_CANCELLED, MS, NULL},
		{WHOLE_FAILED, OUTCOME_ABORTED, MS, NULL},
		{WHOLE_ABORTED, OUTCOME_ABORTED, MS, "[\"aborted\"]"},
		{WHOLE_ABORTED, OUTCOME_FAILURE, MS, NULL},
		{WHOLE_SLOWER, OUTCOME_SUCCESS, 250 * MS, "[\"slower\"]"},
		{WHOLE_SLOWER, OUTCOME_SUCCESS, 250 * MS - 1, NULL},
		{WHOLE_FAILED | WHOLE_SLOWER, OUTCOME_FAILURE, S, "[\"failed\",\"slower\"]"},
		{WHOLE_FAILED | WHOLE_ABORTED, OUTCOME_SUCCESS, S, NULL},
		{WHOLE_SLOWER, OUTCOME_SUCCESS, 0, NULL}, /* open for 2 ms, as far as it is known */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream *stream = whole_stream(
			(struct whole){.conditions = cases[i].conditions, .slower_ns = 250 * MS});
		const char *lines;
		char member[64];

		run(stream, 0x10, cases[i].outcome, cases[i].duration_ns);
		lines = written(stream);
		snprintf(member, sizeof(member), ",\"selected_by\":%s}\n",
			 cases[i].selected_by ? cases[i].selected_by : "-");
		assert_string_equal(story(lines, 0x10), cases[i].selected_by ? "bse" : "");
		assert_int_equal(strstr(lines, member) != NULL, cases[i].selected_by != NULL);
		expect_counts(stream, cases[i].selected_by ? 3 : 0, cases[i].selected_by ? 0 : 3,
			      0);
		stream__free(stream);
	}
}

/* A duration that is not known is at least the time since the first event. */
static void slower_without_a_duration(void **state)
{
	struct stream *stream =
		whole_stream((struct whole){.conditions = WHOLE_SLOWER, .slower_ns = 2 * MS});

	(void)state;
	run(stream, 0x10, OUTCOME_SUCCESS, 0);
	expect_story(stream, 0x10, "bse");
	stream__free(stream);
}

static void count_event(void *context, const struct event *event)
{
	(void)event;
	++*(int *)context;
}

static void nothing_is_written_before_the_end(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;
	int told = 0;

	(void)state;
	options.whole = (struct whole){.conditions = WHOLE_FAILED, .hold_bytes = 1 << 16};
	options.on_event = count_event;
	options.on_event_context = &told;
	stream = stream_with(&options);
	begin(stream, 0x10, PARENT_PID);
	step(stream, 0x10, PARENT_PID);
	begin(stream, 0x20, PARENT_PID);
	expect_story(stream, 0x10, "");
	expect_counts(stream, 0, 0, 3);
	assert_int_equal(told, 3); /* --metrics counts events when they happen */
	end(stream, 0x10, PARENT_PID, OUTCOME_FAILURE, MS);
	expect_story(stream, 0x10, "bse");
	end(stream, 0x20, PARENT_PID, OUTCOME_SUCCESS, MS);
	expect_story(stream, 0x20, "");
	expect_counts(stream, 3, 2, 0);
	expect_executions(stream, (struct whole_counts){.written = 1, .left_out = 1});
	assert_int_equal(told, 5);
	stream__free(stream);
}

static void each_execution_by_itself(void **state)
{
	struct stream *stream = failures_stream();
	struct command_span child = records__command();

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	records__id(child.head.execution_id, 0x40);
	records__id(child.parent_execution_id, 0x10);
	feed(stream,
	     at_a_time_of_its_own(records__introducing(PROBE_COMMAND_START, &child, sizeof(child)),
				  PARENT_PID));
	end(stream, 0x40, PARENT_PID, OUTCOME_FAILURE, MS);
	expect_story(stream, 0x40, "be");
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	expect_story(stream, 0x10, "");
	stream__free(stream);
}

static void the_sample_is_written_at_once(void **state)
{
	struct stream *stream =
		whole_stream((struct whole){.conditions = WHOLE_FAILED, .sample_every = 1});

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	expect_story(stream, 0x10, "b");
	step(stream, 0x10, PARENT_PID);
	expect_counts(stream, 2, 0, 0);
	written(stream);
	end(stream, 0x10, PARENT_PID, OUTCOME_FAILURE, MS);
	assert_non_null(strstr(written(stream), ",\"selected_by\":[\"failed\",\"sample\"]}\n"));
	reject(stream, 0x20, PARENT_PID);
	expect_counts(stream, 4, 0, 0);
	expect_executions(stream, (struct whole_counts){.written = 1});
	stream__free(stream);
}

/* The stream and the BPF programs select the same ones. */
static void one_in_so_many(void **state)
{
	struct whole whole = {.conditions = WHOLE_FAILED, .sample_every = 7};
	int selected = 0;

	(void)state;
	for (uint64_t i = 1; i <= 7000; i++) {
		uint64_t id[2] = {i * 0x9e3779b97f4a7c15, i * 0xbf58476d1ce4e5b9};

		assert_int_equal(whole__samples(&whole, (const uint8_t *)id),
				 sample__selects(id[0], id[1], 7));
		selected += whole__samples(&whole, (const uint8_t *)id);
	}
	assert_in_range(selected, 800, 1200);
	whole.sample_every = 0;
	assert_false(whole__samples(&whole, (const uint8_t *)"0123456789abcdef"));
}

/* ---- rejections */

static void a_rejection_is_a_failure(void **state)
{
	(void)state;
	for (int is_failed = 0; is_failed < 2; is_failed++) {
		struct stream *stream = whole_stream(
			(struct whole){.conditions = is_failed ? WHOLE_FAILED : WHOLE_ABORTED});

		reject(stream, 0x10, PARENT_PID); /* before it began */
		expect_story(stream, 0x10, is_failed ? "r" : "");
		begin(stream, 0x20, PARENT_PID);
		reject(stream, 0x20, PARENT_PID); /* while it ran */
		expect_story(stream, 0x20, "");
		end(stream, 0x20, PARENT_PID, OUTCOME_FAILURE, MS);
		expect_story(stream, 0x20, is_failed ? "bre" : "");
		begin(stream, 0x40, PARENT_PID); /* whatever its end is */
		reject(stream, 0x40, PARENT_PID);
		end(stream, 0x40, PARENT_PID, OUTCOME_SUCCESS, MS);
		expect_story(stream, 0x40, is_failed ? "bre" : "");
		begin(stream, 0x30, PARENT_PID); /* by a runner that reports no other end */
		reject(stream, 0x30, PARENT_PID);
		end_process(stream, PARENT_PID, TERMINATION_EXITED, false);
		/* no end of it is seen, so it may meet a condition */
		expect_story(stream, 0x30, "br");
		stream__free(stream);
	}
}

/* The rejection of a command that continued in a forked child belongs to the command. */
static void a_rejection_by_another_process(void **state)
{
	struct stream *stream = whole_stream((struct whole){.conditions = WHOLE_ABORTED});

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	reject(stream, 0x10, CHILD_PID);
	expect_counts(stream, 0, 0, 2);
	end_process(stream, PARENT_PID, TERMINATION_KILLED, false);
	expect_story(stream, 0x10, "bre");
	stream__free(stream);
}

/* ---- processes that end */

static void aborted_executions(void **state)
{
	(void)state;
	for (int is_wanted = 0; is_wanted < 2; is_wanted++) {
		struct stream *stream = whole_stream(
			(struct whole){.conditions = is_wanted ? WHOLE_ABORTED : WHOLE_FAILED});
		struct step_span open = step_of(0x10);

		begin(stream, 0x10, PARENT_PID);
		step(stream, 0x10, PARENT_PID);
		records__id(open.step_id, 0x77);
		feed(stream,
		     at_a_time_of_its_own(records__plain(PROBE_STEP_START, &open, sizeof(open)),
					  PARENT_PID));
		end_process(stream, PARENT_PID, TERMINATION_KILLED, false);
		expect_story(stream, 0x10, is_wanted ? "bsse" : "");
		expect_counts(stream, is_wanted ? 2 : 0, is_wanted ? 0 : 2, 0);
		assert_int_equal(stream__events_total(stream), is_wanted ? 4 : 0);
		stream__free(stream);
	}
}

/* A forked child ends a step after the end of the command. Its event follows the others. */
static void an_event_after_the_end(void **state)
{
	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		struct stream *stream = failures_stream();

		begin(stream, 0x10, PARENT_PID);
		end(stream, 0x10, PARENT_PID, fails ? OUTCOME_FAILURE : OUTCOME_SUCCESS, MS);
		step_with_context(stream, 0x10, CHILD_PID, 0);
		end_process(stream, CHILD_PID, TERMINATION_EXITED, true);
		expect_story(stream, 0x10, fails ? "bes" : "");
		expect_counts(stream, fails ? 3 : 0, fails ? 0 : 3, 0);
		stream__free(stream);
	}
}

/* Only a forked child of a command was seen, which then exits. Its parent may go on with the
 * command. */
static void an_end_that_is_not_certain(void **state)
{
	struct stream *stream = failures_stream();

	(void)state;
	step_with_context(stream, 0x10, CHILD_PID, 5);
	end_process(stream, CHILD_PID, TERMINATION_EXITED, true);
	expect_story(stream, 0x10, "s");
	step_with_context(stream, 0x10, PARENT_PID, 5);
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	assert_non_null(strstr(written(stream), "\"complete\":false"));
	expect_counts(stream, 3, 0, 0);
	expect_executions(stream, (struct whole_counts){.written = 1, .early = 1});
	begin(stream, 0x20, PARENT_PID); /* later executions are held as before */
	expect_story(stream, 0x20, "");
	stream__free(stream);
}

static void the_start_was_not_seen(void **state)
{
	struct stream *stream = failures_stream();

	(void)state;
	step_with_context(stream, 0x10, PARENT_PID, 0);
	step_with_context(stream, 0x20, PARENT_PID, 0);
	expect_counts(stream, 0, 0, 2);
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	end(stream, 0x20, PARENT_PID, OUTCOME_FAILURE, MS);
	expect_story(stream, 0x20, "se");
	expect_counts(stream, 2, 2, 0);
	stream__free(stream);
}

/* ---- full memory and full tables */

static void the_oldest_is_written_when_the_memory_is_full(void **state)
{
	struct stream *stream = whole_stream(
		(struct whole){.conditions = WHOLE_FAILED, .hold_bytes = 4 * HELD_BLOCK_BYTES});

	(void)state;
	for (uint8_t number = 0x10; number < 0x14; number++)
		begin(stream, number, PARENT_PID);
	assert_false(stream__hold_was_full(stream));
	expect_counts(stream, 0, 0, 4);
	begin(stream, 0x14, PARENT_PID);
	assert_true(stream__hold_was_full(stream));
	expect_story(stream, 0x10, "b");
	expect_counts(stream, 1, 0, 4);
	step(stream, 0x10, PARENT_PID); /* from now on it is written at once */
	expect_story(stream, 0x10, "s");
	end(stream, 0x11, PARENT_PID, OUTCOME_FAILURE, MS);
	expect_story(stream, 0x11, "be");
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	assert_non_null(strstr(written(stream), ",\"selected_by\":[\"early\"]}\n"));
	expect_executions(stream, (struct whole_counts){.written = 2, .early = 1});
	stream__free(stream);
}

/* One execution alone needs more memory than there is. */
static void an_execution_that_is_too_large(void **state)
{
	struct stream *stream = whole_stream(
		(struct whole){.conditions = WHOLE_FAILED, .hold_bytes = 2 * HELD_BLOCK_BYTES});

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	for (int i = 0; i < 20; i++)
		step(stream, 0x10, PARENT_PID);
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	expect_story(stream, 0x10, "bsssssssssssssssssssse");
	expect_counts(stream, 22, 0, 0);
	stream__free(stream);
}

/* An execution that the stream drops because too many are open is written, also what follows. */
static void more_executions_than_the_stream_keeps(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;
	uint64_t announced_ns;

	(void)state;
	options.whole = (struct whole){.conditions = WHOLE_FAILED, .hold_bytes = 1 << 20};
	options.executions_limit = 2;
	stream = stream_with(&options);
	now_ns = 100 * S;
	announced_ns = now_ns;
	begin(stream, 0x10, PARENT_PID);
	begin(stream, 0x20, PARENT_PID);
	begin(stream, 0x30, PARENT_PID);
	assert_int_equal(stream__forgotten(stream), 1);
	expect_story(stream, 0x10, "b");
	end(stream, 0x30, PARENT_PID, OUTCOME_SUCCESS, MS);
	step_with_context(stream, 0x10, PARENT_PID, announced_ns);
	expect_story(stream, 0x10, "s");
	end(stream, 0x20, PARENT_PID, OUTCOME_SUCCESS, MS);
	expect_story(stream, 0x20, "");
	stream__free(stream);
}

/* The runner wrote a time that has not come yet. Executions that begin later are held as before. */
static void an_early_one_from_the_future(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;

	(void)state;
	options.whole = (struct whole){.conditions = WHOLE_FAILED, .hold_bytes = 1 << 20};
	options.executions_limit = 2;
	stream = stream_with(&options);
	now_ns = 100 * S;
	step_with_context(stream, 0x10, PARENT_PID, UINT64_MAX);
	begin(stream, 0x20, PARENT_PID);
	begin(stream, 0x30, PARENT_PID);
	assert_int_equal(stream__forgotten(stream), 1);
	expect_story(stream, 0x10, "s");
	end(stream, 0x30, PARENT_PID, OUTCOME_SUCCESS, MS);
	step_with_context(stream, 0x40, PARENT_PID, now_ns);
	expect_story(stream, 0x40, "");
	stream__free(stream);
}

/* The same command begins once more, so the first end was not seen. */
static void a_command_that_begins_twice(void **state)
{
	struct stream *stream = failures_stream();

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	begin(stream, 0x10, PARENT_PID);
	expect_story(stream, 0x10, "b");
	end(stream, 0x10, PARENT_PID, OUTCOME_SUCCESS, MS);
	expect_story(stream, 0x10, "");
	expect_counts(stream, 1, 2, 0);
	stream__free(stream);
}

/* ---- the end of the recording */

static void what_is_open_at_the_end(void **state)
{
	struct stream *stream =
		whole_stream((struct whole){.conditions = WHOLE_SLOWER, .slower_ns = S});
	const char *lines;

	(void)state;
	begin(stream, 0x10, PARENT_PID);
	now_ns += S;
	begin(stream, 0x20, PARENT_PID);
	step_with_context(stream, 0x30, PARENT_PID, 7); /* it began long ago, the runner says */
	stream__end(stream, now_ns + MS);
	lines = written(stream);
	assert_string_equal(story(lines, 0x10), "b");
	assert_string_equal(story(lines, 0x20), "");
	assert_string_equal(story(lines, 0x30), "s");
	expect_counts(stream, 2, 1, 0);
	expect_executions(stream,
			  (struct whole_counts){.written = 2, .left_out = 1, .unfinished = 1});
	stream__free(stream);
}

/* --count: the last execution is whole, and nothing follows. */
static void the_limit_of_events(void **state)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct stream *stream;
	const char *lines;

	(void)state;
	options.whole = (struct whole){
		.conditions = WHOLE_FAILED | WHOLE_SLOWER, .slower_ns = 1, .hold_bytes = 1 << 20};
	options.events_limit = 2;
	stream = stream_with(&options);
	begin(stream, 0x20, PARENT_PID);
	begin(stream, 0x30, CHILD_PID);
	run(stream, 0x10, OUTCOME_FAILURE, MS);
	expect_story(stream, 0x10, "bse");
	step(stream, 0x20, PARENT_PID);
	end_process(stream, PARENT_PID, TERMINATION_KILLED, false);
	stream__end(stream, now_ns + S);
	lines = written(stream);
	assert_string_equal(story(lines, 0x20), "");
	assert_string_equal(story(lines, 0x30), "");
	expect_counts(stream, 3, 3, 0);
	stream__free(stream);
}

/* ---- at random */

static uint64_t random_state = 42;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

struct pair {
	struct stream *plain, *whole;
};

/* The same random event into both streams: of one of a few executions, which belong to one of a few
 * processes. */
static void random_event(const struct pair *pair)
{
	uint8_t number = (uint8_t)(draw(24) * 8);
	uint32_t pid = PARENT_PID + number % 5;
	uint64_t kind = draw(20), seed = now_ns, duration_ns = draw(4) * MS;
	uint8_t outcome = (uint8_t)(1 + draw(5));
	struct stream *const both[] = {pair->plain, pair->whole};

	for (int i = 0; i < 2; i++) {
		struct stream *stream = both[i];

		now_ns = seed;
		if (kind < 5)
			begin(stream, number, pid);
		else if (kind < 12)
			step(stream, number, pid);
		else if (kind < 13)
			step_with_context(stream, number, pid + (uint32_t)outcome / 4, duration_ns);
		else if (kind < 14)
			reject(stream, number, pid);
		else if (kind < 19)
			end(stream, number, pid, outcome, duration_ns);
		else if (outcome == 1)
			end_process(stream, pid, TERMINATION_KILLED, false);
	}
}

static void every_execution_is_whole_or_absent(void **state)
{
	size_t executions = 0, early = 0;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct whole whole = {.conditions = 1 + (unsigned int)draw(7),
				      .slower_ns = 2 * MS,
				      .sample_every = (uint32_t)draw(4),
				      .hold_bytes = (2 + draw(40)) * HELD_BLOCK_BYTES};
		struct stream_options options = options_for(FORMAT_JSON);
		struct pair pair;

		options.executions_limit = draw(3) ? 0 : 10;
		pair.plain = stream_with(&options);
		pair.whole = whole_stream(whole);
		options.whole = whole;
		stream__free(pair.whole);
		pair.whole = stream_with(&options);
		for (int i = 0; i < 600; i++) {
			random_event(&pair);
			assert_int_equal(hits_of(pair.plain), hits_of(pair.whole));
			assert_true(stream__held(pair.whole)->bytes <= whole.hold_bytes);
		}
		stream__end(pair.whole, now_ns);
		assert_int_equal(stream__held(pair.whole)->events, 0);
		assert_int_equal(hits_of(pair.plain), hits_of(pair.whole));
		executions += whole_check(pair.plain, pair.whole);
		early += stream__whole_counts(pair.whole)->early;
		stream__free(pair.plain);
		stream__free(pair.whole);
	}
	assert_true(executions > 500);
	assert_true(early > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_of_the_command_line),
		cmocka_unit_test(conditions_are_added),
		cmocka_unit_test(what_an_execution_has_to_meet),
		cmocka_unit_test(slower_without_a_duration),
		cmocka_unit_test(nothing_is_written_before_the_end),
		cmocka_unit_test(each_execution_by_itself),
		cmocka_unit_test(the_sample_is_written_at_once),
		cmocka_unit_test(one_in_so_many),
		cmocka_unit_test(a_rejection_is_a_failure),
		cmocka_unit_test(a_rejection_by_another_process),
		cmocka_unit_test(aborted_executions),
		cmocka_unit_test(an_event_after_the_end),
		cmocka_unit_test(an_end_that_is_not_certain),
		cmocka_unit_test(the_start_was_not_seen),
		cmocka_unit_test(the_oldest_is_written_when_the_memory_is_full),
		cmocka_unit_test(an_execution_that_is_too_large),
		cmocka_unit_test(more_executions_than_the_stream_keeps),
		cmocka_unit_test(an_early_one_from_the_future),
		cmocka_unit_test(a_command_that_begins_twice),
		cmocka_unit_test(what_is_open_at_the_end),
		cmocka_unit_test(the_limit_of_events),
		cmocka_unit_test(every_execution_is_whole_or_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
