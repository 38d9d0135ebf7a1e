/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place that reads clocks. All values are nanoseconds; reading a clock never fails.
 */
#ifndef STEPTRACE_COMMON_CLOCK_H
#define STEPTRACE_COMMON_CLOCK_H

#include <stdint.h>

/* The same moment on two clocks. */
struct clock_pair {
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC */
	uint64_t realtime_ns;  /* CLOCK_REALTIME: since 1970 */
};

/* CLOCK_MONOTONIC. The BPF programs stamp records with the same clock. */
uint64_t clock__now_ns(void);

/* CPU time that the calling thread has used. */
uint64_t clock__thread_cpu_ns(void);

/*
 * Reads both clocks. A thread can be interrupted between the two readings, so this reads several
 * pairs and returns the pair whose readings lie closest together.
 */
struct clock_pair clock__read_pair(void);

#endif
