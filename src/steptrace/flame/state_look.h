/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a state is shown in pictures. What ran is warm; each kind of waiting has a cool colour. The
 * kernel's frames are darker. Text on all of these colours is STATE_LOOK_INK; its contrast is 4.8:1
 * or more. There are two sets of colours: for a light and for a dark page.
 */
#ifndef STEPTRACE_FLAME_STATE_LOOK_H
#define STEPTRACE_FLAME_STATE_LOOK_H

#include "steptrace/profile/folded.h"

#define STATE_LOOK_INK "#1a1a1a"

struct state_look {
	const char *label; /* "waits for a processor" */
	const char *user, *kernel, *dark_user, *dark_kernel;
};

const struct state_look *state_look__of(enum stack_state state);

#endif
