/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long some work may take, and whether the user has cancelled it. Whatever can take long checks
 * it: a loop between its rounds, a wait ten times a second.
 *
 * After a first Ctrl-C, short work may still end by itself: deadline__check() fails half a second
 * later. Work that only waits for another process uses deadline__check_wait(), which fails at once.
 */
#ifndef STEPTRACE_COMMON_DEADLINE_H
#define STEPTRACE_COMMON_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* A wait that checks in between waits so long at a time. */
enum { DEADLINE_SLICE_MS = 100 };

struct deadline {
	uint64_t at_ns; /* CLOCK_MONOTONIC; 0: no limit */
	/* CLOCK_MONOTONIC: when the user cancelled; 0: not yet. Borrowed; NULL: it cannot be. A
	 * signal handler may set it. */
	const _Atomic uint64_t *cancelled_ns;
};

/* `deadline` may be NULL: there is none. 0, or -ETIMEDOUT or -ECANCELED with a sentence; `err` may
 * be NULL. */
int deadline__check(const struct deadline *deadline, struct error *err);
int deadline__check_wait(const struct deadline *deadline, struct error *err);

/* How long a wait may take, of `most_ms` milliseconds: at least 1. */
int64_t deadline__left_ms(const struct deadline *deadline, int64_t most_ms);

#endif
