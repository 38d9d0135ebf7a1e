// SPDX-License-Identifier: BSD-2-Clause
/* What the recording covers: its files, what was skipped, its traces, and what they lost. */
#include <inttypes.h>
#include <stdlib.h>

#include "steptrace/report/coverage_notes.h"
#include "steptrace/report/utc_text.h"
#include "steptrace/report_html/html_page.h"

static void put_number(struct html_page *page, const char *name, uint64_t value)
{
	char text[HTML_NUMBER_BYTES];

	html_page__put(page,
		       "<td class=\"number%s\" data-name=\"%s\" data-value=\"%" PRIu64 "\">%s</td>",
		       value ? "" : " nothing", name, value, html_number(text, value));
}

static void put_time(struct html_page *page, const char *name, uint64_t ns)
{
	char text[UTC_TEXT_BYTES];

	utc_text__write(text, ns);
	html_page__put(page,
		       "<td class=\"time\" data-name=\"%s\" data-value=\"%" PRIu64 "\">%s</td>",
		       name, ns, text);
}

static void put_text(struct html_page *page, const char *name, const char *text)
{
	html_page__put(page, "<td data-name=\"%s\">", name);
	html_page__name(page, text);
	html_page__put(page, "</td>");
}

/* ---- traces */

static void put_trace(struct html_page *page, const struct coverage_trace *trace)
{
	html_page__put(page, "<tr><th scope=\"row\" data-name=\"host\">");
	html_page__name(page, trace->host);
	html_page__put(page, "</th>");
	put_time(page, "started", trace->started_ns);
	put_time(page, "stopped", trace->has_stopped ? trace->stopped_ns : 0);
	put_text(page, "reason", trace->has_stopped ? trace->reason : "no trace.stopped");
	put_number(page, "parts", trace->parts);
	put_number(page, "events", trace->events);
	put_number(page, "lost", coverage_trace__lost(trace));
	put_number(page, "processes_untraced", trace->untraced);
	html_page__put(page, "</tr>\n");
}

static void put_traces(struct html_page *page)
{
	const struct coverage *coverage = &page->summary->coverage;

	if (!coverage->traces_count)
		return;
	html_page__put(page, "<h3>Traces</h3>\n");
	html_page__begin_table(page, "traces", "Traces", "rows");
	html_page__put(page, "<thead><tr><th scope=\"col\">Host</th>"
			     "<th scope=\"col\" class=\"time\">Started</th>"
			     "<th scope=\"col\" class=\"time\">Stopped</th>"
			     "<th scope=\"col\">Why it stopped</th>"
			     "<th scope=\"col\" class=\"number\">Parts</th>"
			     "<th scope=\"col\" class=\"number\">Events</th>"
			     "<th scope=\"col\" class=\"number\">Lost</th>"
			     "<th scope=\"col\" class=\"number\">Untraced processes</th>"
			     "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < coverage->traces_count; i++)
		put_trace(page, &coverage->traces[i]);
	html_page__put(page, "</tbody>");
	html_page__end_table(page);
	if (coverage->others_count)
		html_page__put(page, "<p>and %" PRIu64 " parts of other traces</p>\n",
			       coverage->others_count);
}

/* ---- losses */

static void put_lost_rows(struct html_page *page, struct report_row *const *rows, size_t count)
{
	html_page__put(page, "<h3>Lost events</h3>\n");
	html_page__begin_table(page, "losses", "Lost events", "rows");
	html_page__put(page, "<thead><tr><th scope=\"col\">Event</th><th scope=\"col\">Reason</th>"
			     "<th scope=\"col\" class=\"number\">Lost</th></tr></thead>\n"
			     "<tbody>\n");
	for (size_t i = 0; i < count; i++) {
		html_page__put(page, "<tr><th scope=\"row\" data-name=\"kind\">");
		html_page__name(page, rows[i]->key ? report_row__text(rows[i], 0) : "(other)");
		html_page__put(page, "</th>");
		put_text(page, "reason", report_row__text(rows[i], 1));
		put_number(page, "lost", rows[i]->count);
		html_page__put(page, "</tr>\n");
	}
	html_page__put(page, "</tbody>");
	html_page__end_table(page);
}

static void put_losses(struct html_page *page)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(page->summary->coverage.losses, &count);

	if (rows && count)
		put_lost_rows(page, rows, count);
	page->has_failed = page->has_failed || !rows;
	free(rows);
}

static void say(void *context, const char *sentence)
{
	struct html_page *page = context;

	html_page__put(page, "<li>");
	html_page__text(page, sentence);
	html_page__put(page, "</li>\n");
}

void html_coverage__write(struct html_page *page)
{
	const struct coverage_notes notes = {page->summary, page->counts, say, page};

	html_page__begin_section(page, "coverage", "What the recording covers");
	html_page__put(page, "<ul class=\"notes\">\n");
	coverage_notes__files(&notes);
	coverage_notes__doubts(&notes);
	html_page__put(page, "</ul>\n");
	put_losses(page);
	put_traces(page);
	html_page__end_section(page);
}
