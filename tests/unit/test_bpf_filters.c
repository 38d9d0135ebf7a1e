// SPDX-License-Identifier: BSD-2-Clause
/* bpf/match.bpf.h: which processes and spans pass the filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "kernel.h"
#include "records.h"

enum { EXECUTIONS = 40000, OUTCOME_SUCCEEDED = 1, OUTCOME_SKIPPED = 3, OUTCOME_CANCELLED = 5 };

/* ---- --sample */

static uint64_t random_state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t word = random_state += 0x9e3779b97f4a7c15u;

	word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
	word = (word ^ word >> 27) * 0x94d049bb133111ebu;
	return word ^ word >> 31;
}

/* A UUID, version 4, as runners make them. */
static void draw_id(uint8_t id[16])
{
	uint64_t words[2] = {draw(), draw()};

	memcpy(id, words, 16);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

/* The number that is expected of EXECUTIONS, and six standard deviations more or less. */
static void expect_about_one_in(uint64_t number, uint64_t kept)
{
	uint64_t expected = EXECUTIONS / number;
	uint64_t away = kept > expected ? kept - expected : expected - kept;

	if (away * away > 36 * expected)
		fail_msg("one in %d: %d of %d", (int)number, (int)kept, EXECUTIONS);
}

/* Whether this probe with this execution id makes a record. */
static bool is_recorded(enum steptrace_probe probe, const uint8_t id[16])
{
	struct command_span command = records__command();
	struct step_span step = records__step();

	memcpy(command.head.execution_id, id, 16);
	memcpy(step.child.head.execution_id, id, 16);
	step.child.command = (uint64_t)&command;
	kernel.records_count = 0;
	hit(probe, probe == PROBE_STEP_DONE ? (void *)&step : &command);
	return kernel__count_submitted() == 1;
}

static void one_in_so_many_executions(void **state)
{
	static const uint32_t numbers[] = {1, 2, 3, 4, 7, 8, 10, 64, 100, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t kept = 0;

		kernel__begin();
		filters.by_span = 1;
		filters.sample_every = numbers[i];
		for (int n = 0; n < EXECUTIONS; n++) {
			uint8_t id[16];
			bool is_kept;

			draw_id(id);
			is_kept = is_recorded(PROBE_COMMAND_START, id);
			assert_int_equal(is_recorded(PROBE_STEP_DONE, id), is_kept);
			assert_int_equal(is_recorded(PROBE_COMMAND_DONE, id), is_kept);
			kept += is_kept;
		}
		expect_about_one_in(numbers[i], kept);
		assert_int_equal(counts[0].filtered[PROBE_STEP_DONE], EXECUTIONS - kept);
	}
}

/* What is left out to stay within --max-cpu is spread over what --sample keeps. */
static void two_samples_are_independent(void **state)
{
	uint64_t kept = 0;

	(void)state;
	kernel__begin();
	filters.by_span = 1;
	filters.sample_every = 4;
	degradation = 3u << DEGRADE_SAMPLE_SHIFT;
	for (int n = 0; n < EXECUTIONS; n++) {
		uint8_t id[16];

		draw_id(id);
		kept += is_recorded(PROBE_STEP_DONE, id);
	}
	expect_about_one_in(16, kept);
}

/* ---- --failed and --min-duration */

struct outcome_case {
	bool only_failed;
	uint64_t min_duration_ns;
	enum steptrace_probe probe;
	uint64_t start_ns, end_ns;
	uint8_t outcome;
	bool passes;
};

static const struct outcome_case outcome_cases[] = {
	/* a span has to have ended, and it has to be known when it began */
	{false, 100, PROBE_STEP_DONE, 1000, 1100, OUTCOME_SUCCEEDED, true},
	{false, 100, PROBE_STEP_DONE, 1000, 1099, OUTCOME_SUCCEEDED, false},
	{false, 100, PROBE_STEP_DONE, 0, 5000, OUTCOME_SUCCEEDED, false},
	{false, 100, PROBE_COMMAND_DONE, 1000, 1100, OUTCOME_SUCCEEDED, true},
	{false, 100, PROBE_COMMAND_DONE, 0, 5000, OUTCOME_SUCCEEDED, false},
	{false, 100, PROBE_TOOL_DONE, 1000, 2000, OUTCOME_SUCCEEDED, true},
	{false, 100, PROBE_TOOL_DONE, 0, 5000, OUTCOME_SUCCEEDED, false},
	{false, 100, PROBE_STEP_START, 0, 0, 0, false},
	{false, 100, PROBE_TOOL_START, 0, 0, 0, false},
	{false, 100, PROBE_COMMAND_START, 0, 0, 0, true},
	{false, 100, PROBE_COMMAND_REJECTED, 0, 0, 0, false},
	{false, 100, PROBE_FRAGMENT_CHANGED, 0, 0, 0, false},
	/* a failure is one, whenever it began */
	{true, 0, PROBE_STEP_DONE, 0, 1100, SPAN_FAILED, true},
	{true, 0, PROBE_STEP_DONE, 1000, 1100, OUTCOME_SUCCEEDED, false},
	{true, 0, PROBE_STEP_DONE, 1000, 1100, OUTCOME_SKIPPED, false},
	{true, 0, PROBE_COMMAND_DONE, 1000, 1100, SPAN_FAILED, true},
	{true, 0, PROBE_COMMAND_DONE, 1000, 1100, OUTCOME_SUCCEEDED, false},
	{true, 0, PROBE_TOOL_DONE, 1000, 1100, SPAN_FAILED, true},
	{true, 0, PROBE_STEP_DONE, 1000, 1100, SPAN_ABORTED, true},
	{true, 0, PROBE_COMMAND_DONE, 1000, 1100, SPAN_ABORTED, true},
	{true, 0, PROBE_STEP_DONE, 1000, 1100, OUTCOME_CANCELLED, false},
	{true, 0, PROBE_STEP_START, 0, 0, 0, false},
	{true, 0, PROBE_COMMAND_START, 0, 0, 0, true},
	{true, 0, PROBE_COMMAND_REJECTED, 0, 0, 0, true},
	{true, 0, PROBE_FRAGMENT_CHANGED, 0, 0, 0, false},
	/* both */
	{true, 100, PROBE_STEP_DONE, 1000, 1100, SPAN_FAILED, true},
	{true, 100, PROBE_STEP_DONE, 1000, 1099, SPAN_FAILED, false},
	{true, 100, PROBE_STEP_DONE, 0, 5000, SPAN_FAILED, false},
	{true, 100, PROBE_STEP_DONE, 1000, 1100, OUTCOME_SUCCEEDED, false},
	{true, 100, PROBE_COMMAND_REJECTED, 0, 0, 0, false},
};

/* The span of a case lies where every kind of span has room. */
static union {
	struct command_span command;
	struct rejected_span rejected;
	struct step_span step;
	struct tool_span tool;
	struct fragment_span fragment;
	struct span_head head;
} span;

static void put_span(const struct outcome_case *at, struct command_span *command)
{
	memset(&span, 0, sizeof(span));
	switch (probe_traits[at->probe].span) {
	case SPAN_COMMAND: span.command.outcome = at->outcome; break;
	case SPAN_STEP: span.step.outcome = at->outcome; break;
	case SPAN_TOOL: span.tool.outcome = at->outcome; break;
	case SPAN_REJECTED:
	case SPAN_FRAGMENT: break;
	}
	if (is_child(at->probe))
		span.step.child.command = (uint64_t)command;
	span.head.start_ns = at->start_ns;
	span.head.end_ns = at->end_ns;
}

static void outcomes_and_durations(void **state)
{
	struct command_span command = records__command();

	(void)state;
	for (size_t i = 0; i < sizeof(outcome_cases) / sizeof(outcome_cases[0]); i++) {
		const struct outcome_case *at = &outcome_cases[i];

		kernel__begin();
		filters.by_span = 1;
		filters.only_failed = at->only_failed;
		filters.min_duration_ns = at->min_duration_ns;
		put_span(at, &command);
		hit(at->probe, &span);
		assert_int_equal(counts[0].hits[at->probe], 1);
		if (counts[0].filtered[at->probe] != !at->passes)
			fail_msg("case %zu: probe %d", i, (int)at->probe);
	}
}

/* The spans of the cases last 1000 ns. Only steps and commands have the member. */
static void durations_without_the_suspended_time(void **state)
{
	static const struct {
		enum steptrace_probe probe;
		uint32_t flags;
		uint64_t suspended_ns;
		bool passes;
	} cases[] = {
		{PROBE_STEP_DONE, SPAN_SUSPENDED, 900, true},
		{PROBE_STEP_DONE, SPAN_SUSPENDED, 901, false},
		{PROBE_STEP_DONE, SPAN_SUSPENDED, 1001, false},
		{PROBE_STEP_DONE, 0, 901, true},
		{PROBE_COMMAND_DONE, SPAN_SUSPENDED, 900, true},
		{PROBE_COMMAND_DONE, SPAN_SUSPENDED, 901, false},
		{PROBE_COMMAND_DONE, 0, 901, true},
		{PROBE_TOOL_DONE, SPAN_SUSPENDED, 901, true},
	};
	struct command_span command = records__command();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outcome_case times = {.probe = cases[i].probe,
						   .start_ns = 1000,
						   .end_ns = 2000,
						   .outcome = OUTCOME_SUCCEEDED};

		kernel__begin();
		filters.by_span = 1;
		filters.min_duration_ns = 100;
		put_span(&times, &command);
		span.head.flags = cases[i].flags;
		if (cases[i].probe == PROBE_COMMAND_DONE)
			span.command.suspended_ns = cases[i].suspended_ns;
		else
			span.step.suspended_ns = cases[i].suspended_ns;
		hit(cases[i].probe, &span);
		if (counts[0].filtered[cases[i].probe] != !cases[i].passes)
			fail_msg("case %zu", i);
	}
}

/* ---- what cannot be read passes, and is counted as unreadable */

static void unreadable_spans_pass(void **state)
{
	(void)state;
	kernel__begin();
	filters.by_span = 1;
	filters.sample_every = 1000;
	filters.only_failed = 1;
	hit(PROBE_STEP_DONE, NULL);
	assert_int_equal(counts[0].filtered[PROBE_STEP_DONE], 0);
	assert_int_equal(counts[0].unreadable[PROBE_STEP_DONE], 1);
}

/* ---- filters on the process: what they leave out is no hit */

/* Each step belongs to another execution. */
static uint64_t hits_of_a_step(void)
{
	struct command_span command = records__command();
	struct step_span step = records__step();

	memset(counts, 0, sizeof(counts));
	memset(kernel.entries, 0, sizeof(kernel.entries));
	draw_id(command.head.execution_id);
	memcpy(step.child.head.execution_id, command.head.execution_id, 16);
	step.child.command = (uint64_t)&command;
	hit(PROBE_STEP_DONE, &step);
	return counts[0].hits[PROBE_STEP_DONE];
}

static void processes_by_user(void **state)
{
	(void)state;
	kernel__begin();
	filters.by_uid = 1;
	filters.uid = 1000;
	kernel.uid_gid = (__u64)1000 << 32 | 1001; /* the group is in the upper half */
	assert_int_equal(hits_of_a_step(), 0);
	kernel.uid_gid = (__u64)1001 << 32 | 1000;
	assert_int_equal(hits_of_a_step(), 1);
}

/* The first boundary of an execution decides for all others; its end forgets the decision. */
static void executions_are_decided_once(void **state)
{
	struct command_span command = records__command();
	struct step_span step = records__step();

	(void)state;
	step.child.command = (uint64_t)&command;
	for (int wanted = 0; wanted < 2; wanted++)
		for (int begins = 0; begins < 2; begins++) {
			kernel__begin();
			armed_ns = UINT64_MAX;
			filters.by_uid = 1;
			filters.uid = 1000;
			kernel.uid_gid = wanted ? 1000 : 1001;
			if (begins)
				hit(PROBE_COMMAND_START, &command);
			hit(PROBE_STEP_DONE, &step);
			kernel.uid_gid = wanted ? 1001 : 1000;
			hit(PROBE_STEP_DONE, &step);
			hit(PROBE_COMMAND_DONE, &command);
			assert_int_equal(counts[0].hits[PROBE_COMMAND_START], wanted && begins);
			assert_int_equal(counts[0].hits[PROBE_STEP_DONE], wanted ? 2 : 0);
			assert_int_equal(counts[0].hits[PROBE_COMMAND_DONE], wanted);
			hit(PROBE_STEP_DONE, &step);
			assert_int_equal(counts[0].hits[PROBE_STEP_DONE], wanted ? 2 : 1);
			assert_int_equal(decisions_lost, 0);
		}
}

/* A decision that was dropped is made again. That is counted, unless the command began before the
 * probes were attached, so that there was no decision. */
static void dropped_decisions_are_counted(void **state)
{
	struct command_span command = records__command();
	struct step_span step = records__step();

	(void)state;
	kernel__begin();
	filters.by_uid = 1;
	step.child.command = (uint64_t)&command;
	armed_ns = step.child.command_announced_ns;
	hit(PROBE_STEP_DONE, &step);
	assert_int_equal(decisions_lost, 0);
	armed_ns--;
	hit(PROBE_STEP_DONE, &step); /* still known */
	assert_int_equal(decisions_lost, 0);
	memset(kernel.entries, 0, sizeof(kernel.entries));
	hit(PROBE_STEP_DONE, &step);
	assert_int_equal(decisions_lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_in_so_many_executions),
		cmocka_unit_test(two_samples_are_independent),
		cmocka_unit_test(outcomes_and_durations),
		cmocka_unit_test(durations_without_the_suspended_time),
		cmocka_unit_test(unreadable_spans_pass),
		cmocka_unit_test(processes_by_user),
		cmocka_unit_test(executions_are_decided_once),
		cmocka_unit_test(dropped_decisions_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
