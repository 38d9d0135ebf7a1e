/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the benchmarks measure: every contender runs in turn, round after round, in one process,
 * and the medians are compared. A turn takes about a millisecond, so that on a busy machine most of
 * them go uninterrupted. Absolute figures drift with the machine; ratios are the message. A target
 * that is missed is said and fails nothing.
 */
#ifndef STEPTRACE_BENCH_H
#define STEPTRACE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BENCH_ROUNDS = 51 };

struct contender {
	const char *name;
	void (*run)(void *context, int times); /* the work, `times` over */
	void (*after)(void *context);          /* what is not measured; may be NULL */
	void *context;
	int times;
	double ns[BENCH_ROUNDS];
};

uint64_t bench__now_ns(void);

/* One round that does not count, then BENCH_ROUNDS that do. */
void bench__run(struct contender *contenders, size_t count);
double bench__median(struct contender *contender);

/* Both sort the values. */
double bench__median_of(double *values, size_t count);

/*
 * Where the median of what was sampled lies, whatever its distribution: between two of the sorted
 * values, with a probability of at least 95 %. Fewer than 6 values bound nothing: then it is all
 * of them.
 */
struct bench_interval {
	double median, low, high;
};
struct bench_interval bench__interval(double *values, size_t count);

/*
 *	  name                                          12.3 ns     1.42 x empty   (target: at most 1.50, met)
 *
 * `of` and `target` may be NULL.
 */
struct bench_line {
	const char *name;
	double value;
	const char *unit; /* NULL: ns */
	double ratio;
	const char *of;
	const char *target;
	bool met;
};
void bench__print(const struct bench_line *line);

/* The same in place: bench__line(.name = "...", .value = 12.3). */
#define bench__line(...) bench__print(&(const struct bench_line){__VA_ARGS__})

#endif
