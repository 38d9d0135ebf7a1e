/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the benchmarks measure: every contender runs in turn, round after round, in one process,
 * and the medians are compared. Absolute figures drift with the machine; ratios are the message.
 */
#ifndef STEPTRACE_BENCH_H
#define STEPTRACE_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BENCH_ROUNDS = 15 };

struct contender {
	const char *name;
	void (*run)(void *context, int times); /* the work, `times` over */
	void (*after)(void *context);          /* what is not measured; may be NULL */
	void *context;
	int times;
	double ns[BENCH_ROUNDS];
};

static inline uint64_t bench__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void bench__run(struct contender *contenders, size_t count)
{
	for (int round = -1; round < BENCH_ROUNDS; round++) {
		for (size_t i = 0; i < count; i++) {
			struct contender *at = &contenders[i];
			uint64_t start = bench__now_ns();

			at->run(at->context, at->times);
			if (round >= 0)
				at->ns[round] = (double)(bench__now_ns() - start) / at->times;
			if (at->after)
				at->after(at->context);
		}
	}
}

static int bench__compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static inline double bench__median(struct contender *contender)
{
	qsort(contender->ns, BENCH_ROUNDS, sizeof(contender->ns[0]), bench__compare);
	return contender->ns[BENCH_ROUNDS / 2];
}

/* "name   12.3 ns   1.42 x what (target: at most 1.50)" */
static inline void bench__line(const char *name, double ns, double ratio, const char *of,
			       const char *target)
{
	printf("  %-44s %10.1f ns", name, ns);
	if (of)
		printf("   %6.2f x %s", ratio, of);
	if (target)
		printf("   (target: %s)", target);
	putchar('\n');
}

#endif
