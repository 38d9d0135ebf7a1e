// SPDX-License-Identifier: BSD-2-Clause
/* The head of the page: its policy and style, the title, what is lost, and the main figures. */
#include <inttypes.h>
#include <stdlib.h>

#include "steptrace/report/coverage_notes.h"
#include "steptrace/report_html/html_page.h"
#include "steptrace/report_html/page_files.h"

/* ---- <head> */

/* "web-1", or "3 traces". */
static void put_hosts(struct html_page *page)
{
	const struct coverage *coverage = &page->summary->coverage;

	if (coverage->traces_count == 1)
		html_page__name(page, coverage->traces[0].host);
	else if (coverage->traces_count)
		html_page__put(page, "%zu traces", coverage->traces_count);
	else
		html_page__put(page, "an unknown trace");
}

static void put_document_head(struct html_page *page)
{
	html_page__put(page,
		       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		       "style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n",
		       report_html_page_css_hash, report_html_page_js_hash);
	html_page__put(page, "<meta name=\"viewport\" content=\"width=device-width, "
			     "initial-scale=1\">\n"
			     "<meta name=\"color-scheme\" content=\"light dark\">\n"
			     "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	put_hosts(page);
	html_page__put(page, " – steptrace report</title>\n<style>%s</style>\n</head>\n<body>\n",
		       report_html_page_css);
}

/* ---- what is lost */

struct losses {
	uint64_t lost, unended, missing_parts, untraced, unattributed;
};

static struct losses losses_of(const struct coverage *coverage)
{
	struct losses sum = {.lost = coverage__lost(coverage),
			     .unattributed = coverage->unattributed};

	for (size_t i = 0; i < coverage->traces_count; i++) {
		const struct coverage_trace *trace = &coverage->traces[i];

		sum.unended += !trace->has_stopped;
		sum.untraced += trace->untraced;
		if (trace->last_part > trace->parts)
			sum.missing_parts += trace->last_part - trace->parts;
	}
	return sum;
}

static void put_loss(struct html_page *page, const char *name, uint64_t value, const char *one,
		     const char *many)
{
	char text[HTML_NUMBER_BYTES];

	if (value)
		html_page__put(
			page, "<li><b data-name=\"%s\" data-value=\"%" PRIu64 "\">%s</b> %s</li>\n",
			name, value, html_number(text, value), value == 1 ? one : many);
}

static void put_notice(struct html_page *page)
{
	const struct losses sum = losses_of(&page->summary->coverage);

	if (!sum.lost && !sum.unended && !sum.missing_parts && !sum.untraced && !sum.unattributed) {
		html_page__put(page, "<p class=\"complete\">The recording is complete: no event "
				     "was lost.</p>\n");
		return;
	}
	html_page__put(page, "<div class=\"notice\" role=\"note\"><p>The recording is not "
			     "complete. Counts and sums are too low.</p>\n<ul>\n");
	put_loss(page, "lost", sum.lost, "event was lost.", "events were lost.");
	put_loss(page, "unended", sum.unended,
		 "trace has no trace.stopped: the number of its lost events is a lower bound.",
		 "traces have no trace.stopped: the number of their lost events is a lower bound.");
	put_loss(page, "missing_parts", sum.missing_parts, "part of a rotated output is missing.",
		 "parts of rotated outputs are missing.");
	put_loss(page, "untraced", sum.untraced, "process could not be traced.",
		 "processes could not be traced.");
	put_loss(page, "unattributed", sum.unattributed,
		 "event is in a file that does not begin with trace.started: its losses are not "
		 "known.",
		 "events are in files that do not begin with trace.started: their losses are not "
		 "known.");
	html_page__put(page, "</ul></div>\n");
}

/* ---- the main figures */

struct sums {
	uint64_t ended, failed, rows;
};

static struct sums sums_of(struct html_page *page, enum section_id section)
{
	struct sums sums = {0};
	size_t count;
	struct report_row **rows = report_rows__sorted(page->summary->tables[section], &count);

	for (size_t i = 0; rows && i < count; i++) {
		sums.ended += rows[i]->count;
		sums.failed +=
			rows[i]->outcomes[RECORDED_FAILURE] + rows[i]->outcomes[RECORDED_ABORTED];
	}
	sums.rows = count;
	page->has_failed = page->has_failed || !rows;
	free(rows);
	return sums;
}

static void put_figure(struct html_page *page, const char *name, uint64_t value, const char *title,
		       const char *classes)
{
	char text[HTML_NUMBER_BYTES];

	html_page__put(page,
		       "<div class=\"%s\"><dt>%s</dt><dd><b data-name=\"%s\" data-value=\"%" PRIu64
		       "\">%s</b>",
		       classes, title, name, value, html_number(text, value));
}

static void put_figures(struct html_page *page)
{
	const struct sums commands = sums_of(page, SECTION_COMMANDS);
	const struct sums steps = sums_of(page, SECTION_STEPS);
	uint64_t lost = coverage__lost(&page->summary->coverage);
	char text[HTML_NUMBER_BYTES];

	html_page__put(page, "<dl class=\"figures\">\n");
	put_figure(page, "ended", commands.ended, "Executions ended", "figure");
	html_page__put(page, " <small>of %s command%s</small></dd></div>\n",
		       html_number(text, commands.rows), commands.rows == 1 ? "" : "s");
	put_figure(page, "failed", commands.failed, "Failed or aborted",
		   commands.failed ? "figure bad" : "figure");
	html_page__put(page, " <small>%s</small></dd></div>\n",
		       html_percent(text, commands.failed, commands.ended));
	put_figure(page, "steps", steps.ended, "Steps executed", "figure");
	html_page__put(page, " <small>%s failed</small></dd></div>\n",
		       html_percent(text, steps.failed, steps.ended));
	put_figure(page, "lost", lost, "Events lost", lost ? "figure bad" : "figure");
	html_page__put(page, "</dd></div>\n</dl>\n");
}

/* ---- the links to the sections */

static bool is_empty(struct html_page *page, enum section_id section)
{
	return sums_of(page, section).rows == 0;
}

static void put_link(struct html_page *page, const char *id, const char *title)
{
	html_page__put(page, "<li><a href=\"#%s\">%s</a></li>\n", id, title);
}

static void put_links(struct html_page *page)
{
	size_t slowest;

	html_page__put(page, "<nav aria-label=\"Sections\"><ul>\n");
	put_link(page, "coverage", "Coverage");
	if (page->summary->timeline.count)
		put_link(page, "timeline", "Over time");
	for (int section = 0; section < SECTIONS_COUNT; section++) {
		if (!is_empty(page, (enum section_id)section))
			put_link(page, sections[section].name, sections[section].title);
		if (section == SECTION_STEPS)
			put_link(page, "bottlenecks", "Bottlenecks");
	}
	waterfalls__slowest(page->summary->waterfalls, &slowest);
	if (slowest)
		put_link(page, "slowest", "Slowest executions");
	html_page__put(page, "</ul></nav>\n");
}

static void say(void *context, const char *sentence)
{
	html_page__text(context, sentence);
}

void html_head__write(struct html_page *page)
{
	const struct coverage_notes notes = {page->summary, page->counts, say, page};

	put_document_head(page);
	html_page__put(page, "<header>\n<p class=\"kind\">steptrace report</p>\n<h1>");
	put_hosts(page);
	html_page__put(page, "</h1>\n<p class=\"when\">");
	coverage_notes__time(&notes);
	html_page__put(page, "</p>\n");
	put_notice(page);
	put_figures(page);
	put_links(page);
	html_page__put(page, "</header>\n<main>\n");
}
