// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/comparison.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/compare/exact_test.h"
#include "steptrace/compare/holm.h"

/* ---- rows of the two summaries, in the order of their texts */

struct found_row {
	const struct report_row *row;
	const char *command, *step_type;
	int side;
};

struct found_rows {
	struct found_row *rows; /* owned */
	size_t count;
};

static int compare_keys(const struct found_row *one, const struct found_row *other)
{
	int order = strcmp(one->command, other->command);

	if (order || !one->step_type)
		return order;
	return strcmp(one->step_type, other->step_type);
}

static int compare(const void *left, const void *right)
{
	return compare_keys(left, right);
}

static int find_rows(struct found_rows *found, struct comparison *comparison,
		     const struct summary *summary, enum section_id section, int side)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(summary->tables[section], &count);
	struct found_row *more =
		rows ? realloc(found->rows, (found->count + count + 1) * sizeof(*found->rows))
		     : NULL;

	for (size_t i = 0; more && i < count; i++) {
		if (rows[i]->key)
			more[found->count++] = (struct found_row){
				.row = rows[i],
				.command = report_row__text(rows[i], 0),
				.step_type = section == SECTION_STEPS ? report_row__text(rows[i], 1)
								      : NULL,
				.side = side,
			};
		else
			comparison->without_row[side] += rows[i]->count;
	}
	found->rows = more ? more : found->rows;
	free(rows);
	return more ? 0 : -ENOMEM;
}

/* ---- one row */

/* What all rows with the same texts have together. */
struct gathered {
	struct histogram durations[COMPARE_SIDES];
};

static int gather(struct gathered *gathered, struct compared_row *row,
		  const struct found_row *found)
{
	struct compared_side *side = &row->sides[found->side];
	const uint64_t *outcomes = found->row->outcomes;

	side->count += found->row->count;
	side->failed += outcomes[RECORDED_FAILURE] + outcomes[RECORDED_ABORTED];
	return histogram__merge(&gathered->durations[found->side], &found->row->durations);
}

static void read_durations(struct compared_side *side, const struct histogram *durations)
{
	side->timed = durations->count;
	side->sum_ns = durations->sum_ns;
	side->max_ns = durations->max_ns;
	side->p50_ns = histogram__percentile_ns(durations, 0.5);
	side->p95_ns = histogram__percentile_ns(durations, 0.95);
	side->p99_ns = histogram__percentile_ns(durations, 0.99);
}

static void test(struct compared_row *row, const struct gathered *gathered)
{
	const struct histogram *old = &gathered->durations[COMPARE_OLD];
	const struct histogram *new = &gathered->durations[COMPARE_NEW];
	struct compared_side *sides = row->sides;

	read_durations(&sides[COMPARE_OLD], old);
	read_durations(&sides[COMPARE_NEW], new);
	row->rank = rank_test__of(old, new);
	row->p50 = quantile_ratio__of(old, new, 0.5);
	row->p95 = quantile_ratio__of(old, new, 0.95);
	row->failures_p = exact_test__p(
		(struct proportion){sides[COMPARE_OLD].failed, sides[COMPARE_OLD].count},
		(struct proportion){sides[COMPARE_NEW].failed, sides[COMPARE_NEW].count});
	row->rank_corrected = row->failures_corrected = 1;
}

/* Makes a row of the found rows that have the same texts as the first one. 0 or -ENOMEM. */
static int make_row(struct compared_row *row, const struct found_rows *found, size_t *at)
{
	const struct found_row *first = &found->rows[*at];
	struct gathered gathered = {0};
	int code = 0;

	*row = (struct compared_row){.command = first->command, .step_type = first->step_type};
	for (; !code && *at < found->count && compare_keys(first, &found->rows[*at]) == 0; ++*at)
		code = gather(&gathered, row, &found->rows[*at]);
	test(row, &gathered);
	histogram__clear(&gathered.durations[COMPARE_OLD]);
	histogram__clear(&gathered.durations[COMPARE_NEW]);
	return code;
}

/* A command that began and did not end has a row without executions. */
static bool is_empty(const struct compared_row *row)
{
	return !row->sides[COMPARE_OLD].count && !row->sides[COMPARE_NEW].count;
}

/* Room for all rows that the found ones can make. */
static int reserve(struct comparison *comparison, size_t more)
{
	size_t count = comparison->count + more + 1;
	struct compared_row *rows = realloc(comparison->rows, count * sizeof(*rows));

	if (rows)
		comparison->rows = rows;
	return rows ? 0 : -ENOMEM;
}

static int join(struct comparison *comparison, struct found_rows *found)
{
	int code = reserve(comparison, found->count);
	size_t at = 0;

	if (!code)
		qsort(found->rows, found->count, sizeof(*found->rows), compare);
	while (!code && at < found->count) {
		struct compared_row *row = &comparison->rows[comparison->count];

		code = make_row(row, found, &at);
		comparison->count += !is_empty(row);
	}
	return code;
}

static int add_section(struct comparison *comparison, const struct summary *const *summaries,
		       enum section_id section)
{
	struct found_rows found = {NULL, 0};
	int code = 0;

	for (int side = 0; !code && side < COMPARE_SIDES; side++)
		code = find_rows(&found, comparison, summaries[side], section, side);
	if (!code)
		code = join(comparison, &found);
	free(found.rows);
	return code;
}

/* ---- verdicts */

/* Without a test; VERDICT_NONE: it can be tested. */
static enum verdict early_verdict(const struct comparison *comparison,
				  const struct compared_row *row, uint64_t old, uint64_t new)
{
	if (!row->sides[COMPARE_OLD].count)
		return comparison->without_row[COMPARE_OLD] ? VERDICT_UNKNOWN : VERDICT_NEW;
	if (!row->sides[COMPARE_NEW].count)
		return comparison->without_row[COMPARE_NEW] ? VERDICT_UNKNOWN : VERDICT_GONE;
	return old < COMPARISON_MIN || new < COMPARISON_MIN ? VERDICT_TOO_FEW : VERDICT_NONE;
}

static size_t collect_tests(struct comparison *comparison, struct holm_test *tests)
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++) {
		struct compared_row *row = &comparison->rows[i];
		const struct compared_side *old = &row->sides[COMPARE_OLD];
		const struct compared_side *new = &row->sides[COMPARE_NEW];

		row->durations = early_verdict(comparison, row, old->timed, new->timed);
		row->failures = early_verdict(comparison, row, old->count, new->count);
		if (row->durations == VERDICT_NONE)
			tests[count++] = (struct holm_test){row->rank.p, &row->rank_corrected};
		if (row->failures == VERDICT_NONE)
			tests[count++] =
				(struct holm_test){row->failures_p, &row->failures_corrected};
	}
	return count;
}

static enum verdict verdict_of(enum verdict verdict, double corrected, bool is_more)
{
	if (verdict != VERDICT_NONE || !(corrected < COMPARISON_LEVEL))
		return verdict;
	return is_more ? VERDICT_MORE : VERDICT_LESS;
}

static bool fails_more(const struct compared_row *row)
{
	const struct compared_side *old = &row->sides[COMPARE_OLD], *new = &row->sides[COMPARE_NEW];

	return (double)new->failed *(double)old->count > (double)old->failed *(double)new->count;
}

static int decide(struct comparison *comparison)
{
	struct holm_test *tests = calloc(2 * comparison->count + 1, sizeof(*tests));

	if (!tests)
		return -ENOMEM;
	comparison->tests = collect_tests(comparison, tests);
	holm__correct(tests, comparison->tests);
	free(tests);
	for (size_t i = 0; i < comparison->count; i++) {
		struct compared_row *row = &comparison->rows[i];

		row->durations =
			verdict_of(row->durations, row->rank_corrected, row->rank.effect > 0.5);
		row->failures = verdict_of(row->failures, row->failures_corrected, fails_more(row));
	}
	return 0;
}

/* ---- the whole */

int comparison__make(struct comparison *comparison, const struct summary *old,
		     const struct summary *new)
{
	const struct summary *const summaries[COMPARE_SIDES] = {old, new};
	int code;

	*comparison = (struct comparison){.rows = NULL};
	code = add_section(comparison, summaries, SECTION_COMMANDS);
	if (!code)
		code = add_section(comparison, summaries, SECTION_STEPS);
	return code ? code : decide(comparison);
}

void comparison__free(struct comparison *comparison)
{
	free(comparison->rows);
	*comparison = (struct comparison){.rows = NULL};
}

static bool is_above(const struct ratio *ratio, double percent)
{
	return ratio->has_low && ratio->low > 1 + percent / 100;
}

size_t comparison__slower(const struct comparison *comparison, double percent)
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->count; i++) {
		const struct compared_row *row = &comparison->rows[i];

		count += row->durations == VERDICT_MORE &&
			 (is_above(&row->p50, percent) || is_above(&row->p95, percent));
	}
	return count;
}
