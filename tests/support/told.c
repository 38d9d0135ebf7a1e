// SPDX-License-Identifier: BSD-2-Clause
/* This file must not include steptrace.h, whose probe functions have the same names. Those are weak
 * symbols, so the linker prefers these. */
#include "told.h"

void steptrace_probe_step__done(const void *span);
void steptrace_probe_command__done(const void *span);
void steptrace_probe_fragment__changed(const void *span);

struct told told;

void told__forget(void)
{
	told = (struct told){.steps_count = 0};
}

void steptrace_probe_step__done(const void *span)
{
	if (told.steps_count < TOLD_STEPS_MAX)
		told.steps[told.steps_count++] = *(const struct step_span *)span;
}

void steptrace_probe_command__done(const void *span)
{
	told.command = *(const struct command_span *)span;
}

void steptrace_probe_fragment__changed(const void *span)
{
	(void)span;
	told.fragments_count++;
}
