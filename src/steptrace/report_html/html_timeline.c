// SPDX-License-Identifier: BSD-2-Clause
/* How many executions ended and failed over time: two pictures with the same axis, and a table. */
#include <inttypes.h>

#include "steptrace/report/timeline_bars.h"
#include "steptrace/report/utc_text.h"
#include "steptrace/report_html/html_page.h"

enum { BARS_MOST = 120, HEIGHT = 100 };
#define MINUTE_NS 60000000000ull

static uint64_t bar_start_ns(const struct timeline *timeline, const struct timeline_bars *bars,
			     size_t at)
{
	return timeline->slots[0].start_ns + at * bars->slots_of_one * timeline->width_ns;
}

/* With seconds only where they differ. */
static void slot_text(char text[UTC_TEXT_BYTES], const struct timeline *timeline, uint64_t ns)
{
	utc_text__write(text, ns);
	if (timeline->width_ns >= MINUTE_NS)
		text[sizeof("2026-11-24 09:28") - 1] = 0;
}

/* A value that is not zero has a bar that can be seen. */
static void put_bar(struct html_page *page, const struct timeline *timeline,
		    const struct timeline_bars *bars, size_t at)
{
	double height = (double)bars->values[at] / (double)bars->highest * HEIGHT;
	char start[UTC_TEXT_BYTES], number[HTML_NUMBER_BYTES];

	if (!bars->values[at])
		return;
	height = height < 2 ? 2 : height;
	slot_text(start, timeline, bar_start_ns(timeline, bars, at));
	html_page__put(page,
		       "<rect x=\"%zu.1\" y=\"%.2f\" width=\".8\" height=\"%.2f\"><title>%s: "
		       "%s</title></rect>",
		       at, HEIGHT - height, height, start, html_number(number, bars->values[at]));
}

/* "minute", "3 minutes". */
static const char *bar_width(char text[2 * DURATION_TEXT_BYTES], const struct timeline_bars *bars,
			     uint64_t width_ns)
{
	char room[DURATION_TEXT_BYTES];
	const char *name = timeline_bars__width_name(width_ns, room);

	if (bars->slots_of_one == 1)
		snprintf(text, 2 * DURATION_TEXT_BYTES, "%s", name);
	else
		snprintf(text, 2 * DURATION_TEXT_BYTES, "%" PRIu64 " %s%s", bars->slots_of_one,
			 name[0] <= '9' ? "times " : name, name[0] <= '9' ? name : "s");
	return text;
}

static void put_bars(struct html_page *page, const char *name, const char *title,
		     const struct timeline_bars *bars)
{
	const struct timeline *timeline = &page->summary->timeline;
	char most[HTML_NUMBER_BYTES], width[2 * DURATION_TEXT_BYTES];

	html_number(most, bars->highest);
	bar_width(width, bars, timeline->width_ns);
	html_page__put(page,
		       "<div class=\"panel %s\"><p><b>%s</b> <span>at most %s per %s</span></p>\n",
		       name, title, most, width);
	html_page__put(page,
		       "<svg viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" role=\"img\" "
		       "aria-label=\"%s over time, at most %s per %s. The numbers are in the table "
		       "below.\">",
		       bars->count, HEIGHT, title, most, width);
	for (size_t i = 0; i < bars->count; i++)
		put_bar(page, timeline, bars, i);
	html_page__put(page, "</svg></div>\n");
}

/* Where the first bar begins, one in the middle, and where the last one ends. */
static void put_axis(struct html_page *page, const struct timeline_bars *bars)
{
	const struct timeline *timeline = &page->summary->timeline;
	const size_t ats[] = {0, bars->count / 2, bars->count};

	html_page__put(page, "<p class=\"axis\" aria-hidden=\"true\">");
	for (size_t i = 0; i < 3; i++) {
		char text[UTC_TEXT_BYTES];

		slot_text(text, timeline, bar_start_ns(timeline, bars, ats[i]));
		html_page__put(page, "<span>%s</span>", text);
	}
	html_page__put(page, "</p>\n");
}

/* ---- the numbers */

static void put_slot(struct html_page *page, const struct timeline_slot *slot)
{
	char start[UTC_TEXT_BYTES], text[HTML_NUMBER_BYTES];

	slot_text(start, &page->summary->timeline, slot->start_ns);
	html_page__put(page,
		       "<tr><th scope=\"row\" data-name=\"start\" data-value=\"%" PRIu64
		       "\">%s</th>",
		       slot->start_ns, start);
	html_page__put(
		page, "<td class=\"number\" data-name=\"count\" data-value=\"%" PRIu64 "\">%s</td>",
		slot->count, html_number(text, slot->count));
	html_page__put(
		page,
		"<td class=\"number%s\" data-name=\"failed\" data-value=\"%" PRIu64 "\">%s</td>",
		slot->failed ? "" : " nothing", slot->failed, html_number(text, slot->failed));
	html_page__put(page,
		       "<td class=\"number\" data-name=\"sum_ns\" data-value=\"%" PRIu64
		       "\">%s</td></tr>\n",
		       slot->sum_ns, html_duration(text, slot->sum_ns));
}

static void put_table(struct html_page *page, const char *width, bool is_open)
{
	const struct timeline *timeline = &page->summary->timeline;

	html_page__put(page, "<details%s><summary>The numbers of each %s</summary>\n",
		       is_open ? " open" : "", width);
	html_page__begin_table(page, "slots", "Executions over time", "rows sortable");
	html_page__put(page, "<thead><tr><th scope=\"col\">From</th>"
			     "<th scope=\"col\" class=\"number\">Ended</th>"
			     "<th scope=\"col\" class=\"number\">Failed or aborted</th>"
			     "<th scope=\"col\" class=\"number\">Sum of durations</th>"
			     "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < timeline->count; i++)
		put_slot(page, &timeline->slots[i]);
	html_page__put(page, "</tbody>");
	html_page__end_table(page);
	html_page__put(page, "</details>\n");
}

static void put_untimed(struct html_page *page, uint64_t untimed)
{
	char text[HTML_NUMBER_BYTES];

	if (untimed)
		html_page__put(page,
			       "<p class=\"note\"><b data-name=\"untimed\" data-value=\"%" PRIu64
			       "\">%s</b> executions have no timestamp. They are not counted "
			       "here.</p>\n",
			       untimed, html_number(text, untimed));
}

static void put_figure(struct html_page *page, const struct timeline *timeline,
		       const struct timeline_bars *ended)
{
	struct timeline_bars failed;

	timeline_bars__collect(&failed, timeline, BARS_MOST, true);
	html_page__put(page, "<figure>\n");
	put_bars(page, "ended", "Ended", ended);
	if (failed.highest)
		put_bars(page, "failed", "Failed or aborted", &failed);
	put_axis(page, ended);
	html_page__put(page, "</figure>\n");
}

/* Of one bar there is no picture. */
void html_timeline__write(struct html_page *page)
{
	const struct timeline *timeline = &page->summary->timeline;
	struct timeline_bars ended;
	char name[DURATION_TEXT_BYTES];

	if (!timeline->count)
		return;
	timeline_bars__collect(&ended, timeline, BARS_MOST, false);
	html_page__begin_section(page, "timeline", "Over time");
	if (ended.count > 1)
		put_figure(page, timeline, &ended);
	put_table(page, timeline_bars__width_name(timeline->width_ns, name), ended.count == 1);
	put_untimed(page, timeline->untimed);
	html_page__end_section(page);
}
