// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/doubts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { HOSTS_SHOWN = 5 };

static struct doubt *add(struct doubts *doubts, const char *name)
{
	struct doubt *doubt = &doubts->doubts[doubts->count++];

	doubt->name = name;
	doubt->text[0] = 0;
	doubt->counts[COMPARE_OLD] = doubt->counts[COMPARE_NEW] = 0;
	return doubt;
}

/* Nothing is appended to a text that is full. */
static void append(struct doubt *doubt, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void append(struct doubt *doubt, const char *format, ...)
{
	size_t used = strlen(doubt->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(doubt->text + used, sizeof(doubt->text) - used, format, arguments);
	va_end(arguments);
}

/* ---- what is counted in each recording */

#define EACH_TRACE(coverage, trace)                                                                \
	for (const struct coverage_trace *trace = (coverage)->traces;                              \
	     trace < (coverage)->traces + (coverage)->traces_count; trace++)

#define COUNT_TRACES(name, value)                                                                  \
	static uint64_t name(const struct compared_recording *side)                                \
	{                                                                                          \
		const struct coverage *coverage = &side->summary->coverage;                        \
		const struct coverage_trace *trace = &coverage->others;                            \
		uint64_t sum = coverage->others_count ? (value) : 0;                               \
                                                                                                   \
		for (trace = coverage->traces; trace < coverage->traces + coverage->traces_count;  \
		     trace++)                                                                      \
			sum += (value);                                                            \
		return sum;                                                                        \
	}

COUNT_TRACES(count_filtered, trace->filtered)
COUNT_TRACES(count_unfinished, !trace->has_stopped)
COUNT_TRACES(count_untraced, trace->untraced)
COUNT_TRACES(count_degraded, trace->degraded)
COUNT_TRACES(count_missing, trace->last_part > trace->parts ? trace->last_part - trace->parts : 0)

static uint64_t count_lost(const struct compared_recording *side)
{
	return coverage__lost(&side->summary->coverage);
}

static uint64_t count_unattributed(const struct compared_recording *side)
{
	return side->summary->coverage.unattributed;
}

static uint64_t count_skipped(const struct compared_recording *side)
{
	uint64_t sum = side->counts->odd_lines;

	for (int reason = 0; reason < RECORDING_SKIPS_COUNT; reason++)
		sum += reason == RECORDING_EMPTY ? 0 : side->counts->skipped[reason];
	return sum;
}

static uint64_t count_damaged(const struct compared_recording *side)
{
	return side->counts->files_damaged;
}

static const struct {
	const char *name;
	uint64_t (*count)(const struct compared_recording *side);
	const char *words;
} counted[] = {
	{"lost", count_lost, "lost events"},
	{"filtered", count_filtered,
	 "events left out by filters (such as --command and --min-duration), --sample or --whole, "
	 "or after --count"},
	{"unfinished", count_unfinished,
	 "traces without trace.stopped, whose filters are not known, and whose losses are not all "
	 "known"},
	{"unattributed", count_unattributed,
	 "events in files without trace.started, whose host, filters and losses are not known"},
	{"untraced", count_untraced, "processes that could not be traced"},
	{"degraded", count_degraded, "times that details were left out to stay within --max-cpu"},
	{"parts_missing", count_missing, "parts of rotated outputs that are missing"},
	{"skipped", count_skipped, "skipped or unexpected lines"},
	{"damaged", count_damaged, "damaged compressed files"},
};

static void add_counts(struct doubts *doubts, const char *name, const char *words, uint64_t old,
		       uint64_t new)
{
	struct doubt *doubt;

	if (!old && !new)
		return;
	doubt = add(doubts, name);
	doubt->counts[COMPARE_OLD] = old;
	doubt->counts[COMPARE_NEW] = new;
	append(doubt, "%s: %" PRIu64 " in OLD, %" PRIu64 " in NEW", words, old, new);
}

/* ---- how it was recorded */

static bool has_host(const struct coverage *coverage, const char *host)
{
	EACH_TRACE(coverage, trace)
	if (strcmp(trace->host, host) == 0)
		return true;
	return false;
}

static bool has_all_hosts(const struct coverage *coverage, const struct coverage *of)
{
	EACH_TRACE(of, trace)
	if (!has_host(coverage, trace->host))
		return false;
	return true;
}

/* Each host once, in the order of the traces. */
static void append_hosts(struct doubt *doubt, const struct coverage *coverage)
{
	size_t shown = 0;

	for (size_t i = 0; i < coverage->traces_count; i++) {
		const char *host = coverage->traces[i].host;
		bool is_known = false;

		for (size_t other = 0; other < i && !is_known; other++)
			is_known = strcmp(coverage->traces[other].host, host) == 0;
		if (is_known)
			continue;
		if (shown++ == HOSTS_SHOWN) {
			append(doubt, ", ...");
			return;
		}
		append(doubt, "%s%.60s", shown == 1 ? "" : ", ", host);
	}
	if (!shown)
		append(doubt, "unknown");
}

static void compare_hosts(struct doubts *doubts, const struct coverage *old,
			  const struct coverage *new)
{
	struct doubt *doubt;

	if (has_all_hosts(old, new) && has_all_hosts(new, old))
		return;
	doubt = add(doubts, "hosts");
	append(doubt, "other hosts: OLD is of ");
	append_hosts(doubt, old);
	append(doubt, "; NEW is of ");
	append_hosts(doubt, new);
}

static uint64_t count_breakdowns(const struct coverage *coverage)
{
	uint64_t count = 0;

	EACH_TRACE(coverage, trace)
	count += trace->has_breakdown;
	return count;
}

static void compare_breakdowns(struct doubts *doubts, const struct coverage *old,
			       const struct coverage *new)
{
	uint64_t olds = count_breakdowns(old), news = count_breakdowns(new);

	if (olds != old->traces_count || news != new->traces_count)
		add_counts(doubts, "breakdown",
			   "traces with --breakdown, which makes context switches slower", olds,
			   news);
}

/* A trace on both sides: the same recording was named twice, or the shell has expanded a pattern
 * for OLD to several names, of which only the first is OLD. */
static void find_same_traces(struct doubts *doubts, const struct coverage *old,
			     const struct coverage *new)
{
	uint64_t both = 0;

	EACH_TRACE(old, one)
	EACH_TRACE(new, other)
	both += coverage_trace__is_same(one, other);
	if (!both)
		return;
	append(add(doubts, "same_trace"),
	       "OLD and NEW contain the same trace. If OLD has several files, repeat --compare for "
	       "each, or quote its pattern: --compare 'old.*'");
}

void doubts__find(struct doubts *doubts, const struct compared_recording sides[COMPARE_SIDES],
		  const struct comparison *comparison)
{
	const struct coverage *old = &sides[COMPARE_OLD].summary->coverage;
	const struct coverage *new = &sides[COMPARE_NEW].summary->coverage;

	doubts->count = 0;
	find_same_traces(doubts, old, new);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		add_counts(doubts, counted[i].name, counted[i].words,
			   counted[i].count(&sides[COMPARE_OLD]),
			   counted[i].count(&sides[COMPARE_NEW]));
	compare_hosts(doubts, old, new);
	compare_breakdowns(doubts, old, new);
	add_counts(doubts, "without_row",
		   "executions and steps that are not compared, because there are too many "
		   "different commands and steps",
		   comparison->without_row[COMPARE_OLD], comparison->without_row[COMPARE_NEW]);
}
