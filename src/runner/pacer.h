/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the next command may start, and whether somebody asked to stop.
 *
 * One epoll for the timer and the signals. Starts are due at absolute times, so a slow command
 * does not shift the ones after it: they follow at once until the plan is caught up with.
 */
#ifndef STEPTRACE_RUNNER_PACER_H
#define STEPTRACE_RUNNER_PACER_H

#include <stdint.h>

#include "common/error.h"

struct pacer {
	int epoll, timer, signals;
	uint64_t due; /* starts whose time has come */
	int signal;   /* the one that arrived; 0: none */
};

/* `per_second` 0: no waiting. From here on SIGINT and SIGTERM are only seen by pacer__wait. */
int pacer__open(struct pacer *pacer, uint64_t per_second, struct error *err);
void pacer__close(struct pacer *pacer);

/* Returns 0 when the next start is due, 1 when a signal asks to stop, negative errno on failure. */
int pacer__wait(struct pacer *pacer);

#endif
