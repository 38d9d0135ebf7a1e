// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/comparison_json.h"

#include <errno.h>

#include "steptrace/compare/verdict_words.h"
#include "steptrace/report/summary_json.h"

static const char *const side_names[COMPARE_SIDES] = {"old", "new"};

static void put_doubts(struct json_members *out, const struct doubts *doubts)
{
	json_members__open(out, "doubts", '[');
	for (size_t i = 0; i < doubts->count; i++) {
		const struct doubt *doubt = &doubts->doubts[i];

		json_members__open(out, NULL, '{');
		json_members__text(out, "name", doubt->name);
		for (int side = 0; side < COMPARE_SIDES; side++)
			json_members__u64(out, side_names[side], doubt->counts[side]);
		json_members__text(out, "text", doubt->text);
		json_members__close(out, '}');
	}
	json_members__close(out, ']');
}

static void put_tests(struct json_members *out, const struct comparison *comparison)
{
	json_members__open(out, "tests", '{');
	json_members__u64(out, "count", comparison->tests);
	json_members__double(out, "level", COMPARISON_LEVEL);
	json_members__u64(out, "executions_min", COMPARISON_MIN);
	json_members__text(out, "durations",
			   "Mann-Whitney U on histogram buckets, corrected for ties, normal "
			   "approximation with continuity correction, two-sided");
	json_members__text(out, "failures", "Fisher's exact test, two-sided");
	json_members__text(out, "correction", "Holm");
	json_members__text(
		out, "intervals",
		"95 %: order statistics, widened to the ends of their buckets, and combined "
		"by the method of Zou and Donner (MOVER)");
	json_members__close(out, '}');
}

static void put_side(struct json_members *out, const char *name, const struct compared_side *side)
{
	json_members__open(out, name, '{');
	json_members__u64(out, "count", side->count);
	json_members__u64(out, "failed", side->failed);
	json_members__u64(out, "timed", side->timed);
	json_members__u64(out, "sum_ns", side->sum_ns);
	json_members__u64(out, "max_ns", side->max_ns);
	json_members__u64(out, "p50_ns", side->p50_ns);
	json_members__u64(out, "p95_ns", side->p95_ns);
	json_members__u64(out, "p99_ns", side->p99_ns);
	json_members__close(out, '}');
}

static void put_known(struct json_members *out, const char *name, bool is_known, double value)
{
	if (is_known)
		json_members__double(out, name, value);
	else
		json_members__null(out, name);
}

static void put_ratio(struct json_members *out, const char *name, const struct ratio *ratio)
{
	json_members__open(out, name, '{');
	put_known(out, "ratio", ratio->is_known, ratio->value);
	put_known(out, "low", ratio->has_low, ratio->low);
	put_known(out, "high", ratio->has_high, ratio->high);
	json_members__close(out, '}');
}

static bool is_tested(enum verdict verdict)
{
	return verdict <= VERDICT_NONE;
}

/* Without a test, nothing that could be taken for its result. */
static void put_durations(struct json_members *out, const struct compared_row *row)
{
	json_members__open(out, "durations", '{');
	json_members__text(out, "verdict", duration_verdict_names[row->durations]);
	put_known(out, "u", is_tested(row->durations), row->rank.u);
	put_known(out, "slower_probability", is_tested(row->durations), row->rank.effect);
	put_known(out, "p", is_tested(row->durations), row->rank.p);
	put_known(out, "p_corrected", is_tested(row->durations), row->rank_corrected);
	put_ratio(out, "p50", &row->p50);
	put_ratio(out, "p95", &row->p95);
	json_members__close(out, '}');
}

static double rate(const struct compared_side *side)
{
	return side->count ? (double)side->failed / (double)side->count : 0;
}

static void put_failures(struct json_members *out, const struct compared_row *row)
{
	const struct compared_side *old = &row->sides[COMPARE_OLD], *new = &row->sides[COMPARE_NEW];

	json_members__open(out, "failures", '{');
	json_members__text(out, "verdict", failure_verdict_names[row->failures]);
	put_known(out, "difference", old->count && new->count, rate(new) - rate(old));
	put_known(out, "p", is_tested(row->failures), row->failures_p);
	put_known(out, "p_corrected", is_tested(row->failures), row->failures_corrected);
	json_members__close(out, '}');
}

static void put_row(struct json_members *out, const struct compared_row *row)
{
	json_members__open(out, NULL, '{');
	json_members__text(out, "command", row->command);
	if (row->step_type)
		json_members__text(out, "step_type", row->step_type);
	for (int side = 0; side < COMPARE_SIDES; side++)
		put_side(out, side_names[side], &row->sides[side]);
	put_durations(out, row);
	put_failures(out, row);
	json_members__close(out, '}');
}

static void put_rows(struct json_members *out, const char *name,
		     const struct comparison *comparison, bool are_steps)
{
	json_members__open(out, name, '[');
	for (size_t i = 0; i < comparison->count; i++)
		if ((comparison->rows[i].step_type != NULL) == are_steps)
			put_row(out, &comparison->rows[i]);
	json_members__close(out, ']');
}

static int put_all(struct json_members *out, const struct comparison *comparison,
		   const struct doubts *doubts, const struct compared_recording *sides)
{
	int code = 0;

	json_members__open(out, NULL, '{');
	json_members__u64(out, "compare_version", 1);
	for (int side = 0; side < COMPARE_SIDES && !code; side++) {
		json_members__open(out, side_names[side], '{');
		code = summary_json__put_coverage(out, sides[side].summary, sides[side].counts);
		summary_json__put_selection(out, sides[side].summary);
		json_members__close(out, '}');
	}
	put_doubts(out, doubts);
	put_tests(out, comparison);
	put_rows(out, "commands", comparison, false);
	put_rows(out, "steps", comparison, true);
	json_members__close(out, '}');
	json_members__close(out, '\n');
	return code ? code : out->has_failed ? -ENOMEM : 0;
}

int comparison_json__write(FILE *out, const struct comparison *comparison,
			   const struct doubts *doubts,
			   const struct compared_recording sides[COMPARE_SIDES])
{
	struct json_members members = {.has_failed = false};
	int code = json__init(&members.json, 1 << 16);

	if (!code)
		code = put_all(&members, comparison, doubts, sides);
	if (!code)
		fwrite(members.json.base, 1, json__length(&members.json), out);
	json__free(&members.json);
	return code;
}
