// SPDX-License-Identifier: BSD-2-Clause
/* What the header writes into the spans of commands, steps, tool calls and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "usdt_fixture.h"

static void a_command_as_it_was_described(void **state)
{
	uint64_t before = now_ns();
	struct steptrace_command command;
	const struct steptrace_command_span *span = &command.span;

	(void)state;
	attach();
	memset(&command, 0xa5, sizeof(command));
	steptrace_command_init(&command, "fragment.update");
	command.user_id = "local-default";
	command.request_source = "schedule";
	command.correlation_id = "request-7";
	command.is_scheduled = command.dry_run = 1;
	command.schedule_id = -1;
	command.schedule_run_id = 2;
	command.planned_run_at_s = 3;
	command.arguments_count = 4;
	command.queue = "high";
	command.attempt = 5;
	command.enqueued_at_ns = 6;
	steptrace_command_begin(&command);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.layout, STEPTRACE_LAYOUT);
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_COMMAND);
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_DRY_RUN | STEPTRACE_FLAG_SCHEDULED);
	assert_in_range(span->announced_ns, before, span->head.start_ns);
	assert_in_range(span->head.start_ns, before, now_ns());
	assert_int_equal(span->head.end_ns, 0);
	assert_true(span->schedule_id == -1 && span->schedule_run_id == 2 &&
		    span->planned_run_at_s == 3 && span->arguments_count == 4);
	assert_string_equal(span->slug, "fragment.update");
	assert_string_equal(span->user_id, "local-default");
	assert_string_equal(span->request_source, "schedule");
	assert_string_equal(span->correlation_id, "request-7");
	assert_string_equal(span->queue, "high");
	assert_true(span->attempt == 5 && span->enqueued_at_ns == 6);
	assert_true(is_zero(span->parent_execution_id, 16));
	assert_true(is_zero(span->slug + 15, sizeof(span->slug) - 15)); /* nothing of the stack */
	assert_true(is_zero(span->reserved, sizeof(span->reserved)));
	assert_true(is_zero(span->reserved_too, sizeof(span->reserved_too)));
	command.error_category = STEPTRACE_ERROR_NETWORK;
	steptrace_command_end(&command, STEPTRACE_FAILURE);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_NETWORK);
	assert_int_equal(span->suspended_ns, 0);
}

static void a_command_started_by_a_command(void **state)
{
	struct steptrace_command outer, inner;

	(void)state;
	steptrace_command_init(&outer, "outer");
	steptrace_command_begin(&outer); /* unseen */
	attach();
	steptrace_command_init(&inner, "inner");
	inner.parent = &outer;
	steptrace_command_begin(&inner);
	expect_uuid(outer.span.head.execution_id);
	assert_memory_equal(inner.span.parent_execution_id, outer.span.head.execution_id, 16);
	assert_memory_not_equal(inner.span.head.execution_id, outer.span.head.execution_id, 16);
}

static void a_step_as_it_was_described(void **state)
{
	struct work work;
	const struct steptrace_step_span *span = &work.step.span;

	(void)state;
	attach();
	memset(&work, 0xa5, sizeof(work));
	steptrace_command_init(&work.command, "c");
	work.command.dry_run = 1;
	steptrace_command_begin(&work.command);
	steptrace_step_init(&work.step, &work.command, "DatabaseUpdateStep");
	work.step.name = "set-title";
	work.step.index = 7;
	steptrace_step_begin(&work.step);
	assert_int_equal(span->head.end_ns, 0);
	work.step.fragment_id = -3;
	work.step.has_fragment_id = work.step.has_items = 1;
	work.step.mutations_count = UINT64_MAX;
	work.step.items_in = 5;
	work.step.items_out = 4;
	work.step.prompt_tokens = 3;
	work.step.completion_tokens = 2;
	work.step.ai_cache = STEPTRACE_AI_HIT;
	work.step.error_category = STEPTRACE_ERROR_MEMORY;
	steptrace_step_end(&work.step, STEPTRACE_FAILURE);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_STEP);
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_DRY_RUN | STEPTRACE_FLAG_FRAGMENT_ID |
						   STEPTRACE_FLAG_ITEMS);
	assert_memory_equal(span->head.execution_id, work.command.span.head.execution_id, 16);
	assert_true(span->owner.command_announced_ns == work.command.span.announced_ns);
	assert_true(span->owner.command == (uintptr_t)&work.command.span);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_string_equal(span->type, "DatabaseUpdateStep");
	assert_string_equal(span->name, "set-title");
	assert_true(span->fragment_id == -3 && span->mutations_count == UINT64_MAX);
	assert_true(span->items_in == 5 && span->items_out == 4 && span->prompt_tokens == 3 &&
		    span->completion_tokens == 2);
	assert_true(span->index == 7 && span->depth == 0 && span->reserved == 0);
	assert_int_equal(span->ai_cache, STEPTRACE_AI_HIT);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_MEMORY);
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_int_equal(span->suspended_ns, 0);
	assert_true(is_zero(span->parent_step_id, 16));
}

static void steps_inside_of_steps(void **state)
{
	struct steptrace_step steps[4];
	struct steptrace_command command;

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	for (int i = 0; i < 4; i++) {
		steptrace_step_init(&steps[i], &command, "ConditionStep");
		steps[i].parent = i ? &steps[i - 1] : NULL;
		steptrace_step_begin(&steps[i]);
		assert_int_equal(steps[i].span.depth, i);
		if (i)
			assert_memory_equal(steps[i].span.parent_step_id, steps[i - 1].span.step_id,
					    16);
	}
}

static void text_is_cut_between_characters(void **state)
{
	static const struct {
		const char *end; /* behind 60 bytes of a 64-byte field */
		size_t kept;
	} rows[] = {
		{"", 60},
		{"abcd", 64},
		{"abcde", 64},
		{"ab\xc3\xa9", 64},
		{"abc\xc3\xa9", 63},
		{"\xe2\x82\xac\xc3\xa9", 63},
		{"ab\xe2\x82\xac", 62},
		{"\xf0\x9f\x98\x80", 64},
		{"a\xf0\x9f\x98\x80", 61},
		{"abc\xf0\x9f\x98\x80", 63},
		{"abcd\xf0\x9f\x98\x80", 64},
	};

	(void)state;
	attach();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct steptrace_command command;
		char *text = malloc(60 + strlen(rows[i].end) + 1); /* ends where it ends */

		memset(text, 'x', 60);
		strcpy(text + 60, rows[i].end);
		memset(&command, 0xa5, sizeof(command));
		steptrace_command_init(&command, text);
		steptrace_command_begin(&command);
		assert_memory_equal(command.span.slug, text, rows[i].kept);
		assert_true(is_zero(command.span.slug + rows[i].kept, 64 - rows[i].kept));
		free(text);
	}
}

static void text_that_is_not_there(void **state)
{
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	assert_true(is_zero(work.command.span.user_id, sizeof(work.command.span.user_id)));
	assert_true(is_zero(work.command.span.correlation_id, 128));
	assert_true(is_zero(work.command.span.queue, sizeof(work.command.span.queue)));
	assert_true(is_zero(work.step.span.name, sizeof(work.step.span.name)));
}

static void what_has_no_name_is_called_unnamed(void **state)
{
	static const char *const names[] = {NULL, ""};
	struct work work;

	(void)state;
	attach();
	for (int i = 0; i < 2; i++) {
		memset(&work, 0xa5, sizeof(work));
		steptrace_command_init(&work.command, names[i]);
		steptrace_command_begin(&work.command);
		assert_string_equal(work.command.span.slug, "unnamed");
		steptrace_step_init(&work.step, &work.command, names[i]);
		steptrace_step_begin(&work.step);
		assert_string_equal(work.step.span.type, "unnamed");
		steptrace_tool_init(&work.tool, &work.command, NULL, names[i]);
		steptrace_tool_begin(&work.tool);
		assert_string_equal(work.tool.span.slug, "unnamed");
	}
}

static void a_tool_of_a_step(void **state)
{
	struct work work;
	const struct steptrace_tool_span *span = &work.tool.span;

	(void)state;
	attach();
	begin_work(&work);
	steptrace_tool_init(&work.tool, &work.command, &work.step, "shell");
	steptrace_tool_begin(&work.tool);
	work.tool.exit_status = -15;
	work.tool.has_exit_status = 1;
	steptrace_tool_end(&work.tool, STEPTRACE_FAILURE);
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_TOOL);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_EXIT_STATUS);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_memory_equal(span->step_id, work.step.span.step_id, 16);
	assert_memory_not_equal(span->invocation_id, span->step_id, 16);
	expect_uuid(span->invocation_id);
	assert_int_equal(span->exit_status, -15);
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_string_equal(span->slug, "shell");
	assert_true(is_zero(span->reserved, sizeof(span->reserved)));
}

static void a_tool_of_a_command_that_began_unseen(void **state)
{
	struct work work;

	(void)state;
	begin_work(&work);
	steptrace_tool_init(&work.tool, &work.command, NULL, "shell");
	steptrace_tool_begin(&work.tool);
	attach();
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	assert_int_equal(work.tool.span.head.start_ns, 0);
	assert_true(is_zero(work.tool.span.step_id, 16));
	assert_int_equal(work.tool.span.head.flags, 0);
	assert_memory_equal(work.tool.span.head.execution_id, work.command.span.head.execution_id,
			    16);
	expect_uuid(work.tool.span.invocation_id);
}

/* These spans live inside the call; what can be seen is what they leave in their owners. */
static void changes_and_refusals_describe_their_owners(void **state)
{
	struct steptrace_command refused;
	struct work work;

	(void)state;
	begin_work(&work);
	attach();
	steptrace_fragment_changed(&work.step, 5, STEPTRACE_CREATED);
	expect_uuid(work.step.span.step_id);
	assert_int_equal(work.step.described, 1);
	assert_string_equal(work.command.span.slug, "fragment.update");
	memset(&refused, 0xa5, sizeof(refused));
	steptrace_command_init(&refused, "no.such");
	steptrace_command_rejected(&refused, "unknown_command", NULL);
	expect_uuid(refused.span.head.execution_id);
	assert_string_equal(refused.span.slug, "no.such");
}

/* A rejection ends a command that has begun, whenever the tracer attached. */
static void a_rejection_ends_what_has_begun(void **state)
{
	struct steptrace_command command;

	(void)state;
	for (int begun = 0; begun < 2; begun++)
		for (int attached = 0; attached < 2; attached++) {
			memset(&command, 0xa5, sizeof(command));
			semaphore__set((unsigned short)attached);
			steptrace_command_init(&command, "refused");
			if (begun)
				steptrace_command_begin(&command);
			attach();
			steptrace_command_rejected(&command, "invalid_argument", "a");
			assert_int_equal(command.span.outcome, begun ? STEPTRACE_FAILURE : 0);
			assert_int_equal(command.span.error_category,
					 begun ? STEPTRACE_ERROR_VALIDATION : 0);
			assert_int_equal(command.span.head.end_ns != 0, begun);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		USDT_TEST(a_command_as_it_was_described),
		USDT_TEST(a_command_started_by_a_command),
		USDT_TEST(a_step_as_it_was_described),
		USDT_TEST(steps_inside_of_steps),
		USDT_TEST(text_is_cut_between_characters),
		USDT_TEST(text_that_is_not_there),
		USDT_TEST(what_has_no_name_is_called_unnamed),
		USDT_TEST(a_tool_of_a_step),
		USDT_TEST(a_tool_of_a_command_that_began_unseen),
		USDT_TEST(changes_and_refusals_describe_their_owners),
		USDT_TEST(a_rejection_ends_what_has_begun),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
