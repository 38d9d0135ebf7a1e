/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Child processes that detach probes in the background (see attach_child.h).
 *
 * They have to be waited for: sooner or later so that they leave no zombies, and at once where the
 * caller must know that no handler of a detached probe runs any more.
 */
#ifndef STEPTRACE_DETACHERS_H
#define STEPTRACE_DETACHERS_H

#include <stdbool.h>
#include <sys/types.h>

enum { DETACHERS_MAX = 64 };

struct detachers {
	pid_t pids[DETACHERS_MAX]; /* 0: none */
};

/* Remembers a child; `child` 0 is none. Where there is no room it first waits for another one. */
void detachers__add(struct detachers *detachers, pid_t child);

/* Forgets those that have ended. Does not wait. Returns whether one still runs. */
bool detachers__reap(struct detachers *detachers);

/* Returns when all have ended. */
void detachers__await_all(struct detachers *detachers);

#endif
