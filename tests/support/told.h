/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a runner tells a tracer. A test program that uses told__forget() has probe functions that
 * copy their spans here, in place of those of usdt/steptrace.h. They are called while the
 * semaphore is raised (own_semaphore.h).
 *
 *	told__forget();
 *	semaphore__raise();
 *	...
 *	assert_int_equal(told.steps[0].mutations_count, 1);
 */
#ifndef STEPTRACE_TESTS_TOLD_H
#define STEPTRACE_TESTS_TOLD_H

#include <stddef.h>

#include "steptrace/record.h"

enum { TOLD_STEPS_MAX = 16 };

struct told {
	struct step_span steps[TOLD_STEPS_MAX]; /* at their ends */
	size_t steps_count;
	size_t fragments_count;      /* fragment changes */
	struct command_span command; /* at its end */
};

extern struct told told;

void told__forget(void);

#endif
