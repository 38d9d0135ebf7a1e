/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rank test of Mann and Whitney (Wilcoxon): whether the values of one sample are larger than
 * those of another one. It assumes no distribution; it assumes that the values do not depend on
 * each other.
 *
 * It ranks the buckets of two histograms, so memory does not grow with the samples. Values in the
 * same bucket count as equal (ties), and the variance is corrected for ties. Both histograms have
 * the same buckets, so the buckets cannot make a difference; they can hide one that is smaller than
 * a bucket (1.6 %).
 *
 *	U		pairs (old, new) in which new is larger; half of those that are equal
 *	effect		U / all pairs: the probability that a new value is larger than an old one
 *	variance	n m / 12 * (N + 1 - sum(t^3 - t) / (N (N - 1))), N = n + m, t in a bucket
 *	z		(|U - n m / 2| - 1/2) / sqrt(variance)
 *	p		of the normal distribution, two-sided
 */
#ifndef STEPTRACE_COMPARE_RANK_TEST_H
#define STEPTRACE_COMPARE_RANK_TEST_H

#include "steptrace/latency/histogram.h"

struct rank_test {
	double u, effect, p;
};

/* A sample without values: effect 0.5, p 1. */
struct rank_test rank_test__of(const struct histogram *old, const struct histogram *new);

#endif
