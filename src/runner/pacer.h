/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts commands at a fixed rate, and sees SIGINT and SIGTERM between them.
 *
 * One epoll waits for the timer and for the signals. Starts are planned at absolute times. If a
 * command is slow and later starts are overdue, those start at once, without waiting, until the
 * plan is met again.
 */
#ifndef STEPTRACE_RUNNER_PACER_H
#define STEPTRACE_RUNNER_PACER_H

#include <stdint.h>

#include "common/error.h"

struct pacer {
	int epoll, timer, signals; /* file descriptors; -1: not open */
	uint64_t due;              /* starts that are due and have not been taken yet */
	int signal;                /* SIGINT or SIGTERM, when it has arrived; 0: none */
};

/* `per_second` 0: do not wait between starts. Blocks SIGINT and SIGTERM in the calling thread; from
 * now on only pacer__wait sees them. Returns 0 or a negative errno. */
int pacer__open(struct pacer *pacer, uint64_t per_second, struct error *err);
void pacer__close(struct pacer *pacer);

/* Waits for the next start. Returns 0 when it is due, 1 when SIGINT or SIGTERM has arrived, or a
 * negative errno. */
int pacer__wait(struct pacer *pacer);

#endif
