// SPDX-License-Identifier: BSD-2-Clause
/* The slowest executions: each is a table of its steps, with bars on a common axis. */
#include <inttypes.h>
#include <stdlib.h>

#include "steptrace/report/utc_text.h"
#include "steptrace/report_html/html_page.h"

enum { AXIS = 1000, BAR_MIN = 6, INDENTS = 8 };

static const char *const outcome_words[RECORDED_OUTCOMES_COUNT] = {
	[RECORDED_FAILURE] = "failed",
	[RECORDED_ABORTED] = "aborted",
	[RECORDED_CANCELLED] = "cancelled",
	[RECORDED_SKIPPED] = "skipped",
};

static bool is_bad(uint8_t outcome)
{
	return outcome == RECORDED_FAILURE || outcome == RECORDED_ABORTED;
}

static void put_outcome(struct html_page *page, uint8_t outcome)
{
	if (outcome_words[outcome])
		html_page__put(page, " <em%s>%s</em>", is_bad(outcome) ? " class=\"bad\"" : "",
			       outcome_words[outcome]);
}

/* ---- steps */

static double place_of(uint64_t ns, uint64_t whole_ns)
{
	return !whole_ns || ns >= whole_ns ? AXIS : (double)ns / (double)whole_ns * AXIS;
}

static void put_bar(struct html_page *page, const struct waterfall *waterfall,
		    const struct waterfall_step *step, uint64_t start_ns)
{
	double from = place_of(start_ns, waterfall->duration_ns);
	double to = place_of(start_ns + step->duration_ns, waterfall->duration_ns);
	char start[HTML_NUMBER_BYTES];

	if (to - from < BAR_MIN)
		from = from > AXIS - BAR_MIN ? AXIS - BAR_MIN : from;
	to = to - from < BAR_MIN ? from + BAR_MIN : to;
	html_page__put(page,
		       "<td class=\"bar\" data-name=\"start_ns\" data-value=\"%" PRIu64
		       "\"><svg viewBox=\"0 0 %d 1\" preserveAspectRatio=\"none\" role=\"img\">"
		       "<title>starts after %s</title><rect%s x=\"%.1f\" width=\"%.1f\" "
		       "height=\"1\"/></svg></td>",
		       start_ns, AXIS, html_duration(start, start_ns),
		       is_bad(step->outcome) ? " class=\"bad\"" : "", from, to - from);
}

static void put_step_duration(struct html_page *page, const struct waterfall_step *step)
{
	char text[HTML_NUMBER_BYTES];

	if (step->is_timed)
		html_page__put(
			page,
			"<td class=\"number\" data-name=\"duration_ns\" data-value=\"%" PRIu64
			"\">%s</td>",
			step->duration_ns, html_duration(text, step->duration_ns));
	else
		html_page__put(page,
			       "<td class=\"number nothing\" data-name=\"duration_ns\">–</td>");
}

static void put_step(struct html_page *page, const struct waterfall *waterfall,
		     const struct waterfall_step *step)
{
	const char *name = report_row__text(step->row, 2);

	html_page__put(page, "<tr><th scope=\"row\" class=\"depth-%d\"><span data-name=\"%s\">",
		       step->depth < INDENTS ? step->depth : INDENTS,
		       name[0] ? "step_name" : "step_type");
	html_page__name(page, name[0] ? name : report_row__text(step->row, 1));
	html_page__put(page, "</span>");
	put_outcome(page, step->outcome);
	html_page__put(page, "</th>");
	put_bar(page, waterfall, step, waterfall__start_ns(waterfall, step));
	put_step_duration(page, step);
	html_page__put(page, "</tr>\n");
}

/* In the order in which they began, a step in front of those inside it. */
struct begun {
	uint64_t start_ns;
	const struct waterfall_step *step;
};

static int compare(const void *left, const void *right)
{
	const struct begun *one = left, *other = right;

	if (one->start_ns != other->start_ns)
		return one->start_ns < other->start_ns ? -1 : 1;
	if (one->step->depth != other->step->depth)
		return one->step->depth < other->step->depth ? -1 : 1;
	return one->step < other->step ? -1 : one->step > other->step;
}

static uint32_t sort_steps(struct begun steps[WATERFALL_STEPS_OF_ONE],
			   const struct waterfall *waterfall)
{
	for (uint32_t i = 0; i < waterfall->steps_count; i++)
		steps[i] = (struct begun){waterfall__start_ns(waterfall, &waterfall->steps[i]),
					  &waterfall->steps[i]};
	qsort(steps, waterfall->steps_count, sizeof(steps[0]), compare);
	return waterfall->steps_count;
}

static void put_steps(struct html_page *page, const struct waterfall *waterfall)
{
	struct begun steps[WATERFALL_STEPS_OF_ONE] = {0};
	uint32_t count = sort_steps(steps, waterfall);

	html_page__begin_table(page, "waterfall", "Steps of one execution", "waterfall");
	html_page__put(page, "<thead><tr><th scope=\"col\">Step</th>"
			     "<th scope=\"col\" class=\"bar\">When it ran</th>"
			     "<th scope=\"col\" class=\"number\">Duration</th></tr></thead>\n"
			     "<tbody>\n");
	for (uint32_t i = 0; i < count; i++)
		put_step(page, waterfall, steps[i].step);
	html_page__put(page, "</tbody>");
	html_page__end_table(page);
}

/* ---- executions */

static void put_head(struct html_page *page, const struct waterfall *waterfall)
{
	char ended[UTC_TEXT_BYTES], took[HTML_NUMBER_BYTES];

	utc_text__write(ended, waterfall->end_ns);
	html_page__put(page, "<h3><span data-name=\"command\">");
	html_page__name(page, report_row__text(waterfall->command, 0));
	html_page__put(page,
		       "</span> <b data-name=\"duration_ns\" data-value=\"%" PRIu64 "\">%s</b>",
		       waterfall->duration_ns, html_duration(took, waterfall->duration_ns));
	put_outcome(page, waterfall->outcome);
	html_page__put(page,
		       "</h3>\n<p class=\"note\">execution <code data-name=\"execution_id\">");
	html_page__text(page, waterfall->execution_id);
	html_page__put(page, "</code>, ended %s</p>\n", ended);
}

static void put_waterfall(struct html_page *page, const struct waterfall *waterfall)
{
	html_page__put(page, "<article>\n");
	put_head(page, waterfall);
	if (waterfall->steps_count)
		put_steps(page, waterfall);
	if (waterfall->steps_executed > waterfall->steps_count)
		html_page__put(page,
			       "<p class=\"note\">%" PRIu64 " more steps are not shown.</p>\n",
			       waterfall->steps_executed - waterfall->steps_count);
	html_page__put(page, "</article>\n");
}

void html_waterfalls__write(struct html_page *page)
{
	size_t count;
	struct waterfall *const *slowest = waterfalls__slowest(page->summary->waterfalls, &count);

	if (!count)
		return;
	html_page__begin_section(page, "slowest", "Slowest executions");
	for (size_t i = 0; i < count; i++)
		put_waterfall(page, slowest[i]);
	html_page__end_section(page);
}
