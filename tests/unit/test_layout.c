// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <steptrace.h>

#include "own_semaphore.h" /* a tracer that attaches changes the bytes of the sites */
#include "steptrace/attach/site_choice.h"
#include "steptrace/inflight/runner_structs.h"
#include "steptrace/inflight/tags.h"
#include "steptrace/record.h"
#include "steptrace/stream/event.h"

/*
 * The runner's header (usdt/steptrace.h) and the tracer's (record.h) describe the same bytes of a
 * span. Each table lists the members of one span in order, with their place in both headers. The
 * test checks that the places are equal and that the tables leave no gap.
 */
struct member {
	const char *name;
	size_t runner_at, runner_bytes, tracer_at, tracer_bytes;
};

#define BYTES(type, member) sizeof(((struct type *)NULL)->member)
#define SAME(runner, tracer, member)                                                               \
	{                                                                                          \
#member, offsetof(struct runner, member), BYTES(runner, member),                   \
			offsetof(struct tracer, member), BYTES(tracer, member)                     \
	}
#define OWNER(runner, tracer)                                                                      \
	{"head", offsetof(struct runner, head), BYTES(runner, head),                               \
	 offsetof(struct tracer, child.head), BYTES(tracer, child.head)},                          \
		{"announced", offsetof(struct runner, owner.command_announced_ns),                 \
		 BYTES(runner, owner.command_announced_ns),                                        \
		 offsetof(struct tracer, child.command_announced_ns),                              \
		 BYTES(tracer, child.command_announced_ns)},                                       \
	{                                                                                          \
		"command", offsetof(struct runner, owner.command), BYTES(runner, owner.command),   \
			offsetof(struct tracer, child.command), BYTES(tracer, child.command)       \
	}

#define HEAD(member) SAME(steptrace_span_head, span_head, member)
static const struct member head_members[] = {HEAD(size_bytes),  HEAD(layout),   HEAD(kind),
					     HEAD(flags),       HEAD(start_ns), HEAD(end_ns),
					     HEAD(execution_id)};

#define COMMAND(member) SAME(steptrace_command_span, command_span, member)
static const struct member command_members[] = {
	COMMAND(head),
	COMMAND(announced_ns),
	COMMAND(parent_execution_id),
	COMMAND(schedule_id),
	COMMAND(schedule_run_id),
	COMMAND(planned_run_at_s),
	COMMAND(steps_successful),
	COMMAND(steps_failed),
	COMMAND(steps_skipped),
	COMMAND(arguments_count),
	COMMAND(outcome),
	COMMAND(error_category),
	COMMAND(reserved),
	COMMAND(slug),
	COMMAND(user_id),
	COMMAND(request_source),
	COMMAND(correlation_id),
	COMMAND(steps_aborted),
	COMMAND(steps_cancelled),
	COMMAND(suspended_ns),
	COMMAND(enqueued_at_ns),
	COMMAND(attempt),
	COMMAND(reserved_too),
	COMMAND(queue),
};

#define STEP(member) SAME(steptrace_step_span, step_span, member)
static const struct member step_members[] = {
	OWNER(steptrace_step_span, step_span),
	STEP(step_id),
	STEP(parent_step_id),
	STEP(fragment_id),
	STEP(mutations_count),
	STEP(items_in),
	STEP(items_out),
	STEP(prompt_tokens),
	STEP(completion_tokens),
	STEP(index),
	STEP(depth),
	STEP(outcome),
	STEP(error_category),
	STEP(ai_cache),
	STEP(reserved),
	STEP(type),
	STEP(name),
	STEP(suspended_ns),
};

#define TOOL(member) SAME(steptrace_tool_span, tool_span, member)
static const struct member tool_members[] = {
	OWNER(steptrace_tool_span, tool_span),
	TOOL(step_id),
	TOOL(invocation_id),
	TOOL(exit_status),
	TOOL(outcome),
	TOOL(reserved),
	TOOL(slug),
};

#define FRAGMENT(member) SAME(steptrace_fragment_span, fragment_span, member)
static const struct member fragment_members[] = {
	OWNER(steptrace_fragment_span, fragment_span),
	FRAGMENT(step_id),
	FRAGMENT(fragment_id),
	FRAGMENT(operation),
	FRAGMENT(reserved),
};

#define REJECTED(member) SAME(steptrace_rejected_span, rejected_span, member)
static const struct member rejected_members[] = {
	REJECTED(head),           REJECTED(slug),           REJECTED(user_id),
	REJECTED(request_source), REJECTED(correlation_id), REJECTED(reason),
	REJECTED(invalid_fields),
};

#define KEPT(runner, tracer, theirs, ours)                                                         \
	{                                                                                          \
#ours, offsetof(struct runner, theirs), BYTES(runner, theirs),                     \
			offsetof(struct tracer, ours), BYTES(tracer, ours)                         \
	}

#define COMMAND_KEPT(member) SAME(steptrace_command, runner_command, member)
static const struct member kept_command_members[] = {
	COMMAND_KEPT(slug),
	COMMAND_KEPT(context),
	COMMAND_KEPT(user_id),
	COMMAND_KEPT(request_source),
	COMMAND_KEPT(correlation_id),
	COMMAND_KEPT(queue),
	COMMAND_KEPT(parent),
	COMMAND_KEPT(describe),
	COMMAND_KEPT(enqueued_at_ns),
	COMMAND_KEPT(schedule_id),
	COMMAND_KEPT(schedule_run_id),
	COMMAND_KEPT(planned_run_at_s),
	COMMAND_KEPT(attempt),
	COMMAND_KEPT(arguments_count),
	COMMAND_KEPT(is_scheduled),
	COMMAND_KEPT(dry_run),
	COMMAND_KEPT(error_category),
	COMMAND_KEPT(described),
	COMMAND_KEPT(begun),
	COMMAND_KEPT(pause),
	{"reserved", offsetof(struct steptrace_command, pause) + 1, 2,
	 offsetof(struct runner_command, reserved), 2},
	COMMAND_KEPT(announced_key),
	COMMAND_KEPT(steps_count),
	KEPT(steptrace_command, runner_command, pauses.since_ns, paused_since_ns),
	KEPT(steptrace_command, runner_command, pauses.total_ns, paused_total_ns),
	COMMAND_KEPT(tag),
	COMMAND_KEPT(span),
};

#define STEP_KEPT(member) SAME(steptrace_step, runner_step, member)
static const struct member kept_step_members[] = {
	STEP_KEPT(command),
	STEP_KEPT(type),
	STEP_KEPT(context),
	STEP_KEPT(parent),
	STEP_KEPT(name),
	STEP_KEPT(describe),
	STEP_KEPT(fragment_id),
	STEP_KEPT(mutations_count),
	STEP_KEPT(items_in),
	STEP_KEPT(items_out),
	STEP_KEPT(prompt_tokens),
	STEP_KEPT(completion_tokens),
	STEP_KEPT(index),
	STEP_KEPT(has_fragment_id),
	STEP_KEPT(has_items),
	STEP_KEPT(ai_cache),
	STEP_KEPT(error_category),
	STEP_KEPT(described),
	STEP_KEPT(pause),
	KEPT(steptrace_step, runner_step, pauses.since_ns, paused_since_ns),
	KEPT(steptrace_step, runner_step, pauses.total_ns, paused_total_ns),
	STEP_KEPT(tag),
	STEP_KEPT(span),
};

#define TABLE(members, runner, tracer)                                                             \
	{                                                                                          \
#tracer, members, sizeof(members) / sizeof(*(members)), sizeof(struct runner),     \
			sizeof(struct tracer)                                                      \
	}
static const struct table {
	const char *name;
	const struct member *members;
	size_t count, runner_bytes, tracer_bytes;
} tables[] = {
	TABLE(head_members, steptrace_span_head, span_head),
	TABLE(command_members, steptrace_command_span, command_span),
	TABLE(step_members, steptrace_step_span, step_span),
	TABLE(tool_members, steptrace_tool_span, tool_span),
	TABLE(fragment_members, steptrace_fragment_span, fragment_span),
	TABLE(rejected_members, steptrace_rejected_span, rejected_span),
	TABLE(kept_command_members, steptrace_command, runner_command),
	TABLE(kept_step_members, steptrace_step, runner_step),
};

static void check_table(const struct table *table)
{
	size_t end = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct member *member = &table->members[i];

		if (member->runner_at != member->tracer_at ||
		    member->runner_bytes != member->tracer_bytes)
			fail_msg("%s.%s: the runner's is %zu bytes at %zu, the tracer's %zu at %zu",
				 table->name, member->name, member->runner_bytes, member->runner_at,
				 member->tracer_bytes, member->tracer_at);
		if (member->tracer_at != end)
			fail_msg("%s: something lies in front of %s", table->name, member->name);
		end += member->tracer_bytes;
	}
	assert_int_equal(end, table->tracer_bytes);
	assert_int_equal(end, table->runner_bytes);
}

static void spans_are_the_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		check_table(&tables[i]);
}

/* The BPF program reads announced_ns at the same offset in every kind of span. */
static void announced_ns_has_the_same_offset_in_all_spans(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct command_span, announced_ns),
			 offsetof(struct child_span, command_announced_ns));
	assert_int_equal(offsetof(struct steptrace_step_span, owner),
			 offsetof(struct steptrace_command_span, announced_ns));
}

static void flags_mean_the_same(void **state)
{
	(void)state;
	assert_int_equal(SPAN_DRY_RUN, STEPTRACE_FLAG_DRY_RUN);
	assert_int_equal(SPAN_SCHEDULED, STEPTRACE_FLAG_SCHEDULED);
	assert_int_equal(SPAN_FRAGMENT_ID, STEPTRACE_FLAG_FRAGMENT_ID);
	assert_int_equal(SPAN_ITEMS, STEPTRACE_FLAG_ITEMS);
	assert_int_equal(SPAN_EXIT_STATUS, STEPTRACE_FLAG_EXIT_STATUS);
	assert_int_equal(SPAN_SUSPENDED, STEPTRACE_FLAG_SUSPENDED);
	assert_int_equal(SPAN_FAILED, STEPTRACE_FAILURE);
	assert_int_equal(SPAN_ABORTED, STEPTRACE_ABORTED);
}

static void layout_and_kinds_have_the_same_numbers(void **state)
{
	(void)state;
	assert_int_equal(RUNNER_SPAN_COMMAND, STEPTRACE_SPAN_COMMAND);
	assert_int_equal(RUNNER_SPAN_STEP, STEPTRACE_SPAN_STEP);
	assert_int_equal(RUNNER_NEVER_PAUSED, STEPTRACE__NEVER_PAUSED);
	assert_int_equal(RUNNER_PAUSED, STEPTRACE__PAUSED);
	assert_int_equal(RUNNER_RESUMED, STEPTRACE__RESUMED);
	assert_int_equal(TAG_VERSION, STEPTRACE__TAG_VERSION);
	assert_int_equal(SPAN_LAYOUT, STEPTRACE_LAYOUT);
#define SAME_NUMBER(kind, ...) assert_int_equal(SPAN_##kind, STEPTRACE_SPAN_##kind);
	STEPTRACE_SPANS(SAME_NUMBER)
}

/* Numbers of the runner's enums have names in events. 0, which means "not set", has none. */
static void numbers_have_the_runners_names(void **state)
{
	static const struct {
		const char *(*name_of)(unsigned int number);
		unsigned int number;
		const char *name;
	} names[] = {
		{outcome__name, STEPTRACE_SUCCESS, "success"},
		{outcome__name, STEPTRACE_FAILURE, "failure"},
		{outcome__name, STEPTRACE_SKIPPED, "skipped"},
		{outcome__name, STEPTRACE_ABORTED, "aborted"},
		{outcome__name, STEPTRACE_CANCELLED, "cancelled"},
		{error_category__name, STEPTRACE_ERROR_GENERAL, "general"},
		{error_category__name, STEPTRACE_ERROR_TIMEOUT, "timeout"},
		{error_category__name, STEPTRACE_ERROR_MEMORY, "memory"},
		{error_category__name, STEPTRACE_ERROR_PERMISSION, "permission"},
		{error_category__name, STEPTRACE_ERROR_NOT_FOUND, "not_found"},
		{error_category__name, STEPTRACE_ERROR_VALIDATION, "validation"},
		{error_category__name, STEPTRACE_ERROR_NETWORK, "network"},
		{error_category__name, STEPTRACE_ERROR_DATABASE, "database"},
		{error_category__name, STEPTRACE_ERROR_CANCELLED, "cancelled"},
		{error_category__name, STEPTRACE_ERROR_LIMIT, "limit"},
		{ai_cache__name, STEPTRACE_AI_OFF, "off"},
		{ai_cache__name, STEPTRACE_AI_MISS, "miss"},
		{ai_cache__name, STEPTRACE_AI_HIT, "hit"},
		{operation__name, STEPTRACE_CREATED, "created"},
		{operation__name, STEPTRACE_UPDATED, "updated"},
		{operation__name, STEPTRACE_DELETED, "deleted"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_string_equal(names[i].name_of(names[i].number), names[i].name);
	assert_null(error_category__name(STEPTRACE_ERROR_NONE));
	assert_null(ai_cache__name(STEPTRACE_AI_NONE));
}

/* The shortest span that the tracer accepts is that of the first published header. It must never
 * change, or older runners would be refused. */
static void first_published_lengths_stay(void **state)
{
	(void)state;
	assert_int_equal(COMMAND_SPAN_MIN_BYTES, 264);
	assert_int_equal(STEP_SPAN_MIN_BYTES, 176);
	assert_int_equal(TOOL_SPAN_MIN_BYTES, 160);
	assert_int_equal(FRAGMENT_SPAN_MIN_BYTES, 88);
	assert_int_equal(REJECTED_SPAN_MIN_BYTES, 344);
}

/* The tracer recognises the sites in the functions that the header makes. */
static void sites_are_where_the_header_puts_them(void **state)
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

static void the_fastest_site_that_fired_is_chosen(void **state)
{
	struct site_choice measured = {.ns_per_hit = {500, 200, 0}};

	(void)state;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP5);
	assert_int_equal(site__choose(&measured, 1 << SITE_NOP1), SITE_NOP1);
	measured.ns_per_hit[SITE_NOP5] = 460; /* only a little faster: it may be a trap too */
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
	measured.ns_per_hit[SITE_NOP5] = 200;
	measured.kills_forks[SITE_NOP5] = true;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
	measured.kills_forks[SITE_NOP5] = false;
	measured.is_trap[SITE_NOP5] = true;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
	measured.is_trap[SITE_NOP5] = false;
	measured.ns_per_hit[SITE_NOP5] = 900; /* as on an older kernel */
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
	measured.ns_per_hit[SITE_NOP10] = 100;
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP10);
	measured = (struct site_choice){.ns_per_hit = {0}};
	assert_int_equal(site__choose(&measured, ~0u), SITE_NOP1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_the_same_bytes),
		cmocka_unit_test(announced_ns_has_the_same_offset_in_all_spans),
		cmocka_unit_test(flags_mean_the_same),
		cmocka_unit_test(layout_and_kinds_have_the_same_numbers),
		cmocka_unit_test(numbers_have_the_runners_names),
		cmocka_unit_test(first_published_lengths_stay),
		cmocka_unit_test(sites_are_where_the_header_puts_them),
		cmocka_unit_test(the_fastest_site_that_fired_is_chosen),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
