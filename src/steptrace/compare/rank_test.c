// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/rank_test.h"

#include <math.h>

struct ranking {
	double old_below; /* values of old in the buckets before */
	double u, ties;
};

static void rank_bucket(void *context, const struct histogram_bucket *bucket, uint64_t old_count,
			uint64_t new_count)
{
	struct ranking *ranking = context;
	double old = (double)old_count, all = (double)bucket->count;

	ranking->u += (double)new_count * (ranking->old_below + old / 2);
	ranking->ties += all * all * all - all;
	ranking->old_below += old;
}

/* 0: all values are in one bucket. Rounding must not make a variance out of that. */
static double variance_of(double pairs, double values, double ties)
{
	double whole = values + 1, left = whole - ties / (values * (values - 1));

	return left > whole * 1e-12 ? pairs / 12 * left : 0;
}

struct rank_test rank_test__of(const struct histogram *old, const struct histogram *new)
{
	struct rank_test test = {.effect = 0.5, .p = 1};
	struct ranking ranking = {0};
	double pairs = (double)old->count * (double)new->count, variance, away;

	if (!old->count || !new->count)
		return test;
	histogram__each_of_two(old, new, rank_bucket, &ranking);
	test.u = ranking.u;
	test.effect = ranking.u / pairs;
	variance = variance_of(pairs, (double)old->count + (double)new->count, ranking.ties);
	away = fabs(ranking.u - pairs / 2) - 0.5;
	if (variance > 0 && away > 0)
		test.p = erfc(away / sqrt(variance) / M_SQRT2);
	return test;
}
