// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/exact_test.h"

#include <stdbool.h>

/* A probability that is equal to the observed one may differ by rounding. */
#define EQUAL 1.0000001
#define LEAST 1e-100

/* x of the failures are in `old`. */
struct tables {
	double old, new, failures;
};

/* P(x + 1) / P(x). */
static double step_up(const struct tables *tables, double x)
{
	return (tables->old - x) * (tables->failures - x) /
	       ((x + 1) * (tables->new - tables->failures + x + 1));
}

static double highest(const struct tables *tables)
{
	return tables->old < tables->failures ? tables->old : tables->failures;
}

static double lowest(const struct tables *tables)
{
	return tables->failures > tables->new ? tables->failures - tables->new : 0;
}

static double mode_of(const struct tables *tables)
{
	double mode = (double)(uint64_t)((tables->old + 1) * (tables->failures + 1) /
					 (tables->old + tables->new + 2));

	if (mode > highest(tables))
		return highest(tables);
	return mode < lowest(tables) ? lowest(tables) : mode;
}

/* P(x) / P(mode). 0: less than LEAST. */
static double weight_of(const struct tables *tables, double x)
{
	double weight = 1, at = mode_of(tables);

	for (; at < x && weight > LEAST; at++)
		weight *= step_up(tables, at);
	for (; at > x && weight > LEAST; at--)
		weight /= step_up(tables, at - 1);
	return weight > LEAST ? weight : 0;
}

struct sums {
	double all, extreme;
};

static void add_weight(struct sums *sums, double weight, double observed)
{
	sums->all += weight;
	if (weight <= observed * EQUAL)
		sums->extreme += weight;
}

double exact_test__p(struct proportion old, struct proportion new)
{
	const struct tables tables = {(double)old.count, (double)new.count,
				      (double)old.failed + (double)new.failed};
	double mode = mode_of(&tables), observed = weight_of(&tables, (double)old.failed);
	struct sums sums = {0, 0};
	double weight = 1;

	if (!old.count || !new.count)
		return 1;
	for (double x = mode; x <= highest(&tables) && weight > LEAST; x++) {
		add_weight(&sums, weight, observed);
		weight *= step_up(&tables, x);
	}
	weight = 1;
	for (double x = mode; x > lowest(&tables) && weight > LEAST; x--) {
		weight /= step_up(&tables, x - 1);
		add_weight(&sums, weight, observed);
	}
	return sums.extreme < sums.all ? sums.extreme / sums.all : 1;
}
