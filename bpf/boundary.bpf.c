// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * One handler for each probe of usdt/steptrace.h. The probe's argument, the address of the
 * runner's span, is the first argument of the probe function. A program is loaded only when its
 * probe is wanted ("?").
 */
#include "emit.bpf.h"

SEC("?uprobe")
int command__start(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_COMMAND_START))
		EMIT_WITH_PROCESS(&at, command_span, COMMAND_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int command__done(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_COMMAND_DONE))
		EMIT_COMMAND(&at);
	return 0;
}

SEC("?uprobe")
int command__rejected(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_COMMAND_REJECTED))
		EMIT_WITH_PROCESS(&at, rejected_span, REJECTED_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int step__start(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_STEP_START))
		EMIT_CHILD(&at, step_span, STEP_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int step__done(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_STEP_DONE))
		EMIT_CHILD(&at, step_span, STEP_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int tool__start(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_TOOL_START))
		EMIT_CHILD(&at, tool_span, TOOL_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int tool__done(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_TOOL_DONE))
		EMIT_CHILD(&at, tool_span, TOOL_SPAN_MIN_BYTES);
	return 0;
}

SEC("?uprobe")
int fragment__changed(struct pt_regs *regs)
{
	struct boundary at;

	if (boundary__open(&at, regs, PROBE_FRAGMENT_CHANGED))
		EMIT_CHILD(&at, fragment_span, FRAGMENT_SPAN_MIN_BYTES);
	return 0;
}
