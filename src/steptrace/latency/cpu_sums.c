// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/cpu_sums.h"

void cpu_sums__add(struct cpu_sums *sums, const struct steptrace_cpu *cpu)
{
	sums->measured++;
	sums->threads_ns += cpu->threads_ns;
	sums->on_cpu_ns += cpu->on_cpu_ns;
	sums->runnable_ns += cpu->runnable_ns;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		sums->blocked_ns[kind] += cpu->blocked_ns[kind];
}

uint64_t cpu_sums__blocked_ns(const struct cpu_sums *sums)
{
	return sums->threads_ns - sums->on_cpu_ns - sums->runnable_ns;
}

int cpu_sums__longest_kind(const struct cpu_sums *sums)
{
	int longest = 0;

	for (int kind = 1; kind < BLOCKED_KINDS_COUNT; kind++)
		if (sums->blocked_ns[kind] > sums->blocked_ns[longest])
			longest = kind;
	return longest;
}
