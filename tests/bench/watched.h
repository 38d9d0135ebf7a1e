/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner of tests/targets/watched.c, which says when somebody looks at it: so a benchmark also
 * notices tracers that are not its own (`steptrace record -a` elsewhere on the machine).
 */
#ifndef STEPTRACE_BENCH_WATCHED_H
#define STEPTRACE_BENCH_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

struct watched {
	struct program program;
	unsigned int semaphore;
	uint64_t changed_ns; /* when the runner saw it change last; CLOCK_MONOTONIC */
};

void watched__start(struct watched *watched);
void watched__end(struct watched *watched);

/* Waits until the semaphore is at `count`; not when nothing changes for `patience_ms`. */
bool watched__reaches(struct watched *watched, unsigned int count, int patience_ms);

#endif
