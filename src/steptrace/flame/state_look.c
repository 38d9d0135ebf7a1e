// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/state_look.h"

/* Equal lightness within a column: OKLCH 83, 70, 76 and 63 percent. */
static const struct state_look looks[] = {
	[STATE_ON_CPU] = {"on-CPU", "#ffb46e", "#d58b44", "#e99e58", "#be762c"},
	[STATE_RUNNABLE] = {"waits for a processor", "#c9cf78", "#a0a54f", "#b3b862", "#8b9039"},
	[STATE_DISK] = {"disk", "#8fcfff", "#67a6d5", "#79b9e8", "#5190be"},
	[STATE_LOCK] = {"lock", "#d5b7ff", "#ac8ed4", "#bea1e8", "#9679bd"},
	[STATE_NETWORK] = {"network", "#81d9d8", "#57afaf", "#6ac2c2", "#3f9999"},
	[STATE_SLEEP] = {"sleep", "#bbc8df", "#939fb5", "#a5b2c8", "#7e8a9f"},
	[STATE_PIPE] = {"pipe", "#92dba6", "#69b17e", "#7cc490", "#549b69"},
	[STATE_OTHER] = {"other waits", "#cac7c2", "#a19e99", "#b4b1ab", "#8c8984"},
};

_Static_assert(sizeof(looks) / sizeof(looks[0]) == STACK_STATES_COUNT, "a state is missing");

const struct state_look *state_look__of(enum stack_state state)
{
	return &looks[state];
}
