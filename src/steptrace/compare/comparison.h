/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two recordings, command by command and step by step: what became slower, faster, failed more or
 * less often, is new or gone. A step is a command and a step type; steps of the same type are one
 * row, whatever their names are.
 *
 *	summary of OLD, summary of NEW -> comparison__make() -> rows -> text or JSON
 *
 * Each row with enough executions has two tests: of its durations (rank_test.h) and of its failures
 * (exact_test.h). The p-values of all rows are corrected together (holm.h). A row is said to differ
 * if its corrected p is below COMPARISON_LEVEL. Otherwise no difference was found, which does not
 * mean that there is none.
 */
#ifndef STEPTRACE_COMPARE_COMPARISON_H
#define STEPTRACE_COMPARE_COMPARISON_H

#include "steptrace/compare/quantile_interval.h"
#include "steptrace/compare/rank_test.h"
#include "steptrace/report/summary.h"

#define COMPARISON_LEVEL 0.05
enum { COMPARISON_MIN = 20 }; /* executions of a row in each recording, for a test */

enum { COMPARE_OLD, COMPARE_NEW, COMPARE_SIDES };

/* What a row has in one recording. */
struct compared_side {
	uint64_t count, failed; /* executions; those that failed or were aborted */
	uint64_t timed;         /* with a duration */
	uint64_t sum_ns, max_ns, p50_ns, p95_ns, p99_ns;
};

enum verdict {
	VERDICT_MORE,    /* slower, or more failures */
	VERDICT_LESS,    /* faster, or fewer failures */
	VERDICT_NONE,    /* no difference was found */
	VERDICT_TOO_FEW, /* executions */
	VERDICT_NEW,     /* OLD has none */
	VERDICT_GONE,    /* NEW has none */
	VERDICT_UNKNOWN, /* one side has none, but it has a row for what had no row */
	VERDICTS_COUNT,
};

struct compared_row {
	const char *command, *step_type; /* of a command NULL; borrowed from the summaries */
	struct compared_side sides[COMPARE_SIDES];
	enum verdict durations, failures;
	struct rank_test rank;
	struct ratio p50, p95;
	double rank_corrected;
	double failures_p, failures_corrected;
};

struct comparison {
	struct compared_row *rows; /* owned; commands and steps */
	size_t count;
	size_t tests;                        /* how many p-values were corrected together */
	uint64_t without_row[COMPARE_SIDES]; /* executions and steps beyond the limit of rows */
};

/* 0, or -ENOMEM. The summaries must live as long as the comparison. Free it in both cases. */
int comparison__make(struct comparison *comparison, const struct summary *old,
		     const struct summary *new);
void comparison__free(struct comparison *comparison);

/* How many rows are slower, and the whole interval of their p50 or p95 is above that share of the
 * old value: 20 are more than 20 % slower. */
size_t comparison__slower(const struct comparison *comparison, double percent);

#endif
