// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "steptrace/latency/histogram.h"

/* What histogram.h promises: a value differs from the middle of its bucket by less than this. */
#define ERROR (1.0 / 128)

/* A generator of our own, so that a failure can be repeated. */
static uint64_t state_of_random;

static uint64_t next_random(void)
{
	state_of_random = state_of_random * 6364136223846793005ULL + 1442695040888963407ULL;
	return state_of_random ^ state_of_random >> 29;
}

static double next_fraction(void)
{
	return (double)(next_random() >> 11) / (double)(1ULL << 53);
}

/* ---- buckets */

static void check_bucket(void *context, const struct histogram_bucket *bucket)
{
	const uint64_t *value = context;
	uint64_t middle = bucket->from_ns + (bucket->below_ns - 1 - bucket->from_ns) / 2;
	double error = fabs((double)middle - (double)*value);

	assert_int_equal(bucket->count, 1);
	assert_true(bucket->from_ns <= *value && *value < bucket->below_ns);
	if (error > ERROR * (double)*value)
		fail_msg("%llu is told as %llu", (unsigned long long)*value,
			 (unsigned long long)middle);
}

static void check_value(uint64_t value)
{
	struct histogram histogram = {.count = 0};

	assert_int_equal(histogram__add(&histogram, value, 1), 0);
	histogram__each(&histogram, check_bucket, &value);
	assert_int_equal(histogram.min_ns, value);
	assert_int_equal(histogram.max_ns, value);
	assert_int_equal(histogram.sum_ns, value);
	histogram__clear(&histogram);
}

static void every_value_is_within_the_error(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 2000; value++)
		check_value(value);
	for (int octave = 10; octave < HISTOGRAM_OCTAVES; octave++) {
		check_value((1ULL << octave) - 1);
		check_value(1ULL << octave);
		check_value((1ULL << octave) + 1);
		for (int i = 0; i < 50; i++)
			check_value((1ULL << octave) + next_random() % (1ULL << octave));
	}
}

static void expect_last_bucket(void *context, const struct histogram_bucket *bucket)
{
	(void)context;
	assert_int_equal(bucket->count, 2);
	assert_true(bucket->below_ns == 1ULL << HISTOGRAM_OCTAVES);
}

static void larger_values_are_in_the_last_bucket(void **state)
{
	struct histogram histogram = {.count = 0};

	(void)state;
	assert_int_equal(histogram__add(&histogram, 1ULL << HISTOGRAM_OCTAVES, 1), 0);
	assert_int_equal(histogram__add(&histogram, UINT64_MAX, 1), 0);
	histogram__each(&histogram, expect_last_bucket, NULL);
	assert_true(histogram.max_ns == UINT64_MAX);
	assert_true(histogram.sum_ns == UINT64_MAX); /* the sum is larger than that */
	histogram__clear(&histogram);
}

/* ---- percentiles, compared with the sorted values */

enum { VALUES = 20000 };

static int compare(const void *left, const void *right)
{
	uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;

	return one < other ? -1 : one > other;
}

static uint64_t uniform(void)
{
	return 1000 + next_random() % 1000000;
}

/* Most are short; few are very long. */
static uint64_t skewed(void)
{
	return (uint64_t)(50000 * exp(4 * next_fraction() * next_fraction() * next_fraction() * 3));
}

static uint64_t bimodal(void)
{
	return next_random() % 10 ? 20000 + next_random() % 500
				  : 3000000000ULL + next_random() % 1000000;
}

static void check_percentiles(uint64_t (*next)(void))
{
	static const double fractions[] = {0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
	static uint64_t values[VALUES];
	struct histogram histogram = {.count = 0};

	for (int i = 0; i < VALUES; i++) {
		values[i] = next();
		assert_int_equal(histogram__add(&histogram, values[i], 1), 0);
	}
	qsort(values, VALUES, sizeof(values[0]), compare);
	for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
		int rank = (int)ceil(fractions[i] * VALUES);
		uint64_t exact = values[rank > 1 ? rank - 1 : 0];
		uint64_t told = histogram__percentile_ns(&histogram, fractions[i]);

		if (fabs((double)told - (double)exact) > ERROR * (double)exact)
			fail_msg("the percentile %g is %llu, told as %llu", fractions[i],
				 (unsigned long long)exact, (unsigned long long)told);
	}
	assert_int_equal(histogram.count, VALUES);
	histogram__clear(&histogram);
}

static void percentiles_are_within_the_error(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		state_of_random = seed;
		check_percentiles(uniform);
		check_percentiles(skewed);
		check_percentiles(bimodal);
	}
}

static void percentiles_lie_between_the_smallest_and_the_largest(void **state)
{
	struct histogram histogram = {.count = 0};

	(void)state;
	assert_int_equal(histogram__percentile_ns(&histogram, 0.5), 0);
	assert_int_equal(histogram__add(&histogram, 1000001, 3), 0);
	assert_int_equal(histogram__percentile_ns(&histogram, 0), 1000001);
	assert_int_equal(histogram__percentile_ns(&histogram, 0.5), 1000001);
	assert_int_equal(histogram__percentile_ns(&histogram, 1), 1000001);
	assert_int_equal(histogram__percentile_ns(&histogram, NAN), 1000001);
	histogram__clear(&histogram);
}

/* ---- counts, merging, memory */

struct list {
	struct histogram_bucket items[64];
	size_t count;
};

static void append(void *context, const struct histogram_bucket *bucket)
{
	struct list *list = context;

	assert_in_range(list->count, 0, 63);
	list->items[list->count++] = *bucket;
}

static void counts_beyond_32_bits(void **state)
{
	struct histogram histogram = {.count = 0};
	struct list list = {.count = 0};

	(void)state;
	assert_int_equal(histogram__add(&histogram, 5, UINT32_MAX), 0);
	assert_int_equal(histogram__add(&histogram, 5, 1), 0);
	assert_int_equal(histogram__add(&histogram, 6, 7), 0);
	assert_int_equal(histogram__add(&histogram, 5, 1), 0);
	histogram__each(&histogram, append, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].count, (1ULL << 32) + 1);
	assert_int_equal(list.items[1].count, 7);
	assert_int_equal(histogram.count, (1ULL << 32) + 8);
	histogram__clear(&histogram);
}

static void merged_is_the_same_as_added(void **state)
{
	struct histogram one = {.count = 0}, other = {.count = 0}, both = {.count = 0};
	struct list merged = {.count = 0}, added = {.count = 0};

	(void)state;
	for (int i = 0; i < 40; i++) {
		uint64_t value = 1ULL << (i % 20);
		struct histogram *half = i % 3 ? &one : &other;

		assert_int_equal(histogram__add(half, value, UINT32_MAX - 5), 0);
		assert_int_equal(histogram__add(&both, value, UINT32_MAX - 5), 0);
	}
	assert_int_equal(histogram__merge(&one, &other), 0);
	histogram__each(&one, append, &merged);
	histogram__each(&both, append, &added);
	assert_int_equal(merged.count, added.count);
	assert_memory_equal(merged.items, added.items, sizeof(merged.items[0]) * merged.count);
	assert_int_equal(one.count, both.count);
	assert_int_equal(one.sum_ns, both.sum_ns);
	assert_int_equal(one.min_ns, both.min_ns);
	assert_int_equal(one.max_ns, both.max_ns);
	histogram__clear(&one);
	histogram__clear(&other);
	histogram__clear(&both);
}

static void merging_with_an_empty_one(void **state)
{
	struct histogram one = {.count = 0}, empty = {.count = 0};

	(void)state;
	assert_int_equal(histogram__add(&one, 100, 1), 0);
	assert_int_equal(histogram__merge(&one, &empty), 0);
	assert_int_equal(one.min_ns, 100);
	assert_int_equal(histogram__merge(&empty, &one), 0);
	assert_int_equal(empty.min_ns, 100);
	assert_int_equal(empty.count, 1);
	histogram__clear(&one);
	histogram__clear(&empty);
}

static void memory_is_for_the_octaves_with_values(void **state)
{
	struct histogram histogram = {.count = 0};

	(void)state;
	assert_int_equal(histogram__bytes(&histogram), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(histogram__add(&histogram, 1000000 + (uint64_t)i, 1), 0);
	assert_int_equal(histogram__bytes(&histogram), 256);
	for (int octave = 0; octave < HISTOGRAM_OCTAVES; octave++)
		assert_int_equal(histogram__add(&histogram, 1ULL << octave, UINT32_MAX), 0);
	assert_in_range(histogram__bytes(&histogram) + sizeof(histogram), 0, 26 * 1024);
	histogram__clear(&histogram);
	assert_int_equal(histogram__bytes(&histogram), 0);
	assert_int_equal(histogram.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_within_the_error),
		cmocka_unit_test(larger_values_are_in_the_last_bucket),
		cmocka_unit_test(percentiles_are_within_the_error),
		cmocka_unit_test(percentiles_lie_between_the_smallest_and_the_largest),
		cmocka_unit_test(counts_beyond_32_bits),
		cmocka_unit_test(merged_is_the_same_as_added),
		cmocka_unit_test(merging_with_an_empty_one),
		cmocka_unit_test(memory_is_for_the_octaves_with_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
