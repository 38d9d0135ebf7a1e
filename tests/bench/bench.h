/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measuring part of the benchmarks. The contenders run in one process, one after the other, in
 * many rounds, and their medians are compared. A turn takes about a millisecond, so that most turns
 * are not interrupted even on a busy machine. Absolute figures change with the machine and its
 * load: compare ratios of one run. A missed target is printed and is not a failure.
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
	void (*run)(void *context, int times); /* does the work `times` times */
	void (*after)(void *context);          /* called after each turn, not measured; or NULL */
	void *context;
	int times;
	double ns[BENCH_ROUNDS]; /* for each round: nanoseconds of one time */
};

uint64_t bench__now_ns(void);

/* Runs one round that is not counted, then BENCH_ROUNDS that are. */
void bench__run(struct contender *contenders, size_t count);
double bench__median(struct contender *contender);

/* This and bench__interval sort the values. NAN: there are none. */
double bench__median_of(double *values, size_t count);

/*
 * The median of the values, and a 95 % confidence interval for it, which is valid for any
 * distribution. The ends of the interval are two of the sorted values. With fewer than 6 values
 * there is no such interval; then it is the smallest and the largest value.
 */
struct bench_interval {
	double median, low, high;
};
struct bench_interval bench__interval(double *values, size_t count);

/*
 * Prints one line:
 *
 *	  NAME                        12.3 ns     1.42 x empty   (target: at most 1.50, met)
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

/* The same with the fields as arguments: bench__line(.name = "...", .value = 12.3). */
#define bench__line(...) bench__print(&(const struct bench_line){__VA_ARGS__})

#endif
