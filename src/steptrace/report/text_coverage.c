// SPDX-License-Identifier: BSD-2-Clause
/* The first part of a report: what the recording covers, and what is missing in it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "steptrace/report/coverage_notes.h"
#include "steptrace/report/text_page.h"
#include "steptrace/report/utc_text.h"

enum { TRACES_SHOWN = 10 };

/* ---- traces */

static void put_end(char *text, size_t room, const struct coverage_trace *trace)
{
	char stopped[UTC_TEXT_BYTES];

	utc_text__write(stopped, trace->has_stopped ? trace->stopped_ns : trace->last_ns);
	if (trace->has_stopped)
		snprintf(text, room, "stopped %s (%s)", stopped, trace->reason);
	else
		snprintf(text, room, "no trace.stopped; last event %s", stopped);
}

static void put_trace(struct text_page *page, const struct coverage_trace *trace)
{
	char started[UTC_TEXT_BYTES], end[128];

	utc_text__write(started, trace->started_ns);
	put_end(end, sizeof(end), trace);
	text_page__line(page, "  host %s: started %s, %s", trace->host, started, end);
	text_page__line(page, "    %" PRIu64 " events of runners, %s%" PRIu64 " lost",
			trace->events, trace->has_stopped ? "" : "at least ",
			coverage_trace__lost(trace));
	if (trace->last_part > trace->parts)
		text_page__line(page,
				"    %" PRIu64 " of %" PRIu64 " parts are missing in the recording",
				trace->last_part - trace->parts, trace->last_part);
	if (trace->filtered)
		text_page__line(page,
				"    %" PRIu64
				" events left out by filters, --sample or --whole, or "
				"after --count",
				trace->filtered);
	if (trace->degraded)
		text_page__line(page,
				"    details left out %" PRIu64 " times, to stay within --max-cpu",
				trace->degraded);
	if (trace->clock_changes)
		text_page__line(page, "    the wall clock was set %" PRIu64 " times",
				trace->clock_changes);
	if (trace->untraced)
		text_page__line(page, "    %" PRIu64 " processes could not be traced",
				trace->untraced);
}

static void put_traces(struct text_page *page)
{
	const struct coverage *coverage = &page->summary->coverage;

	for (size_t i = 0; i < coverage->traces_count && i < TRACES_SHOWN; i++)
		put_trace(page, &coverage->traces[i]);
	if (coverage->traces_count > TRACES_SHOWN)
		text_page__line(page, "  and %zu other traces",
				coverage->traces_count - TRACES_SHOWN);
	if (coverage->unattributed)
		text_page__line(page,
				"  %" PRIu64 " events are in files that do not begin with "
				"trace.started: their losses are not known",
				coverage->unattributed);
}

static void put_losses(struct text_page *page)
{
	const struct coverage *coverage = &page->summary->coverage;
	size_t count;
	struct report_row **rows = report_rows__sorted(coverage->losses, &count);

	text_page__line(page, "  lost events: %" PRIu64, coverage__lost(coverage));
	for (size_t i = 0; rows && i < count; i++)
		text_page__line(page, "    %" PRIu64 " %s (%s)", rows[i]->count,
				report_row__text(rows[i], 0), report_row__text(rows[i], 1));
	page->has_failed = page->has_failed || !rows;
	free(rows);
}

static void say(void *page, const char *sentence)
{
	text_page__line(page, "  %s", sentence);
}

void text_coverage__write(struct text_page *page)
{
	const struct coverage_notes notes = {page->summary, page->counts, say, page};

	text_page__heading(page, "What the recording covers");
	coverage_notes__time(&notes);
	coverage_notes__files(&notes);
	put_losses(page);
	put_traces(page);
	coverage_notes__doubts(&notes);
}
