// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/comparison_text.h"

#include <errno.h>
#include <inttypes.h>

#include "steptrace/compare/verdict_words.h"
#include "steptrace/report/utc_text.h"

static void put_recording(struct text_page *page, const char *word,
			  const struct compared_recording *side)
{
	const struct coverage *coverage = &side->summary->coverage;
	char first[UTC_TEXT_BYTES], last[UTC_TEXT_BYTES];

	utc_text__write(first, coverage->last_ns ? coverage->first_ns : 0);
	utc_text__write(last, coverage->last_ns);
	text_page__words(page, "%s  '%s'%s, %" PRIu64 " events of runners, %s to %s UTC", word,
			 side->name, side->counts->files == 1 ? "" : " and other files",
			 side->summary->selection.events, first, last);
}

static void put_verdicts(struct text_page *page, const struct comparison *comparison,
			 const char *title, const char *const words[VERDICTS_COUNT],
			 bool of_failures)
{
	uint64_t counts[VERDICTS_COUNT] = {0};
	char text[512];
	int used = 0;

	for (size_t i = 0; i < comparison->count; i++)
		counts[of_failures ? comparison->rows[i].failures
				   : comparison->rows[i].durations]++;
	for (int verdict = 0; verdict < VERDICTS_COUNT; verdict++)
		if (verdict != VERDICT_UNKNOWN || counts[verdict])
			used += snprintf(text + used, sizeof(text) - (size_t)used,
					 "%s%" PRIu64 " %s", used ? ", " : "", counts[verdict],
					 words[verdict]);
	text_page__words(page, "%-10s %s", title, text);
}

static void put_doubts(struct text_page *page, const struct doubts *doubts)
{
	if (!doubts->count)
		return;
	text_page__heading(page, "WARNING: the recordings may not be comparable");
	for (size_t i = 0; i < doubts->count; i++)
		text_page__words(page, "%s", doubts->doubts[i].text);
}

static void put_method(struct text_page *page, const struct comparison *comparison)
{
	text_page__heading(page, "How it is tested");
	text_page__words(page, "durations: rank test (Mann-Whitney U on the buckets of histograms, "
			       "corrected for ties)");
	text_page__words(page, "failures: Fisher's exact test");
	text_page__words(page,
			 "P is corrected for %zu tests (Holm); a difference is told where it is "
			 "below %g",
			 comparison->tests, COMPARISON_LEVEL);
	text_page__words(page,
			 "P50, P95: of NEW; CHANGE: from OLD to NEW, and the interval in which "
			 "it lies (95 %%)");
	text_page__words(page,
			 "SLOWER: how probable it is that one of NEW takes longer than one of "
			 "OLD (50%%: no difference)");
	text_page__words(page,
			 "too few: fewer than %d executions in OLD or NEW; nothing is said "
			 "about them",
			 COMPARISON_MIN);
}

int comparison_text__write(FILE *out, const struct comparison *comparison,
			   const struct doubts *doubts,
			   const struct compared_recording sides[COMPARE_SIDES], uint64_t rows,
			   const struct text_style *style)
{
	struct text_page page = {.style = style};
	int code = json__init(&page.text, 1 << 16);

	if (code)
		return code;
	text_page__heading(&page, "What is compared");
	put_recording(&page, "OLD", &sides[COMPARE_OLD]);
	put_recording(&page, "NEW", &sides[COMPARE_NEW]);
	put_verdicts(&page, comparison, "durations:", duration_words, false);
	put_verdicts(&page, comparison, "failures:", failure_words, true);
	put_doubts(&page, doubts);
	comparison_tables__write(&page, comparison, rows);
	put_method(&page, comparison);
	if (!page.has_failed)
		fwrite(page.text.base, 1, json__length(&page.text), out);
	json__free(&page.text);
	return page.has_failed ? -ENOMEM : 0;
}
