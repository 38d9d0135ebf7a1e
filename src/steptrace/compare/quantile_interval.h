/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between which values a quantile of the distribution lies from which a sample comes, with a
 * confidence of QUANTILE_CONFIDENCE, and how two quantiles compare.
 *
 * The bounds are two values of the sample. Their ranks come from the binomial distribution: exactly
 * for samples of up to QUANTILE_EXACT values, above that from the normal distribution, one rank
 * further outside. A bound is the outer end of the bucket of the value. So nothing is assumed about
 * the distribution, and the buckets make an interval wider, never narrower.
 *
 * The interval of a ratio new / old comes from those of the two quantiles (the method of Zou and
 * Donner, MOVER): on a logarithmic scale, the distances from the quantiles to their bounds are
 * added as the sides of a right angle.
 *
 *	log low = log(new / old) - sqrt(log(new / new.low)^2 + log(old.high / old)^2)
 */
#ifndef STEPTRACE_COMPARE_QUANTILE_INTERVAL_H
#define STEPTRACE_COMPARE_QUANTILE_INTERVAL_H

#include <stdbool.h>

#include "steptrace/latency/histogram.h"

#define QUANTILE_CONFIDENCE 0.95
enum { QUANTILE_EXACT = 1000 };

/* has_low, has_high: the sample is large enough for that bound. */
struct quantile_interval {
	bool has_low, has_high;
	uint64_t low_ns, high_ns;
};

struct quantile_interval quantile_interval__of(const struct histogram *histogram, double fraction);

/* 1.2: it takes 20 % longer. */
struct ratio {
	bool is_known; /* old is not 0 */
	double value;
	bool has_low, has_high;
	double low, high;
};

/* Of a quantile of new to the same quantile of old. */
struct ratio quantile_ratio__of(const struct histogram *old, const struct histogram *new,
				double fraction);

#endif
