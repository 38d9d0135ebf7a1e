/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the runner of tests/targets/watched.c, which prints each change of its semaphore. So a
 * benchmark knows when a tracer attaches, also one that the benchmark has not started, such as
 * another `steptrace record -a` on the machine.
 */
#ifndef STEPTRACE_BENCH_WATCHED_H
#define STEPTRACE_BENCH_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

struct watched {
	struct program program;
	unsigned int semaphore;
	uint64_t changed_ns; /* CLOCK_MONOTONIC when the runner saw the last change */
};

void watched__start(struct watched *watched);
void watched__end(struct watched *watched);

/* Waits until the semaphore is `count`. Returns false if it does not change for `patience_ms`. */
bool watched__reaches(struct watched *watched, unsigned int count, int patience_ms);

#endif
