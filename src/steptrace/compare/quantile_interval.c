// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/quantile_interval.h"

#include <math.h>

/* Each bound fails with half of the rest; the quantile of the normal distribution for that. */
#define FAILS         ((1 - QUANTILE_CONFIDENCE) / 2)
#define NORMAL_BOUNDS 1.9599639846

/* Ranks of the bounds, from 1; 0 and count + 1: there is no such bound. */
struct ranks {
	uint64_t low, high;
};

/*
 * How many values lie above the quantile is binomial: `count` times 1 - fraction. The sum of its
 * probabilities is taken from 0 upwards: fraction^count does not underflow for count <= 1000, if
 * the fraction is 0.5 or larger.
 */
static struct ranks exact_ranks(uint64_t count, double fraction)
{
	struct ranks ranks = {0, count + 1};
	double odds = (1 - fraction) / fraction;
	double probability = pow(fraction, (double)count), below = 0;

	for (uint64_t above = 0; above <= count; above++) {
		if (1 - below <= FAILS) {
			ranks.low = count - above + 1;
			break;
		}
		below += probability;
		if (below <= FAILS)
			ranks.high = count - above;
		probability *= odds * (double)(count - above) / (double)(above + 1);
	}
	return ranks;
}

static struct ranks normal_ranks(uint64_t count, double fraction)
{
	double middle = (double)count * fraction;
	double away = NORMAL_BOUNDS * sqrt(middle * (1 - fraction)) + 1;

	return (struct ranks){(uint64_t)floor(middle - away), (uint64_t)ceil(middle + away) + 1};
}

struct quantile_interval quantile_interval__of(const struct histogram *histogram, double fraction)
{
	uint64_t count = histogram->count;
	struct ranks ranks = count > QUANTILE_EXACT ? normal_ranks(count, fraction)
						    : exact_ranks(count, fraction);
	struct histogram_bucket low = histogram__bucket_at(histogram, ranks.low);
	struct histogram_bucket high = histogram__bucket_at(histogram, ranks.high);
	struct quantile_interval interval = {
		.has_low = low.count != 0,
		.has_high = high.count != 0,
		.low_ns = low.from_ns > histogram->min_ns ? low.from_ns : histogram->min_ns,
		.high_ns =
			high.below_ns <= histogram->max_ns ? high.below_ns - 1 : histogram->max_ns,
	};

	return interval;
}

/* log(larger / smaller); where rounding to a bucket makes it negative, 0. */
static double distance(double larger, double smaller)
{
	return larger > smaller ? log(larger / smaller) : 0;
}

struct ratio quantile_ratio__of(const struct histogram *old, const struct histogram *new,
				double fraction)
{
	struct quantile_interval olds = quantile_interval__of(old, fraction);
	struct quantile_interval news = quantile_interval__of(new, fraction);
	double old_ns = (double)histogram__percentile_ns(old, fraction);
	double new_ns = (double)histogram__percentile_ns(new, fraction);
	struct ratio ratio = {.is_known = old_ns > 0 && new->count != 0};

	if (!ratio.is_known)
		return ratio;
	ratio.value = new_ns / old_ns;
	ratio.has_low = news.has_low && olds.has_high && news.low_ns;
	ratio.has_high = news.has_high && olds.has_low && olds.low_ns && new_ns > 0;
	if (ratio.has_low)
		ratio.low = ratio.value * exp(-hypot(distance(new_ns, (double)news.low_ns),
						     distance((double)olds.high_ns, old_ns)));
	if (ratio.has_high)
		ratio.high = ratio.value * exp(hypot(distance((double)news.high_ns, new_ns),
						     distance(old_ns, (double)olds.low_ns)));
	return ratio;
}
