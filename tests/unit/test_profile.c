// SPDX-License-Identifier: BSD-2-Clause
/* The join of samples with spans, the filters, the limits, and how stacks are folded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steptrace/capture/glob_compile.h"
#include "steptrace/profile/profile.h"
#include "steptrace/stack_record.h"
#include "steptrace/stream/executions.h"

/* ---- a profile and its result as text */

/* Frames are numbers of these functions. */
static const struct folded_frame functions[] = {
	{"[unknown]", "", false},         {"main", "runner", false},
	{"work", "runner", false},        {"_start", "runner", false},
	{"futex_wait", "[kernel]", true}, {"schedule", "[kernel]", true},
	{"__schedule", "[kernel]", true},
};

enum { UNKNOWN, MAIN, WORK, START, FUTEX, SCHEDULE, SCHEDULE_INNER, FUNCTIONS };

/* Frame 10 * n + m is a place in function n. */
static void name_frame(void *context, uint32_t frame, struct frame_name *name)
{
	(void)context;
	name->frame = &functions[frame / 10];
	name->is_outermost = frame / 10 == START;
}

static const struct frame_names names = {name_frame, NULL};

static struct profile *new_profile(const struct profile_filter *filter, size_t hold_bytes)
{
	struct profile_options options = {.hold_bytes = hold_bytes, .period_ns = 1000};
	struct profile *profile;

	if (filter)
		options.filter = *filter;
	profile = profile__new(&options);
	assert_non_null(profile);
	return profile;
}

static int by_text(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void row_text(const struct folded_stack *row, char text[256])
{
	size_t at = (size_t)sprintf(text, "%s/%s/%s", row->command, row->step,
				    stack_state__name(row->state));

	for (size_t i = 0; i < row->frames_count; i++)
		at += (size_t)sprintf(text + at, ";%s", row->frames[i]->function);
	sprintf(text + at, "%s %llu %lluns", row->is_cut ? " cut" : "",
		(unsigned long long)row->samples_count, (unsigned long long)row->time_ns);
}

/* The rows in the order of the alphabet, a line each. */
static void assert_rows(struct profile *profile, const char *expected, struct folded *folded)
{
	char rows[16][256], text[4096] = "";

	*folded = (struct folded){.stacks_count = 0};
	assert_int_equal(profile__fold(profile, &names, folded), 0);
	assert_true(folded->stacks_count <= 16);
	for (size_t i = 0; i < folded->stacks_count; i++)
		row_text(&folded->stacks[i], rows[i]);
	qsort(rows, folded->stacks_count, sizeof(rows[0]), by_text);
	for (size_t i = 0; i < folded->stacks_count; i++) {
		strcat(text, rows[i]);
		strcat(text, "\n");
	}
	assert_string_equal(text, expected);
}

/* ---- what comes in */

static uint32_t stack_of(struct profile *profile, uint32_t place)
{
	const uint32_t user[] = {10 * WORK + place, 10 * MAIN, 10 * START};
	const struct raw_stack stack = {.user = user, .user_count = 3, .end = STACK_END_BY_NAME};

	return profile__stack(profile, &stack);
}

static void run(struct profile *profile, uint32_t tid, uint64_t at_ns, uint32_t place)
{
	const struct sample sample = {
		.time_ns = at_ns,
		.tid = tid,
		.stack = stack_of(profile, place),
		.kind = STACK_ON_CPU,
		.ticks = 1,
	};

	assert_int_not_equal(sample.stack, 0);
	profile__add(profile, &sample);
}

static void wait_for(struct profile *profile, uint32_t tid, uint64_t at_ns, uint64_t blocked_ns,
		     uint64_t runnable_ns)
{
	const uint32_t kernel[] = {10 * SCHEDULE_INNER, 10 * SCHEDULE, 10 * FUTEX};
	const uint32_t user[] = {10 * WORK};
	const struct raw_stack stack = {kernel, user, 3, 1, STACK_END_BY_NAME};
	const struct sample sample = {
		.time_ns = at_ns,
		.blocked_ns = blocked_ns,
		.runnable_ns = runnable_ns,
		.tid = tid,
		.stack = profile__stack(profile, &stack),
		.kind = STACK_OFF_CPU,
		.blocked_kind = BLOCKED_LOCK,
	};

	profile__add(profile, &sample);
}

/* The end of a span as an event. */
struct end {
	uint32_t tid;
	uint64_t begin_ns, end_ns;
	uint64_t seen_ns; /* 0: very late */
	uint8_t execution;
	const char *step; /* NULL: the command */
	uint8_t outcome;  /* 0: success */
	uint32_t flags;
	uint32_t pid;
};

static void tell(struct profile *profile, const struct end *end)
{
	static struct execution execution;
	const uint8_t outcome = end->outcome ? end->outcome : OUTCOME_SUCCESS;
	struct step_span step = {.outcome = outcome};
	struct command_span command = {.outcome = outcome};
	const struct steptrace_record record = {
		.time_ns = end->seen_ns ? end->seen_ns : 1ull << 40,
		.tid = end->tid,
	};
	const struct span_head head = {
		.start_ns = end->begin_ns,
		.end_ns = end->end_ns,
		.flags = end->flags,
		.execution_id = {end->execution},
	};
	struct event event = {.record = &record, .execution = &execution};

	execution.pid = end->pid;
	step.child.head = command.head = head;
	strcpy(command.slug, end->execution == 1 ? "triage" : "mail.send");
	if (end->step)
		strcpy(step.type, end->step);
	event.kind = end->step ? EVENT_STEP_EXECUTED : EVENT_COMMAND_COMPLETED;
	event.head = end->step ? &step.child.head : &command.head;
	profile__on_event(profile, &event);
}

#define TELL(profile, ...) tell(profile, &(const struct end){__VA_ARGS__})

/* ---- the join */

static void test_steps_within_steps(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 20);
	struct folded folded;

	(void)state;
	run(profile, 7, 50, 0);  /* before the command */
	run(profile, 7, 110, 0); /* in the command */
	run(profile, 7, 210, 0); /* in the outer step */
	run(profile, 7, 310, 0); /* in the inner step */
	run(profile, 7, 320, 1);
	run(profile, 7, 410, 0); /* in the outer step again */
	run(profile, 8, 310, 0); /* another thread */
	run(profile, 7, 600, 0); /* behind the command */
	TELL(profile, .tid = 7, .begin_ns = 300, .end_ns = 400, .execution = 1, .step = "Inner");
	TELL(profile, .tid = 7, .begin_ns = 200, .end_ns = 500, .execution = 1, .step = "Outer");
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 550, .execution = 1);
	profile__join(profile);
	assert_rows(profile,
		    "triage//on-cpu;_start;main;work 1 1000ns\n"
		    "triage/Inner/on-cpu;_start;main;work 2 2000ns\n"
		    "triage/Outer/on-cpu;_start;main;work 2 2000ns\n",
		    &folded);
	assert_int_equal(folded.facts.executions_count, 1);
	assert_int_equal(folded.facts.samples_count, 5);
	assert_int_equal(folded.facts.outside_count, 3);
	assert_int_equal(folded.facts.dropped_count, 0);
	assert_int_equal(folded.facts.cut_count, 0);
	profile__free(profile);
}

/* The two parts of a wait are one sample. The scheduler's functions are left out; a stack that does
 * not begin in _start is cut. */
static void test_waits(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 20);
	struct folded folded;

	(void)state;
	wait_for(profile, 7, 110, 50, 7);
	wait_for(profile, 7, 200, 30, 0);
	wait_for(profile, 7, 300, 0, 9); /* preempted */
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 550, .execution = 1);
	profile__join(profile);
	assert_rows(profile,
		    "triage//lock;work;futex_wait cut 2 80ns\n"
		    "triage//runnable;work;futex_wait cut 1 16ns\n",
		    &folded);
	assert_int_equal(folded.facts.samples_count, 3);
	assert_int_equal(folded.facts.cut_count, 3);
	profile__free(profile);
}

/* A step in another thread, executions that overlap, one id in two processes. */
static void test_several_threads(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 20);
	struct folded folded;

	(void)state;
	run(profile, 7, 110, 0);
	run(profile, 8, 120, 0);
	run(profile, 9, 130, 0);
	TELL(profile, .tid = 8, .begin_ns = 100, .end_ns = 200, .execution = 1, .step = "Step");
	TELL(profile, .tid = 9, .begin_ns = 100, .end_ns = 200, .execution = 1, .step = "Step",
	     .pid = 2);
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 300, .execution = 2);
	TELL(profile, .tid = 8, .begin_ns = 100, .end_ns = 300, .execution = 1);
	profile__join(profile);
	assert_rows(profile,
		    "mail.send//on-cpu;_start;main;work 1 1000ns\n"
		    "triage/Step/on-cpu;_start;main;work 1 1000ns\n",
		    &folded);
	assert_int_equal(folded.facts.outside_count, 1); /* the other process has not ended it */
	profile__free(profile);
}

/* What is suspended, or began before the tracer was there, takes nothing. */
static void test_times_that_say_nothing(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 20);
	struct folded folded;

	(void)state;
	run(profile, 7, 110, 0);
	TELL(profile, .tid = 7, .begin_ns = 0, .end_ns = 200, .execution = 1, .step = "Early");
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 200, .execution = 1, .step = "Paused",
	     .flags = SPAN_SUSPENDED);
	TELL(profile, .tid = 7, .begin_ns = 200, .end_ns = 100, .execution = 1);
	profile__join(profile);
	assert_rows(profile, "", &folded);
	assert_int_equal(folded.facts.outside_count, 1);
	assert_int_equal(folded.facts.executions_count, 1);
	profile__free(profile);
}

/* ---- filters */

static void fill(struct profile *profile)
{
	run(profile, 7, 110, 0);
	run(profile, 7, 210, 0);
	run(profile, 8, 110, 0);
	run(profile, 8, 210, 0);
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 150, .execution = 1, .step = "Quick");
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 350, .execution = 1,
	     .outcome = OUTCOME_FAILURE);
	TELL(profile, .tid = 8, .begin_ns = 100, .end_ns = 150, .execution = 2, .step = "Quick",
	     .outcome = OUTCOME_FAILURE);
	TELL(profile, .tid = 8, .begin_ns = 200, .end_ns = 290, .execution = 2, .step = "Slow");
	TELL(profile, .tid = 8, .begin_ns = 100, .end_ns = 300, .execution = 2);
	profile__join(profile);
}

static void assert_filtered(const struct profile_filter *filter, const char *expected)
{
	struct profile *profile = new_profile(filter, 1 << 20);
	struct folded folded;

	fill(profile);
	assert_rows(profile, expected, &folded);
	assert_int_equal(folded.facts.samples_count + folded.facts.outside_count, 4);
	profile__free(profile);
}

#define ON_CPU "/on-cpu;_start;main;work 1 1000ns\n"

static void test_filters(void **state)
{
	struct profile_filter filter = {.only_failed = true};
	struct error err;

	(void)state;
	assert_filtered(&filter, "triage/" ON_CPU "triage/Quick" ON_CPU);
	filter = (struct profile_filter){.min_duration_ns = 201};
	assert_filtered(&filter, "triage/" ON_CPU "triage/Quick" ON_CPU);
	filter = (struct profile_filter){.by_execution = true, .execution_id = {2}};
	assert_filtered(&filter, "mail.send/Quick" ON_CPU "mail.send/Slow" ON_CPU);
	filter = (struct profile_filter){.by_command = true};
	assert_int_equal(glob__add("mail.*", &filter.command, &err), 0);
	assert_filtered(&filter, "mail.send/Quick" ON_CPU "mail.send/Slow" ON_CPU);
}

/* The duration and the failure are those of the step. */
static void test_filters_on_steps(void **state)
{
	struct profile_filter filter = {.by_step_type = true};
	struct error err;

	(void)state;
	assert_int_equal(glob__add("*", &filter.step_type, &err), 0);
	assert_filtered(&filter,
			"mail.send/Quick" ON_CPU "mail.send/Slow" ON_CPU "triage/Quick" ON_CPU);
	filter.only_failed = true;
	assert_filtered(&filter, "mail.send/Quick" ON_CPU);
	filter.only_failed = false;
	filter.min_duration_ns = 51;
	assert_filtered(&filter, "mail.send/Slow" ON_CPU);
}

/* ---- limits */

/* The oldest samples give way, and are counted. */
static void test_held_too_many(void **state)
{
	size_t room = 100;
	struct profile *profile = new_profile(NULL, 2 * room * 64);
	struct folded folded;
	uint64_t given = 5000;

	(void)state;
	room = held_samples__room(room * 64);
	for (uint64_t i = 0; i < given; i++)
		run(profile, 7 + i % 3, 100 + i, 0);
	TELL(profile, .tid = 7, .begin_ns = 100, .end_ns = 90000, .execution = 1);
	TELL(profile, .tid = 8, .begin_ns = 100, .end_ns = 90000, .execution = 2);
	profile__join(profile);
	*(&folded) = (struct folded){.stacks_count = 0};
	assert_int_equal(profile__fold(profile, &names, &folded), 0);
	assert_int_equal(folded.facts.dropped_count, given - room);
	assert_int_equal(folded.facts.samples_count + folded.facts.outside_count, room);
	assert_in_range(folded.facts.outside_count, room / 3, room / 3 + 1);
	profile__free(profile);
}

/* The oldest executions that have not ended give way, and are counted. */
static void test_executions_too_many(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 16);
	struct folded folded = {.stacks_count = 0};
	uint32_t given = 2000;

	(void)state;
	for (uint32_t i = 0; i < given; i++) {
		run(profile, 7, 100 + i, 0);
		TELL(profile, .tid = 7, .begin_ns = 100 + i, .end_ns = 100 + i, .execution = 1,
		     .step = "Step", .pid = i);
		profile__join(profile);
	}
	TELL(profile, .tid = 7, .begin_ns = 1, .end_ns = 2, .execution = 1, .pid = 0);
	TELL(profile, .tid = 7, .begin_ns = 1, .end_ns = 2, .execution = 1, .pid = given - 1);
	profile__join(profile);
	assert_int_equal(profile__fold(profile, &names, &folded), 0);
	assert_int_equal(folded.facts.samples_count, 1);
	assert_int_equal(folded.facts.executions_count, 2);
	assert_true(folded.facts.dropped_count > given / 2);
	assert_int_equal(folded.facts.dropped_count + folded.facts.outside_count, given - 1);
	profile__free(profile);
}

/* A process that makes up its stacks. The ones that are known go on to be counted. */
static void test_different_stacks_too_many(void **state)
{
	enum { HOLD_BYTES = 1 << 16, GIVEN = 5000 };
	struct profile *profile = new_profile(NULL, HOLD_BYTES);
	uint32_t user[2] = {0, 10 * START}, known = 0;
	const struct raw_stack stack = {.user = user, .user_count = 2, .end = STACK_WHOLE};

	(void)state;
	for (user[0] = 0; user[0] < GIVEN; user[0]++)
		known += profile__stack(profile, &stack) != 0;
	assert_in_range(known, 100, HOLD_BYTES / (2 * sizeof(uint32_t)));
	user[0] = 0;
	assert_int_equal(profile__stack(profile, &stack), 1);
	user[0] = GIVEN - 1;
	assert_int_equal(profile__stack(profile, &stack), 0);
	profile__free(profile);
}

/* Each step has a type of its own, and so a row of its own in the result. */
static void test_rows_too_many(void **state)
{
	enum { HOLD_BYTES = 1 << 16, GIVEN = 1000 };
	struct profile *profile = new_profile(NULL, HOLD_BYTES);
	struct folded folded = {.stacks_count = 0};
	char type[16];

	(void)state;
	for (int i = 0; i < GIVEN; i++) {
		run(profile, 7, 100, 0);
		snprintf(type, sizeof(type), "Step%d", i);
		TELL(profile, .tid = 7, .begin_ns = 50, .end_ns = 150, .execution = 1,
		     .step = type);
		TELL(profile, .tid = 7, .begin_ns = 40, .end_ns = 160, .execution = 1);
		profile__join(profile);
	}
	assert_int_equal(profile__fold(profile, &names, &folded), 0);
	assert_in_range(folded.stacks_count, 10, HOLD_BYTES / 4 / sizeof(struct folded_stack));
	assert_int_equal(folded.facts.samples_count + folded.facts.dropped_count, GIVEN);
	assert_true(folded.facts.dropped_count > 0);
	profile__free(profile);
}

/* A sample that was made after a span had ended lets the span take its own: what waits is little,
 * also if samples never stop to come. */
static void test_spans_take_early(void **state)
{
	struct profile *profile = new_profile(NULL, 2 * 50 * 64);
	struct folded folded = {.stacks_count = 0};
	uint64_t spans = 5000;

	(void)state;
	for (uint64_t i = 0; i < spans; i++) {
		run(profile, 7, 100 * i + 50, 0);
		tell(profile, &(const struct end){.tid = 7,
						  .begin_ns = 100 * i + 10,
						  .end_ns = 100 * i + 60,
						  .seen_ns = 100 * i + 70,
						  .execution = 1});
	}
	profile__join(profile);
	assert_int_equal(profile__fold(profile, &names, &folded), 0);
	assert_int_equal(folded.facts.samples_count, spans);
	assert_int_equal(folded.facts.dropped_count, 0);
	profile__free(profile);
}

/* The stamps of a runner contradict each other: each sample is still counted once. */
static void test_ends_in_any_order(void **state)
{
	static const uint64_t ends[] = {900, 200, 500, 100, 1000, 300, 50};
	struct profile *profile = new_profile(NULL, 1 << 20);
	struct folded folded = {.stacks_count = 0};

	(void)state;
	for (uint64_t i = 1; i <= 9; i++)
		run(profile, 7, 100 * i, 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		TELL(profile, .tid = 7, .begin_ns = ends[i] - 40, .end_ns = ends[i],
		     .execution = 1);
	profile__join(profile);
	assert_int_equal(profile__fold(profile, &names, &folded), 0);
	assert_int_equal(folded.facts.samples_count, 5); /* 900, 200, 500, 100, 300 */
	assert_int_equal(folded.facts.outside_count, 4);
	profile__free(profile);
}

static void test_hostile_stacks(void **state)
{
	struct profile *profile = new_profile(NULL, 1 << 16);
	struct raw_stack stack = {.user_count = STACK_FRAMES_MAX + 1};
	struct folded folded;

	(void)state;
	assert_int_equal(profile__stack(profile, &stack), 0);
	stack = (struct raw_stack){.kernel_count = UINT32_MAX};
	assert_int_equal(profile__stack(profile, &stack), 0);
	stack = (struct raw_stack){.end = STACK_END_BY_NAME};
	profile__add(profile, &(struct sample){.time_ns = 5, .tid = 7});
	profile__add(profile, &(struct sample){.time_ns = 5,
					       .tid = 7,
					       .stack = profile__stack(profile, &stack),
					       .kind = STACK_OFF_CPU,
					       .blocked_ns = 3,
					       .blocked_kind = 255});
	TELL(profile, .tid = 7, .begin_ns = 1, .end_ns = 9, .execution = 1);
	profile__join(profile);
	assert_rows(profile, "triage//other cut 1 3ns\n", &folded);
	assert_int_equal(folded.facts.dropped_count, 1);
	profile__free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps_within_steps),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_several_threads),
		cmocka_unit_test(test_times_that_say_nothing),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_filters_on_steps),
		cmocka_unit_test(test_held_too_many),
		cmocka_unit_test(test_executions_too_many),
		cmocka_unit_test(test_different_stacks_too_many),
		cmocka_unit_test(test_rows_too_many),
		cmocka_unit_test(test_hostile_stacks),
		cmocka_unit_test(test_spans_take_early),
		cmocka_unit_test(test_ends_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
