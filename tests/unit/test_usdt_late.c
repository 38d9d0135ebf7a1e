// SPDX-License-Identifier: BSD-2-Clause
/* Text that is set when a tracer needs it, and spans that are suspended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "usdt_fixture.h"

/* ---- text that is set late */

static void describe_command(struct steptrace_command *command, void *context)
{
	++*(int *)context;
	command->user_id = "late user";
	command->correlation_id = "late request";
	command->dry_run = 1;
}

static void describe_step(struct steptrace_step *step, void *context)
{
	++*(int *)context;
	step->name = "late name";
}

struct described {
	struct work work;
	int commands_count, steps_count;
};

static void begin_described(struct described *made)
{
	struct work *work = &made->work;

	memset(made, 0, sizeof(*made));
	steptrace_command_init(&work->command, "c");
	work->command.describe = describe_command;
	work->command.context = &made->commands_count;
	steptrace_command_begin(&work->command);
	steptrace_step_init(&work->step, &work->command, "S");
	work->step.describe = describe_step;
	work->step.context = &made->steps_count;
	steptrace_step_begin(&work->step);
}

static void expect_described(const struct described *made)
{
	assert_string_equal(made->work.command.span.user_id, "late user");
	assert_string_equal(made->work.command.span.correlation_id, "late request");
	assert_int_equal(made->work.command.span.head.flags, STEPTRACE_FLAG_DRY_RUN);
	assert_string_equal(made->work.step.span.name, "late name");
	assert_int_equal(made->commands_count, 1);
	assert_int_equal(made->steps_count, 1);
}

static void text_is_asked_for_once(void **state)
{
	struct described made;

	(void)state;
	attach();
	begin_described(&made);
	expect_described(&made);
	steptrace_step_end(&made.work.step, STEPTRACE_SUCCESS);
	steptrace_command_end(&made.work.command, STEPTRACE_SUCCESS);
	expect_described(&made);
}

/* The first call that needs the text is that of the step, of a tool, or of a fragment. */
static void text_is_asked_for_when_a_tracer_attaches(void **state)
{
	struct described made;

	(void)state;
	for (int first = 0; first < 3; first++) {
		semaphore__set(0);
		begin_described(&made);
		assert_int_equal(made.commands_count + made.steps_count, 0);
		attach();
		if (first == 1) {
			steptrace_tool_init(&made.work.tool, &made.work.command, &made.work.step,
					    "t");
			steptrace_tool_begin(&made.work.tool);
		} else if (first == 2) {
			steptrace_fragment_changed(&made.work.step, 1, STEPTRACE_CREATED);
		}
		steptrace_step_end(&made.work.step, STEPTRACE_SUCCESS);
		steptrace_command_end(&made.work.command, STEPTRACE_SUCCESS);
		expect_described(&made);
	}
}

static void without_a_tracer_it_is_not_asked_for(void **state)
{
	struct described made;

	(void)state;
	begin_described(&made);
	steptrace_step_end(&made.work.step, STEPTRACE_SUCCESS);
	steptrace_command_end(&made.work.command, STEPTRACE_SUCCESS);
	assert_int_equal(made.commands_count + made.steps_count, 0);
}

static void a_rejected_command_has_its_text(void **state)
{
	struct steptrace_command command;
	int count = 0;

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	command.describe = describe_command;
	command.context = &count;
	steptrace_command_rejected(&command, "unknown_command", NULL);
	assert_int_equal(count, 1);
	assert_string_equal(command.span.user_id, "late user");
}

/* ---- suspended spans. The same calls for a step and for its command. */

static void suspend(struct work *work)
{
	steptrace_step_suspend(&work->step);
	steptrace_command_suspend(&work->command);
}

static void resume(struct work *work)
{
	steptrace_step_resume(&work->step);
	steptrace_command_resume(&work->command);
}

static void end_work(struct work *work)
{
	steptrace_step_end(&work->step, STEPTRACE_SUCCESS);
	steptrace_command_end(&work->command, STEPTRACE_SUCCESS);
}

static void spend(uint64_t ns)
{
	uint64_t until = now_ns() + ns;

	while (now_ns() < until)
		continue;
}

static void expect_suspended(const struct work *work, uint64_t at_least_ns)
{
	const struct steptrace_span_head *heads[] = {&work->step.span.head,
						     &work->command.span.head};
	const uint64_t suspended[] = {work->step.span.suspended_ns,
				      work->command.span.suspended_ns};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(heads[i]->flags, STEPTRACE_FLAG_SUSPENDED);
		assert_true(heads[i]->start_ns > 0);
		assert_in_range(suspended[i], at_least_ns,
				heads[i]->end_ns - heads[i]->start_ns - at_least_ns);
	}
}

static void expect_no_duration(const struct work *work)
{
	assert_int_equal(work->step.span.head.flags, STEPTRACE_FLAG_SUSPENDED);
	assert_int_equal(work->command.span.head.flags, STEPTRACE_FLAG_SUSPENDED);
	assert_int_equal(work->step.span.head.start_ns, 0);
	assert_int_equal(work->command.span.head.start_ns, 0);
}

static void pauses_add_up(void **state)
{
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	for (int i = 0; i < 3; i++) {
		spend(100000);
		suspend(&work);
		suspend(&work); /* changes nothing */
		spend(100000);
		resume(&work);
		resume(&work); /* changes nothing */
	}
	end_work(&work);
	expect_suspended(&work, 300000);
}

static void a_span_may_end_while_it_is_suspended(void **state)
{
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	spend(200000);
	suspend(&work);
	spend(200000);
	end_work(&work);
	expect_suspended(&work, 200000);
}

/* The calls: "+" attach, "-" detach, "s" suspend, "r" resume. */
static void a_pause_of_unknown_length_leaves_no_duration(void **state)
{
	static const char *const rows[] = {"s-r+", "-s+r", "-sr+", "-s+"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct work work;

		semaphore__set(1);
		begin_work(&work);
		for (const char *call = rows[i]; *call; call++) {
			if (*call == '+')
				attach();
			else if (*call == '-')
				detach();
			else if (*call == 's')
				suspend(&work);
			else
				resume(&work);
		}
		end_work(&work);
		expect_no_duration(&work);
	}
}

/* The tracer was away in the meantime, but saw both ends of the pause. */
static void a_pause_outlives_a_tracer(void **state)
{
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	spend(100000);
	suspend(&work);
	detach();
	spend(100000);
	attach();
	resume(&work);
	end_work(&work);
	expect_suspended(&work, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		USDT_TEST(text_is_asked_for_once),
		USDT_TEST(text_is_asked_for_when_a_tracer_attaches),
		USDT_TEST(without_a_tracer_it_is_not_asked_for),
		USDT_TEST(a_rejected_command_has_its_text),
		USDT_TEST(pauses_add_up),
		USDT_TEST(a_span_may_end_while_it_is_suspended),
		USDT_TEST(a_pause_of_unknown_length_leaves_no_duration),
		USDT_TEST(a_pause_outlives_a_tracer),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
