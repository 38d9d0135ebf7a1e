// SPDX-License-Identifier: BSD-2-Clause
#include "bench.h"

#include <math.h>
#include <time.h>

uint64_t bench__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench__run(struct contender *contenders, size_t count)
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

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double bench__median_of(double *values, size_t count)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(values[0]), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double bench__median(struct contender *contender)
{
	return bench__median_of(contender->ns, BENCH_ROUNDS);
}

/* How many sorted values to leave out at each end for a 95 % interval of the median. The number of
 * values below the median has a binomial distribution (p = 0.5); each end may have at most 2.5 % of
 * it. */
static size_t left_out(size_t count)
{
	double chance = pow(0.5, (double)count), sum = chance;
	size_t out = 0;

	while (out < count / 2 && sum <= 0.025) {
		chance *= (double)(count - out) / (double)(out + 1);
		sum += chance;
		out++;
	}
	return out > 0 ? out - 1 : 0;
}

struct bench_interval bench__interval(double *values, size_t count)
{
	struct bench_interval interval = {.median = bench__median_of(values, count)};

	if (count == 0)
		return (struct bench_interval){NAN, NAN, NAN};
	interval.low = values[left_out(count)];
	interval.high = values[count - 1 - left_out(count)];
	return interval;
}

void bench__print(const struct bench_line *line)
{
	printf("  %-44s %10.1f %s", line->name, line->value, line->unit ? line->unit : "ns");
	if (line->of)
		printf("   %6.2f x %s", line->ratio, line->of);
	if (line->target)
		printf("   (target: %s, %s)", line->target, line->met ? "met" : "missed");
	putchar('\n');
}
