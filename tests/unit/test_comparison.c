// SPDX-License-Identifier: BSD-2-Clause
/* The tests of a comparison, and what it says of recordings from a seed. tests/oracle/compare.py
 * computes single comparisons again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "steptrace/compare/comparison.h"
#include "steptrace/compare/exact_test.h"
#include "steptrace/compare/holm.h"

/* A generator of our own, so that a failure can be repeated. */
static uint64_t state_of_random;

static double next_fraction(void)
{
	state_of_random = state_of_random * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((double)((state_of_random ^ state_of_random >> 29) >> 11) + 0.5) /
	       (double)(1ULL << 53);
}

static double next_normal(void)
{
	return sqrt(-2 * log(next_fraction())) * cos(2 * M_PI * next_fraction());
}

/* About 10 ms, within a factor of 5. */
static uint64_t next_duration(double times)
{
	return (uint64_t)(1e7 * times * exp(0.5 * next_normal()));
}

/* ---- single tests */

static void add_values(struct histogram *histogram, const uint64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(histogram__add(histogram, values[i], 1), 0);
}

#define ADD(histogram, ...)                                                                        \
	add_values(histogram, (const uint64_t[]){__VA_ARGS__},                                     \
		   sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Values below 128 have buckets of their own. The expected p was computed by hand: U = 13.5 of 20
 * pairs, ties of 2 and 3: variance 20 / 12 * (10 - 30 / 72), z = 3 / sqrt(variance). */
static void a_rank_test_with_ties(void **state)
{
	struct histogram old = {0}, new = {0};
	struct rank_test test;

	(void)state;
	ADD(&old, 10, 20, 30, 30);
	ADD(&new, 10, 30, 40, 50, 25);
	test = rank_test__of(&old, &new);
	/* 10: 0.5; 30: 2 + 2 / 2; 40 and 50: 4 each; 25: 2 */
	assert_true(fabs(test.u - 13.5) < 1e-12);
	assert_true(fabs(test.effect - 0.675) < 1e-12);
	assert_true(fabs(test.p - erfc(3 / sqrt(20.0 / 12 * (10 - 30.0 / 72)) / M_SQRT2)) < 1e-12);
	histogram__clear(&old);
	histogram__clear(&new);
}

static void values_that_are_all_equal(void **state)
{
	struct histogram old = {0}, new = {0};

	(void)state;
	assert_int_equal(histogram__add(&old, 1000000, 123456789), 0);
	assert_int_equal(histogram__add(&new, 1000001, 987654321), 0);
	assert_true(rank_test__of(&old, &new).effect == 0.5);
	assert_true(rank_test__of(&old, &new).p == 1);
	histogram__clear(&new);
	assert_true(rank_test__of(&old, &new).p == 1);
	assert_true(rank_test__of(&new, &old).effect == 0.5);
	histogram__clear(&old);
}

/* Billions of values: nothing overflows. */
static void very_many_values(void **state)
{
	struct histogram old = {0}, new = {0};

	(void)state;
	assert_int_equal(histogram__add(&old, 1000, 5000000000), 0);
	assert_int_equal(histogram__add(&old, 9000, 5000000000), 0);
	assert_int_equal(histogram__add(&new, 5000, 10000000000), 0);
	assert_true(rank_test__of(&old, &new).effect == 0.5);
	assert_true(rank_test__of(&old, &new).p == 1);
	assert_int_equal(histogram__add(&new, 9500, 10000000000), 0);
	assert_true(rank_test__of(&old, &new).p == 0);
	histogram__clear(&old);
	histogram__clear(&new);
}

#define P(old_failed, old_count, new_failed, new_count)                                            \
	exact_test__p((struct proportion){old_failed, old_count},                                  \
		      (struct proportion){new_failed, new_count})

/* The tea of Fisher's lady is 3 of 4: p = 34 / 70. The others are from the sums by hand. */
static void exact_tests(void **state)
{
	(void)state;
	assert_true(fabs(P(3, 4, 1, 4) - 34.0 / 70) < 1e-12);
	assert_true(fabs(P(4, 4, 0, 4) - 2.0 / 70) < 1e-12);
	assert_true(fabs(P(0, 10, 1, 10) - 1) < 1e-12);
	assert_true(P(0, 10, 0, 10) == 1 && P(10, 10, 10, 10) == 1);
	assert_true(P(0, 0, 5, 10) == 1 && P(5, 10, 0, 0) == 1);
	assert_true(P(0, 1000, 1000, 1000) < 1e-99);
	assert_true(P(500000, 1000000, 500500, 1000000) > 0.4);
	assert_true(P(500000, 1000000, 503000, 1000000) < 0.001);
	assert_true(fabs(P(7, 90, 20, 110) - P(20, 110, 7, 90)) < 1e-12);
}

static void corrected_values(void **state)
{
	double corrected[4];
	struct holm_test tests[] = {{0.04, &corrected[0]},
				    {0.01, &corrected[1]},
				    {0.02, &corrected[2]},
				    {0.9, &corrected[3]}};

	(void)state;
	holm__correct(tests, 0);
	holm__correct(tests, 4);
	assert_true(fabs(corrected[1] - 0.04) < 1e-12);
	assert_true(fabs(corrected[2] - 0.06) < 1e-12);
	assert_true(fabs(corrected[0] - 0.08) < 1e-12);
	assert_true(fabs(corrected[3] - 0.9) < 1e-12);
}

/* Of 20 values the 95th percentile has no upper bound; of 100 it has. */
static void bounds_of_small_samples(void **state)
{
	struct histogram few = {0};
	struct quantile_interval interval;

	(void)state;
	for (uint64_t i = 1; i <= 20; i++)
		ADD(&few, i);
	interval = quantile_interval__of(&few, 0.95);
	assert_true(interval.has_low && !interval.has_high);
	interval = quantile_interval__of(&few, 0.5);
	/* P(at most 5 of 20 are below the median) = 0.0207, of 6: 0.0577 */
	assert_int_equal(interval.low_ns, 6);
	assert_int_equal(interval.high_ns, 15);
	for (uint64_t i = 21; i <= 100; i++)
		ADD(&few, i);
	interval = quantile_interval__of(&few, 0.95);
	assert_true(interval.has_high && interval.high_ns == 100);
	histogram__clear(&few);
	interval = quantile_interval__of(&few, 0.5);
	assert_false(interval.has_low || interval.has_high);
}

/* ---- rates over many samples */

enum { SPLITS = 2000 };

/* The rank test rejects in 5 % of the cases where nothing differs: within four standard deviations
 * of that. */
static void the_rank_test_keeps_its_level(void **state)
{
	int rejected = 0;

	(void)state;
	for (int seed = 0; seed < SPLITS; seed++) {
		struct histogram samples[2] = {{0}, {0}};

		state_of_random = (uint64_t)seed + 1;
		for (int i = 0; i < 300; i++) {
			uint64_t ns = next_duration(1);

			assert_int_equal(histogram__add(&samples[next_fraction() < 0.4], ns, 1), 0);
		}
		rejected += rank_test__of(&samples[0], &samples[1]).p < 0.05;
		histogram__clear(&samples[0]);
		histogram__clear(&samples[1]);
	}
	assert_in_range(rejected, SPLITS / 20 - 39, SPLITS / 20 + 39);
}

static void intervals_keep_their_confidence(void **state)
{
	static const double fractions[] = {0.5, 0.95};
	int missed[2] = {0, 0};

	(void)state;
	for (int seed = 0; seed < SPLITS; seed++) {
		struct histogram old = {0}, new = {0};

		state_of_random = (uint64_t)seed + 1;
		for (int i = 0; i < 200 + seed; i++) {
			assert_int_equal(histogram__add(&old, next_duration(1), 1), 0);
			assert_int_equal(histogram__add(&new, next_duration(1.2), 1), 0);
		}
		for (int i = 0; i < 2; i++) {
			struct ratio ratio = quantile_ratio__of(&old, &new, fractions[i]);

			missed[i] += (ratio.has_low && ratio.low > 1.2) ||
				     (ratio.has_high && ratio.high < 1.2);
			assert_true(seed < 200 || (ratio.has_low && ratio.has_high));
		}
		histogram__clear(&old);
		histogram__clear(&new);
	}
	/* Wider than necessary, but not by much: some miss. */
	assert_in_range(missed[0], 10, SPLITS / 20);
	assert_in_range(missed[1], 10, SPLITS / 20);
}

/* ---- whole comparisons */

static struct summary *new_summary(void)
{
	const struct summary_options options = {.rows = 20};
	struct summary *summary = summary__new(&options);

	assert_non_null(summary);
	return summary;
}

static struct recorded_text text_of(const char *text)
{
	return (struct recorded_text){text, strlen(text)};
}

static void add_event(struct summary *summary, enum recorded_kind kind, const char *command,
		      const char *step_type, uint64_t ns, bool has_failed)
{
	struct recorded_event event = {
		.kind = kind,
		.outcome = has_failed ? RECORDED_FAILURE : RECORDED_SUCCESS,
		.command_slug = text_of(command),
		.step_type = text_of(step_type),
		.failed_step_type = text_of(step_type),
		.duration_ns = ns,
	};

	event.has[RECORDED_BIT_duration_ns / 64] |= 1ull << RECORDED_BIT_duration_ns % 64;
	assert_int_equal(summary__add(summary, &event), 0);
}

#define ADD_COMMAND(summary, command, ns, has_failed)                                              \
	add_event(summary, RECORDED_COMMAND_COMPLETED, command, "", ns, has_failed)
#define ADD_STEP(summary, command, type, ns)                                                       \
	add_event(summary, RECORDED_STEP_EXECUTED, command, type, ns, false)

struct compared {
	struct summary *sides[COMPARE_SIDES];
	struct comparison comparison;
};

static void begin(struct compared *compared)
{
	compared->sides[COMPARE_OLD] = new_summary();
	compared->sides[COMPARE_NEW] = new_summary();
}

static void compare(struct compared *compared)
{
	assert_int_equal(comparison__make(&compared->comparison, compared->sides[COMPARE_OLD],
					  compared->sides[COMPARE_NEW]),
			 0);
}

static void end(struct compared *compared)
{
	comparison__free(&compared->comparison);
	summary__free(compared->sides[COMPARE_OLD]);
	summary__free(compared->sides[COMPARE_NEW]);
}

static const struct compared_row *row_of(const struct compared *compared, const char *command,
					 const char *step_type)
{
	for (size_t i = 0; i < compared->comparison.count; i++) {
		const struct compared_row *row = &compared->comparison.rows[i];

		if (strcmp(row->command, command) == 0 && !row->step_type == !step_type &&
		    (!step_type || strcmp(row->step_type, step_type) == 0))
			return row;
	}
	fail_msg("there is no row '%s' '%s'", command, step_type ? step_type : "");
	return NULL;
}

static void verdicts(void **state)
{
	struct compared compared;
	struct summary **sides = compared.sides;

	(void)state;
	begin(&compared);
	for (uint64_t i = 0; i < 1000; i++)
		for (int side = 0; side < COMPARE_SIDES; side++) {
			ADD_COMMAND(sides[side], "slower", 1000 + i + 100 * (uint64_t)side, false);
			ADD_COMMAND(sides[side], "faster", 3000 + i - 100 * (uint64_t)side, false);
			ADD_COMMAND(sides[side], "same", 1000 + i, i % 10 == 0);
			ADD_COMMAND(sides[side], "worse", 1000 + i, i % (side ? 5 : 10) == 0);
			ADD_COMMAND(sides[side], side ? "new" : "gone", 1000, false);
			if (i < 19 + 981 * (uint64_t)side)
				ADD_COMMAND(sides[side], "few", 1000 * (1 + (uint64_t)side), false);
			if (i < 20)
				ADD_STEP(sides[side], "slower", side ? "B" : "A", 1);
		}
	compare(&compared);
	assert_int_equal(row_of(&compared, "slower", NULL)->durations, VERDICT_MORE);
	assert_int_equal(row_of(&compared, "slower", NULL)->failures, VERDICT_NONE);
	assert_int_equal(row_of(&compared, "faster", NULL)->durations, VERDICT_LESS);
	assert_int_equal(row_of(&compared, "same", NULL)->durations, VERDICT_NONE);
	assert_int_equal(row_of(&compared, "same", NULL)->failures, VERDICT_NONE);
	assert_int_equal(row_of(&compared, "worse", NULL)->failures, VERDICT_MORE);
	assert_int_equal(row_of(&compared, "worse", NULL)->durations, VERDICT_NONE);
	assert_int_equal(row_of(&compared, "new", NULL)->durations, VERDICT_NEW);
	assert_int_equal(row_of(&compared, "gone", NULL)->failures, VERDICT_GONE);
	assert_int_equal(row_of(&compared, "few", NULL)->durations, VERDICT_TOO_FEW);
	assert_int_equal(row_of(&compared, "slower", "A")->durations, VERDICT_GONE);
	assert_int_equal(row_of(&compared, "slower", "B")->durations, VERDICT_NEW);
	assert_int_equal(compared.comparison.tests, 8);
	assert_int_equal(comparison__slower(&compared.comparison, 1), 1);
	assert_int_equal(comparison__slower(&compared.comparison, 20), 0);
	end(&compared);
}

/* What has no row may be there on the other side: neither new nor gone. */
static void rows_beyond_the_limit(void **state)
{
	struct compared compared;
	char name[16];

	(void)state;
	begin(&compared);
	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ADD_COMMAND(compared.sides[COMPARE_OLD], name, 1, false);
	}
	ADD_COMMAND(compared.sides[COMPARE_NEW], "c1099", 1, false);
	compare(&compared);
	assert_int_equal(compared.comparison.without_row[COMPARE_OLD], 100);
	assert_int_equal(row_of(&compared, "c1099", NULL)->durations, VERDICT_UNKNOWN);
	assert_int_equal(row_of(&compared, "c0", NULL)->durations, VERDICT_GONE);
	end(&compared);
}

/* A command that took ten times as long in one of ten executions has the same median. */
static void a_tail_that_became_slower(void **state)
{
	struct compared compared;

	(void)state;
	begin(&compared);
	state_of_random = 7;
	for (int i = 0; i < 3000; i++) {
		ADD_COMMAND(compared.sides[COMPARE_OLD], "c", next_duration(1), false);
		ADD_COMMAND(compared.sides[COMPARE_NEW], "c", next_duration(i % 10 ? 1 : 10),
			    false);
	}
	compare(&compared);
	assert_int_equal(row_of(&compared, "c", NULL)->durations, VERDICT_MORE);
	assert_true(row_of(&compared, "c", NULL)->p50.value < 1.2);
	assert_int_equal(comparison__slower(&compared.comparison, 100), 1);
	end(&compared);
}

/* A recording of 6 commands with 3 steps each, split by chance; of `slower`, the durations of one
 * command of the new half are longer. */
static void split(struct compared *compared, int seed, double slower)
{
	static const char *const types[] = {"A", "B", "C"};

	begin(compared);
	state_of_random = (uint64_t)seed * 77 + 5;
	for (int i = 0; i < 12000; i++) {
		int side = next_fraction() < 0.5, command = i % 6;
		char name[8] = {'c', (char)('0' + command), 0};
		double times = command == 3 && side ? slower : 1;
		uint64_t whole_ns = 0, ns;

		for (int step = 0; step < 3; step++) {
			whole_ns += ns = next_duration(times);
			ADD_STEP(compared->sides[side], name, types[step], ns);
		}
		ADD_COMMAND(compared->sides[side], name, whole_ns, next_fraction() < 0.03);
	}
	compare(compared);
}

static size_t differences(const struct comparison *comparison)
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++)
		count += comparison->rows[i].durations <= VERDICT_LESS ||
			 comparison->rows[i].failures <= VERDICT_LESS;
	return count;
}

enum { SEEDS = 200 };

/* At most 5 % of the comparisons find anything, within three standard deviations. That the split
 * can find something is shown by the next test. */
static void a_split_finds_nothing(void **state)
{
	int found = 0;

	(void)state;
	for (int seed = 0; seed < SEEDS; seed++) {
		struct compared compared;

		split(&compared, seed, 1);
		found += differences(&compared.comparison) != 0;
		end(&compared);
	}
	assert_in_range(found, 0, SEEDS / 20 + 9);
}

/* 1000 executions on each side, 20 % slower: found each time, in the command and in its steps. */
static void a_shift_is_found(void **state)
{
	(void)state;
	for (int seed = 0; seed < 50; seed++) {
		struct compared compared;

		split(&compared, seed, 1.2);
		assert_int_equal(row_of(&compared, "c3", NULL)->durations, VERDICT_MORE);
		assert_int_equal(row_of(&compared, "c3", "A")->durations, VERDICT_MORE);
		assert_int_equal(row_of(&compared, "c3", "C")->durations, VERDICT_MORE);
		assert_true(comparison__slower(&compared.comparison, 1) >= 3);
		end(&compared);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rank_test_with_ties),
		cmocka_unit_test(values_that_are_all_equal),
		cmocka_unit_test(very_many_values),
		cmocka_unit_test(exact_tests),
		cmocka_unit_test(corrected_values),
		cmocka_unit_test(bounds_of_small_samples),
		cmocka_unit_test(the_rank_test_keeps_its_level),
		cmocka_unit_test(intervals_keep_their_confidence),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(rows_beyond_the_limit),
		cmocka_unit_test(a_tail_that_became_slower),
		cmocka_unit_test(a_split_finds_nothing),
		cmocka_unit_test(a_shift_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
