/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts commands at a fixed rate, and sees SIGINT and SIGTERM.
 *
 * The first signal is noted, and interrupts what waits; the command that runs is cancelled by its
 * deadline (common/deadline.h). A second one has its usual effect.
 *
 * Starts are planned at absolute times. If a command is slow and later starts are overdue, those
 * start at once, without waiting, until the plan is met again.
 */
#ifndef STEPTRACE_RUNNER_PACER_H
#define STEPTRACE_RUNNER_PACER_H

#include <stdint.h>

#include "common/error.h"

struct pacer {
	int timer;    /* a file descriptor; -1: no rate */
	uint64_t due; /* starts that are due and have not been taken yet */
};

/* `per_second` 0: do not wait between starts. Catches SIGINT and SIGTERM. Returns 0 or a negative
 * errno. */
int pacer__open(struct pacer *pacer, uint64_t per_second, struct error *err);
void pacer__close(struct pacer *pacer);

/* Waits for the next start. Returns 0 when it is due, 1 when SIGINT or SIGTERM has arrived, or a
 * negative errno. */
int pacer__wait(struct pacer *pacer);

/* SIGINT or SIGTERM, when it has arrived; 0: none. */
int pacer__signal(void);
/* When it arrived, CLOCK_MONOTONIC; 0: none did. */
const _Atomic uint64_t *pacer__cancelled_ns(void);

#endif
