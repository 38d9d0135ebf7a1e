// SPDX-License-Identifier: BSD-2-Clause
/* The runner's header and the tracer's contract are two files on purpose; here they meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <steptrace.h>
#include <string.h>

#include "steptrace/event.h"
#include "steptrace/record.h"
#include "steptrace/site.h"

#define SAME_SIZE(theirs, ours) assert_int_equal(sizeof(struct theirs), sizeof(struct ours))
#define SAME(theirs, their_member, ours, our_member)                                               \
	do {                                                                                       \
		assert_int_equal(offsetof(struct theirs, their_member),                            \
				 offsetof(struct ours, our_member));                               \
		assert_int_equal(sizeof(((struct theirs *)0)->their_member),                       \
				 sizeof(((struct ours *)0)->our_member));                          \
	} while (0)

static void heads(void **state)
{
	(void)state;
	SAME_SIZE(steptrace_span_head, span_head);
	SAME(steptrace_span_head, size_bytes, span_head, size_bytes);
	SAME(steptrace_span_head, layout, span_head, layout);
	SAME(steptrace_span_head, kind, span_head, kind);
	SAME(steptrace_span_head, flags, span_head, flags);
	SAME(steptrace_span_head, start_ns, span_head, start_ns);
	SAME(steptrace_span_head, end_ns, span_head, end_ns);
	SAME(steptrace_span_head, execution_id, span_head, execution_id);
}

static void commands(void **state)
{
	(void)state;
	SAME_SIZE(steptrace_command_span, command_span);
	SAME(steptrace_command_span, announced_ns, command_span, announced_ns);
	SAME(steptrace_command_span, parent_execution_id, command_span, parent_execution_id);
	SAME(steptrace_command_span, schedule_id, command_span, schedule_id);
	SAME(steptrace_command_span, schedule_run_id, command_span, schedule_run_id);
	SAME(steptrace_command_span, planned_run_at_s, command_span, planned_run_at_s);
	SAME(steptrace_command_span, steps_successful, command_span, steps_successful);
	SAME(steptrace_command_span, steps_failed, command_span, steps_failed);
	SAME(steptrace_command_span, steps_skipped, command_span, steps_skipped);
	SAME(steptrace_command_span, arguments_count, command_span, arguments_count);
	SAME(steptrace_command_span, outcome, command_span, outcome);
	SAME(steptrace_command_span, error_category, command_span, error_category);
	SAME(steptrace_command_span, slug, command_span, slug);
	SAME(steptrace_command_span, user_id, command_span, user_id);
	SAME(steptrace_command_span, request_source, command_span, request_source);
	SAME(steptrace_command_span, correlation_id, command_span, correlation_id);
}

static void steps(void **state)
{
	(void)state;
	SAME_SIZE(steptrace_step_span, step_span);
	SAME(steptrace_step_span, owner.command_announced_ns, step_span,
	     child.command_announced_ns);
	SAME(steptrace_step_span, owner.command, step_span, child.command);
	SAME(steptrace_step_span, step_id, step_span, step_id);
	SAME(steptrace_step_span, parent_step_id, step_span, parent_step_id);
	SAME(steptrace_step_span, fragment_id, step_span, fragment_id);
	SAME(steptrace_step_span, mutations_count, step_span, mutations_count);
	SAME(steptrace_step_span, items_in, step_span, items_in);
	SAME(steptrace_step_span, items_out, step_span, items_out);
	SAME(steptrace_step_span, prompt_tokens, step_span, prompt_tokens);
	SAME(steptrace_step_span, completion_tokens, step_span, completion_tokens);
	SAME(steptrace_step_span, index, step_span, index);
	SAME(steptrace_step_span, depth, step_span, depth);
	SAME(steptrace_step_span, outcome, step_span, outcome);
	SAME(steptrace_step_span, error_category, step_span, error_category);
	SAME(steptrace_step_span, ai_cache, step_span, ai_cache);
	SAME(steptrace_step_span, type, step_span, type);
	SAME(steptrace_step_span, name, step_span, name);
}

static void others(void **state)
{
	(void)state;
	SAME_SIZE(steptrace_tool_span, tool_span);
	SAME(steptrace_tool_span, step_id, tool_span, step_id);
	SAME(steptrace_tool_span, invocation_id, tool_span, invocation_id);
	SAME(steptrace_tool_span, exit_status, tool_span, exit_status);
	SAME(steptrace_tool_span, outcome, tool_span, outcome);
	SAME(steptrace_tool_span, slug, tool_span, slug);
	SAME_SIZE(steptrace_fragment_span, fragment_span);
	SAME(steptrace_fragment_span, step_id, fragment_span, step_id);
	SAME(steptrace_fragment_span, fragment_id, fragment_span, fragment_id);
	SAME(steptrace_fragment_span, operation, fragment_span, operation);
	SAME_SIZE(steptrace_rejected_span, rejected_span);
	SAME(steptrace_rejected_span, slug, rejected_span, slug);
	SAME(steptrace_rejected_span, correlation_id, rejected_span, correlation_id);
	SAME(steptrace_rejected_span, reason, rejected_span, reason);
	SAME(steptrace_rejected_span, invalid_fields, rejected_span, invalid_fields);
}

static void numbers(void **state)
{
	(void)state;
	assert_string_equal(outcome__name(STEPTRACE_SUCCESS), "success");
	assert_string_equal(outcome__name(STEPTRACE_FAILURE), "failure");
	assert_string_equal(outcome__name(STEPTRACE_SKIPPED), "skipped");
	assert_null(outcome__name(0));
	assert_null(outcome__name(4));
	assert_null(error_category__name(STEPTRACE_ERROR_NONE));
	assert_string_equal(error_category__name(STEPTRACE_ERROR_GENERAL), "general");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_TIMEOUT), "timeout");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_MEMORY), "memory");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_PERMISSION), "permission");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_NOT_FOUND), "not_found");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_VALIDATION), "validation");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_NETWORK), "network");
	assert_string_equal(error_category__name(STEPTRACE_ERROR_DATABASE), "database");
	assert_string_equal(ai_cache__name(STEPTRACE_AI_HIT), "hit");
	assert_string_equal(ai_cache__name(STEPTRACE_AI_MISS), "miss");
	assert_string_equal(ai_cache__name(STEPTRACE_AI_OFF), "off");
	assert_string_equal(operation__name(STEPTRACE_CREATED), "created");
	assert_string_equal(operation__name(STEPTRACE_UPDATED), "updated");
	assert_string_equal(operation__name(STEPTRACE_DELETED), "deleted");
	assert_int_equal(STEPTRACE_FLAG_DRY_RUN, SPAN_DRY_RUN);
	assert_int_equal(STEPTRACE_FLAG_SCHEDULED, SPAN_SCHEDULED);
	assert_int_equal(STEPTRACE_FLAG_FRAGMENT_ID, SPAN_FRAGMENT_ID);
	assert_int_equal(STEPTRACE_FLAG_ITEMS, SPAN_ITEMS);
	assert_int_equal(STEPTRACE_FLAG_EXIT_STATUS, SPAN_EXIT_STATUS);
}

/* The tracer's table of sites describes the functions that the header makes. */
static void site_bytes(void **state)
{
	const uint8_t *function = (const uint8_t *)(uintptr_t)steptrace_probe_step__done;

	(void)state;
#if defined(__x86_64__)
	assert_int_equal(site__recognise(function, SITES_BYTES),
			 1 << SITE_NOP1 | 1 << SITE_NOP5 | 1 << SITE_NOP10);
	assert_int_equal((uintptr_t)function % 32, 0);
#else
	assert_int_equal(site__recognise(function + 4, 4), 1 << SITE_NOP1);
#endif
	assert_int_equal(site__recognise((const uint8_t *)"\xc3", 1), 0);
	assert_int_equal(site__recognise(function, 0), 0);
}

static void choice(void **state)
{
	struct site_choice measured = {.ns_per_hit = {500, 200, 0}};

	(void)state;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP5);
	assert_int_equal(site__choose(&measured, 1 << SITE_NOP1), SITE_NOP1);
	measured.ns_per_hit[SITE_NOP5] = 900; /* an older kernel */
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
	measured.ns_per_hit[SITE_NOP10] = 100;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP10);
	measured = (struct site_choice){.ns_per_hit = {0}};
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),  cmocka_unit_test(commands), cmocka_unit_test(steps),
		cmocka_unit_test(others), cmocka_unit_test(numbers),  cmocka_unit_test(site_bytes),
		cmocka_unit_test(choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
