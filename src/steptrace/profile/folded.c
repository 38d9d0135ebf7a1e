// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile/folded.h"

const char *stack_state__name(enum stack_state state)
{
	static const char *const names[] = {
		[STATE_ON_CPU] = "on-cpu", [STATE_RUNNABLE] = "runnable", [STATE_DISK] = "disk",
		[STATE_LOCK] = "lock",     [STATE_NETWORK] = "network",   [STATE_SLEEP] = "sleep",
		[STATE_PIPE] = "pipe",     [STATE_OTHER] = "other",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == STACK_STATES_COUNT, "a name is missing");
	return names[state];
}
