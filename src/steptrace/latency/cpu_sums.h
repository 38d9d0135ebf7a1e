/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time of several commands or steps went (--breakdown), added up over those of which it
 * was measured. */
#ifndef STEPTRACE_CPU_SUMS_H
#define STEPTRACE_CPU_SUMS_H

#include <stdint.h>

#include "steptrace/record.h"

/* Zeroed: nothing was measured. The parts add up to `threads_ns`. */
struct cpu_sums {
	uint64_t measured; /* how many */
	uint64_t threads_ns, on_cpu_ns, runnable_ns;
	uint64_t blocked_ns[BLOCKED_KINDS_COUNT];
};

void cpu_sums__add(struct cpu_sums *sums, const struct steptrace_cpu *cpu);

/* Blocked, by whatever it was. */
uint64_t cpu_sums__blocked_ns(const struct cpu_sums *sums);

/* What it was blocked by for the longest time: an index of blocked_ns. */
int cpu_sums__longest_kind(const struct cpu_sums *sums);

#endif
