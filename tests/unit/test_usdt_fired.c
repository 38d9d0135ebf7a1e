// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a tracer sees at the moment when a probe fires. Functions of this test stand in for the
 * probe functions: the header leaves out a probe function that the assembler knows already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#if defined(__x86_64__)
#define JUMP "jmp"
#else
#define JUMP "b"
#endif

#define STAND_IN(probe)                                                                            \
	void fired_##probe(const void *span);                                                      \
	__asm__("\t.text\n"                                                                        \
		"\t.globl steptrace_probe_" #probe "\n"                                            \
		"\t.hidden steptrace_probe_" #probe "\n"                                           \
		"\t.type steptrace_probe_" #probe ", %function\n"                                  \
		"steptrace_probe_" #probe ":\n\t" JUMP " fired_" #probe "\n");

STAND_IN(command__start)
STAND_IN(command__done)
STAND_IN(command__rejected)
STAND_IN(step__start)
STAND_IN(step__done)
STAND_IN(tool__start)
STAND_IN(tool__done)
STAND_IN(fragment__changed)

#include "usdt_fixture.h"

/* The probe that fired last, and the span as it was then. */
static struct {
	const char *probe;
	uint64_t at_ns;
	union {
		struct steptrace_span_head head;
		struct steptrace_command_span command;
		struct steptrace_step_span step;
		struct steptrace_tool_span tool;
		struct steptrace_fragment_span fragment;
		struct steptrace_rejected_span rejected;
	};
} fired;

/* Takes a moment, as a breakpoint does: whatever is stamped afterwards is later. */
static void fire(const char *probe, const void *span, size_t bytes)
{
	fired.probe = probe;
	memcpy(&fired.head, span, bytes);
	fired.at_ns = now_ns();
	while (now_ns() == fired.at_ns)
		continue;
}

#define FIRES(name, kind)                                                                          \
	void fired_##name(const void *span)                                                        \
	{                                                                                          \
		fire(#name, span, sizeof(struct steptrace_##kind##_span));                         \
	}

FIRES(command__start, command)
FIRES(command__done, command)
FIRES(command__rejected, rejected)
FIRES(step__start, step)
FIRES(step__done, step)
FIRES(tool__start, tool)
FIRES(tool__done, tool)
FIRES(fragment__changed, fragment)

/* The start is stamped after the probe: a duration does not contain the cost of its own probes. */
static void expect_begun(const char *probe, const struct steptrace_span_head *head)
{
	assert_string_equal(fired.probe, probe);
	assert_int_equal(fired.head.start_ns, 0);
	assert_int_equal(fired.head.end_ns, 0);
	assert_true(head->start_ns > fired.at_ns);
}

/* The end is stamped before it. */
static void expect_ended(const char *probe, const struct steptrace_span_head *head)
{
	assert_string_equal(fired.probe, probe);
	assert_true(fired.head.start_ns > 0);
	assert_in_range(fired.head.end_ns, fired.head.start_ns, fired.at_ns);
	assert_true(head->end_ns == fired.head.end_ns);
}

static void durations_do_not_contain_their_own_probes(void **state)
{
	struct work work;

	(void)state;
	attach();
	memset(&work, 0xa5, sizeof(work));
	steptrace_command_init(&work.command, "c");
	steptrace_command_begin(&work.command);
	expect_begun("command__start", &work.command.span.head);
	assert_in_range(fired.command.announced_ns, 1, fired.at_ns);
	steptrace_step_init(&work.step, &work.command, "S");
	steptrace_step_begin(&work.step);
	expect_begun("step__start", &work.step.span.head);
	steptrace_tool_init(&work.tool, &work.command, &work.step, "t");
	steptrace_tool_begin(&work.tool);
	expect_begun("tool__start", &work.tool.span.head);
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	expect_ended("tool__done", &work.tool.span.head);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	expect_ended("step__done", &work.step.span.head);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	expect_ended("command__done", &work.command.span.head);
}

static void a_change_of_a_fragment(void **state)
{
	const struct steptrace_fragment_span *span = &fired.fragment;
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	steptrace_fragment_changed(&work.step, -5, STEPTRACE_UPDATED);
	assert_string_equal(fired.probe, "fragment__changed");
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_FRAGMENT);
	assert_memory_equal(span->head.execution_id, work.command.span.head.execution_id, 16);
	assert_memory_equal(span->step_id, work.step.span.step_id, 16);
	assert_true(span->owner.command_announced_ns == work.command.span.announced_ns);
	assert_true(span->owner.command == (uintptr_t)&work.command.span);
	assert_int_equal(span->fragment_id, -5);
	assert_int_equal(span->operation, STEPTRACE_UPDATED);
	assert_true(is_zero(span->reserved, sizeof(span->reserved)));
}

static void a_rejected_command(void **state)
{
	const struct steptrace_rejected_span *span = &fired.rejected;
	struct steptrace_command command;

	(void)state;
	attach();
	memset(&command, 0xa5, sizeof(command));
	steptrace_command_init(&command, "no.such");
	command.user_id = "someone";
	command.request_source = "api";
	command.correlation_id = "request-9";
	steptrace_command_rejected(&command, "unknown_command", "a,b");
	assert_string_equal(fired.probe, "command__rejected");
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_REJECTED);
	assert_memory_equal(span->head.execution_id, command.span.head.execution_id, 16);
	assert_string_equal(span->slug, "no.such");
	assert_string_equal(span->user_id, "someone");
	assert_string_equal(span->request_source, "api");
	assert_string_equal(span->correlation_id, "request-9");
	assert_string_equal(span->reason, "unknown_command");
	assert_string_equal(span->invalid_fields, "a,b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		USDT_TEST(durations_do_not_contain_their_own_probes),
		USDT_TEST(a_change_of_a_fragment),
		USDT_TEST(a_rejected_command),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
