// SPDX-License-Identifier: BSD-2-Clause
/* A shared library with the probes, like a binding for another language. */
#include <steptrace.h>

void carrier_run(int count);
int carrier_enabled(void);
void carrier_begin(void);

int carrier_enabled(void)
{
	return steptrace_enabled();
}

void carrier_run(int count)
{
	struct steptrace_command command;
	struct steptrace_step step;

	for (int i = 0; i < count; i++) {
		steptrace_command_init(&command, "from.a.library");
		steptrace_command_begin(&command);
		steptrace_step_init(&step, &command, "LibraryStep");
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
}

/* Begins a command and a step. They never end. */
void carrier_begin(void)
{
	static struct steptrace_command command;
	static struct steptrace_step step;

	steptrace_command_init(&command, "from.a.library");
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, "LibraryStep");
	steptrace_step_begin(&step);
}
