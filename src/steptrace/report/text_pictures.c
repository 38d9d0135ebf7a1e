// SPDX-License-Identifier: BSD-2-Clause
/* The pictures of a report: a line of blocks for the changes over time, and waterfalls. */
#include <inttypes.h>
#include <stdio.h>

#include "steptrace/report/text_page.h"
#include "steptrace/report/timeline_bars.h"
#include "steptrace/report/utc_text.h"
#include "steptrace/stream/duration_text.h"

enum { BAR_COLUMNS_MIN = 20, NAME_COLUMNS = 30, DURATION_COLUMNS = 10 };

static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/* ---- changes over time */

/* A value that is not zero has a block of at least one eighth. */
static const char *block_of(uint64_t value, uint64_t highest)
{
	return value ? blocks[1 + (size_t)((double)value * 7 / (double)highest)] : blocks[0];
}

static void put_blocks(struct text_page *page, const char *name, const struct timeline_bars *bars)
{
	char highest[40];

	if (!text_page__begin(page))
		return;
	text_page__put(page, "  ", 2);
	text_page__put(page, name, 10);
	text_line__go_to(&page->line, 12);
	for (size_t i = 0; i < bars->count; i++)
		text_page__put(page, block_of(bars->values[i], bars->highest), 1);
	snprintf(highest, sizeof(highest), "  most: %" PRIu64, bars->highest);
	text_page__put(page, highest, 40);
	text_page__end(page);
}

void text_timeline__write(struct text_page *page)
{
	const struct timeline *timeline = &page->summary->timeline;
	unsigned int width = text_style__width(page->style);
	size_t room = width > 60 ? width - 36 : 24;
	char first[UTC_TEXT_BYTES], name[DURATION_TEXT_BYTES];
	struct timeline_bars ended, failed;

	if (!timeline->count)
		return;
	timeline_bars__collect(&ended, timeline, room, false);
	timeline_bars__collect(&failed, timeline, room, true);
	utc_text__write(first, timeline->slots[0].start_ns);
	text_page__heading(page, "Over time, from %s UTC; a block is %" PRIu64 " x %s", first,
			   ended.slots_of_one, timeline_bars__width_name(timeline->width_ns, name));
	put_blocks(page, "ended", &ended);
	if (failed.highest)
		put_blocks(page, "failed", &failed);
}

/* ---- waterfalls */

/* Where a time is on a bar of so many columns. */
static unsigned int column_of(uint64_t ns, uint64_t whole_ns, unsigned int bar)
{
	if (!whole_ns || ns >= whole_ns)
		return bar;
	return (unsigned int)((double)ns / (double)whole_ns * bar);
}

static void put_bar(struct text_page *page, const struct waterfall *waterfall,
		    const struct waterfall_step *step, unsigned int bar)
{
	uint64_t start_ns = waterfall__start_ns(waterfall, step);
	unsigned int from = column_of(start_ns, waterfall->duration_ns, bar);
	unsigned int to = column_of(start_ns + step->duration_ns, waterfall->duration_ns, bar);
	char text[DURATION_TEXT_BYTES] = "-";

	if (from == bar)
		from = bar - 1;
	text_line__go_to(&page->line, 4 + NAME_COLUMNS + 1 + from);
	do
		text_page__put(page, "█", 1);
	while (++from < to);
	if (step->is_timed)
		duration_text__write(step->duration_ns, text);
	text_page__put_right(page, text, 4 + NAME_COLUMNS + 1 + bar + DURATION_COLUMNS);
	if (step->outcome == RECORDED_FAILURE)
		text_page__put(page, "  failed", 8);
	if (step->outcome == RECORDED_ABORTED)
		text_page__put(page, "  aborted", 9);
}

static void put_step(struct text_page *page, const struct waterfall *waterfall,
		     const struct waterfall_step *step, unsigned int bar)
{
	const char *name = report_row__text(step->row, 2);
	unsigned int indent = step->depth < 8 ? step->depth * 2u : 16;

	if (!text_page__begin(page))
		return;
	text_line__go_to(&page->line, 4 + indent);
	text_page__put(page, name[0] ? name : report_row__text(step->row, 1),
		       NAME_COLUMNS - indent);
	put_bar(page, waterfall, step, bar);
	text_page__end(page);
}

static void put_waterfall(struct text_page *page, const struct waterfall *waterfall,
			  unsigned int bar)
{
	char ended[UTC_TEXT_BYTES], took[DURATION_TEXT_BYTES];

	utc_text__write(ended, waterfall->end_ns);
	duration_text__age(waterfall->duration_ns, took);
	text_page__line(page, "  %s  %s  %s%s  ended %s", report_row__text(waterfall->command, 0),
			took, waterfall->execution_id,
			waterfall->outcome == RECORDED_FAILURE   ? "  failed"
			: waterfall->outcome == RECORDED_ABORTED ? "  aborted"
								 : "",
			ended);
	for (uint32_t i = 0; i < waterfall->steps_count; i++)
		put_step(page, waterfall, &waterfall->steps[i], bar);
	if (waterfall->steps_executed > waterfall->steps_count)
		text_page__line(page, "    (%" PRIu64 " more steps are not shown)",
				waterfall->steps_executed - waterfall->steps_count);
}

void text_waterfalls__write(struct text_page *page)
{
	unsigned int width = text_style__width(page->style);
	unsigned int used = 4 + NAME_COLUMNS + 1 + DURATION_COLUMNS + 9;
	unsigned int bar = width > used + BAR_COLUMNS_MIN ? width - used : BAR_COLUMNS_MIN;
	size_t count;
	struct waterfall *const *slowest = waterfalls__slowest(page->summary->waterfalls, &count);

	if (count)
		text_page__heading(page, "The slowest executions");
	for (size_t i = 0; i < count; i++)
		put_waterfall(page, slowest[i], bar);
}
