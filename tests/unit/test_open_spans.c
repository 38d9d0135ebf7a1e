// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tags that usdt/steptrace.h stores, and what is read around them. The runner is this program
 * itself: its objects are searched, and read through process_vm_readv(), so that a pointer to
 * nowhere is an error and not a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "usdt_fixture.h"

#include "steptrace/inflight/open_spans.h"
#include "steptrace/inflight/runner_structs.h"

#define NOW UINT64_MAX

static struct open_spans spans;
static void (*in_the_middle)(void); /* runs once, between the first and the next reading */

static ssize_t read_own(void *context, uint64_t address, void *bytes, size_t size_bytes)
{
	struct iovec local = {bytes, size_bytes};
	struct iovec remote = {(void *)(uintptr_t)address, size_bytes};
	ssize_t result = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	void (*now)(void) = in_the_middle;

	(void)context;
	if (now && size_bytes > sizeof(struct runner_step) - 1) {
		in_the_middle = NULL;
		now();
	}
	return result;
}

static const struct memory_reader own = {read_own, NULL};

static void on_tag(void *context, const struct tag *tag)
{
	(void)context;
	open_spans__read(&spans, tag, &own, NOW);
}

static void look_at(const void *object, size_t size_bytes)
{
	tags__find(object, size_bytes, (uint64_t)(uintptr_t)object, on_tag, NULL);
}

static void link_all(void)
{
	open_spans__link(&spans);
}

struct pair {
	struct steptrace_command command;
	struct steptrace_step step;
};

static void begin(struct pair *pair)
{
	memset(pair, 0xa5, sizeof(*pair));
	steptrace_command_init(&pair->command, "mail.send");
	pair->command.user_id = "ada";
	pair->command.request_source = "queue";
	pair->command.correlation_id = "r-1";
	steptrace_command_begin(&pair->command);
	steptrace_step_init(&pair->step, &pair->command, "NotifyStep");
	pair->step.name = "tell";
	pair->step.index = 2;
	steptrace_step_begin(&pair->step);
}

static void end(struct pair *pair)
{
	steptrace_step_end(&pair->step, STEPTRACE_SUCCESS);
	steptrace_command_end(&pair->command, STEPTRACE_SUCCESS);
}

static int fresh(void **state)
{
	(void)state;
	open_spans__free(&spans);
	in_the_middle = NULL;
	semaphore__set(0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, fresh)

/* ---- what is open */

static void check_pair(void)
{
	const struct open_command *command = spans.commands;
	const struct open_step *step = spans.steps;

	assert_int_equal(spans.commands_count, 1);
	assert_int_equal(spans.steps_count, 1);
	assert_int_equal(spans.invalid + spans.left_out, 0);
	assert_string_equal(command->slug, "mail.send");
	assert_string_equal(command->user_id, "ada");
	assert_string_equal(command->request_source, "queue");
	assert_string_equal(command->correlation_id, "r-1");
	assert_string_equal(step->type, "NotifyStep");
	assert_string_equal(step->name, "tell");
	assert_int_equal(step->index, 2);
	assert_int_equal(step->command, 0);
	assert_int_equal(step->parent, OPEN_NONE);
	assert_true(command->has_steps);
	assert_false(step->has_inner);
	assert_false(command->span.is_suspended || step->span.is_suspended);
}

static void a_command_that_no_tracer_saw_begin(void **state)
{
	static const uint8_t no_id[16];
	struct pair pair;

	(void)state;
	begin(&pair);
	look_at(&pair, sizeof(pair));
	link_all();
	check_pair();
	assert_int_equal(spans.commands[0].span.start_ns, 0);
	assert_int_equal(spans.steps[0].span.start_ns, 0);
	assert_memory_equal(spans.commands[0].execution_id, no_id, sizeof(no_id));
	end(&pair);
}

static void a_command_that_a_tracer_saw_begin(void **state)
{
	struct pair pair;

	(void)state;
	attach();
	begin(&pair);
	look_at(&pair, sizeof(pair));
	link_all();
	check_pair();
	assert_int_equal(spans.commands[0].span.start_ns, pair.command.span.head.start_ns);
	assert_int_equal(spans.steps[0].span.start_ns, pair.step.span.head.start_ns);
	assert_true(spans.steps[0].span.start_ns > 0);
	assert_memory_equal(spans.commands[0].execution_id, pair.command.span.head.execution_id,
			    16);
	assert_memory_equal(spans.steps[0].step_id, pair.step.span.step_id, 16);
	end(&pair);
}

static void nothing_is_open_after_the_end(void **state)
{
	struct pair pair;

	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		semaphore__set((unsigned short)attached);
		begin(&pair);
		end(&pair);
		look_at(&pair, sizeof(pair));
		begin(&pair);
		steptrace_step_end(&pair.step, STEPTRACE_FAILURE);
		steptrace_command_rejected(&pair.command, "invalid_argument", NULL);
		look_at(&pair, sizeof(pair));
	}
	assert_int_equal(spans.commands_count + spans.steps_count + spans.invalid, 0);
}

static void a_copy_is_not_open(void **state)
{
	struct pair pair, copy;

	(void)state;
	begin(&pair);
	memcpy(&copy, &pair, sizeof(copy));
	look_at(&copy, sizeof(copy));
	assert_int_equal(spans.commands_count + spans.steps_count + spans.invalid, 0);
	end(&pair);
}

static void what_is_suspended(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	steptrace_step_suspend(&pair.step);
	look_at(&pair, sizeof(pair));
	link_all();
	assert_true(spans.steps[0].span.is_suspended);
	assert_false(spans.commands[0].span.is_suspended);
	end(&pair);
}

static void steps_that_ended_are_counted(void **state)
{
	struct steptrace_step step;
	struct pair pair;

	(void)state;
	begin(&pair);
	for (int outcome = STEPTRACE_SUCCESS; outcome <= STEPTRACE_CANCELLED; outcome++) {
		steptrace_step_init(&step, &pair.command, "OtherStep");
		steptrace_step_begin(&step);
		steptrace_step_end(&step, (enum steptrace_outcome)outcome);
	}
	look_at(&pair, sizeof(pair));
	assert_int_equal(spans.commands[0].steps_count, 5);
	end(&pair);
}

static void steps_in_steps(void **state)
{
	struct steptrace_step inner[2];
	struct pair pair;

	(void)state;
	begin(&pair);
	steptrace_step_init(&inner[0], &pair.command, "Middle");
	inner[0].parent = &pair.step;
	steptrace_step_begin(&inner[0]);
	steptrace_step_init(&inner[1], &pair.command, "Inner");
	inner[1].parent = &inner[0];
	steptrace_step_begin(&inner[1]);
	look_at(inner, sizeof(inner));
	look_at(&pair, sizeof(pair));
	look_at(inner, sizeof(inner)); /* found twice */
	link_all();
	assert_int_equal(spans.steps_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct open_step *step = &spans.steps[i];
		const char *outer = step->parent == OPEN_NONE ? "" : spans.steps[step->parent].type;

		if (strcmp(step->type, "Inner") == 0)
			assert_string_equal(outer, "Middle");
		else if (strcmp(step->type, "Middle") == 0)
			assert_string_equal(outer, "NotifyStep");
		else
			assert_string_equal(outer, "");
		assert_int_equal(step->has_inner, strcmp(step->type, "Inner") != 0);
	}
}

/* ---- text */

static void text_is_truncated_between_characters(void **state)
{
	char slug[80], *end_of_memory;
	struct pair pair;

	(void)state;
	memset(slug, 'x', sizeof(slug));
	memcpy(slug + 63, "\xc3\xa4", 2); /* the last byte would be half a character */
	slug[79] = 0;
	begin(&pair);
	pair.command.slug = slug;
	pair.command.user_id = "";
	pair.command.correlation_id = NULL;
	end_of_memory = sbrk(0);
	pair.command.request_source = end_of_memory + (1 << 30);
	look_at(&pair.command, sizeof(pair.command));
	assert_int_equal(strlen(spans.commands[0].slug), 63);
	assert_string_equal(spans.commands[0].user_id, "");
	assert_string_equal(spans.commands[0].correlation_id, "");
	assert_string_equal(spans.commands[0].request_source, "");
	end(&pair);
}

/* ---- what cannot be open */

static void forge(struct pair *pair, int how)
{
	struct steptrace_command *command = &pair->command;
	struct steptrace_step *step = &pair->step;

	switch (how) {
	case 0: command->begun = 2; break;
	case 1: command->pause = 3; break;
	case 2: command->parent = (struct steptrace_command *)(uintptr_t)0xffff000000000000u; break;
	case 3: command->described = 2; break;
	case 4: command->described = 1; break;                           /* its span has no kind */
	case 5: command->tag ^= 1u << 24; break;                         /* another version */
	case 6: command->tag ^= 4u << 16; break;                         /* another kind */
	case 7: command->tag ^= sizeof(struct steptrace_command); break; /* size 0 */
	case 8: step->command = NULL; break;
	case 9: step->pause = 9; break;
	case 10: step->parent = (struct steptrace_step *)(uintptr_t)3; break;
	case 11: step->described = 1; break;
	case 12: step->tag ^= sizeof(struct steptrace_step); break;
	default: fail();
	}
}

static void forged_structs_are_left_out(void **state)
{
	struct pair pair;

	(void)state;
	for (int how = 0; how <= 12; how++) {
		fresh(NULL);
		begin(&pair);
		memset(&pair.command.span.head, 0, 8);
		memset(&pair.step.span.head, 0, 8);
		forge(&pair, how);
		look_at(&pair, sizeof(pair));
		link_all();
		/* without its command the step is not shown either */
		if (spans.commands_count + spans.steps_count != (how < 8 ? 0 : 1) ||
		    spans.invalid != 1)
			fail_msg("case %d: %zu commands, %zu steps, %llu invalid", how,
				 spans.commands_count, spans.steps_count,
				 (unsigned long long)spans.invalid);
	}
}

static void a_cycle_of_steps_has_no_innermost_one(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	pair.step.parent = &pair.step;
	look_at(&pair, sizeof(pair));
	link_all();
	assert_int_equal(spans.steps_count, 1);
	assert_true(spans.steps[0].has_inner);
	end(&pair);
}

static void a_start_in_the_future_is_not_known(void **state)
{
	struct tag tag = {.version = TAG_VERSION,
			  .kind = RUNNER_SPAN_COMMAND,
			  .size_bytes = sizeof(struct runner_command)};
	struct pair pair;

	(void)state;
	attach();
	begin(&pair);
	tag.address = (uint64_t)(uintptr_t)&pair.command.tag;
	open_spans__read(&spans, &tag, &own, pair.command.span.head.start_ns - 1);
	open_spans__read(&spans, &tag, &own, pair.command.span.head.start_ns);
	assert_int_equal(spans.commands[0].span.start_ns, 0);
	assert_int_equal(spans.commands[1].span.start_ns, pair.command.span.head.start_ns);
	end(&pair);
}

/* ---- the process runs meanwhile */

static struct pair moving;

static void end_and_begin(void)
{
	end(&moving);
	begin(&moving);
	moving.command.slug = "second";
	moving.step.type = "SecondStep";
}

static void end_moving(void)
{
	end(&moving);
}

static void a_struct_that_changes_is_read_again(void **state)
{
	(void)state;
	attach();
	begin(&moving);
	in_the_middle = end_and_begin;
	look_at(&moving.command, sizeof(moving.command));
	in_the_middle = end_and_begin;
	look_at(&moving.step, sizeof(moving.step));
	assert_string_equal(spans.commands[0].slug, "second");
	assert_string_equal(spans.steps[0].type, "SecondStep");
	end(&moving);
}

static void a_struct_that_ends_meanwhile_is_left_out(void **state)
{
	(void)state;
	begin(&moving);
	in_the_middle = end_moving;
	look_at(&moving.command, sizeof(moving.command));
	assert_int_equal(spans.commands_count, 0);
}

/* ---- limits */

static void more_than_the_limit_are_counted(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	for (int i = 0; i < OPEN_SPANS_MAX + 10; i++)
		look_at(&pair.command.tag, sizeof(pair.command.tag));
	assert_int_equal(spans.commands_count, OPEN_SPANS_MAX);
	assert_int_equal(spans.left_out, 10);
	link_all();
	assert_int_equal(spans.commands_count, 1);
	end(&pair);
}

/* The others fill the list of all processes: of this one, as many are listed as each process may
 * have. */
static void a_few_of_each_process(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	spans.others = OPEN_SPANS_TOTAL_MAX;
	for (int i = 0; i < OPEN_SPANS_MIN + 10; i++)
		look_at(&pair.command.tag, sizeof(pair.command.tag));
	assert_int_equal(spans.commands_count, OPEN_SPANS_MIN);
	assert_int_equal(spans.left_out, 10);
	end(&pair);
}

static void no_more_than_all_may_have(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	spans.others = OPEN_SPANS_TOTAL_MAX - 2 * OPEN_SPANS_MIN;
	for (int i = 0; i < 2 * OPEN_SPANS_MIN + 10; i++)
		look_at(&pair.command.tag, sizeof(pair.command.tag));
	assert_int_equal(spans.commands_count, 2 * OPEN_SPANS_MIN);
	assert_int_equal(spans.left_out, 10);
	end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_that_no_tracer_saw_begin),
		TEST(a_command_that_a_tracer_saw_begin),
		TEST(nothing_is_open_after_the_end),
		TEST(a_copy_is_not_open),
		TEST(what_is_suspended),
		TEST(steps_that_ended_are_counted),
		TEST(steps_in_steps),
		TEST(text_is_truncated_between_characters),
		TEST(forged_structs_are_left_out),
		TEST(a_cycle_of_steps_has_no_innermost_one),
		TEST(a_start_in_the_future_is_not_known),
		TEST(a_struct_that_changes_is_read_again),
		TEST(a_struct_that_ends_meanwhile_is_left_out),
		TEST(more_than_the_limit_are_counted),
		TEST(a_few_of_each_process),
		TEST(no_more_than_all_may_have),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
