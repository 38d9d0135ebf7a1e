// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/frame.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/duration_text.h"

#define SECOND_NS 1000000000ull

enum { TEXT_BYTES = 512 };

/* ---- the first lines */

/* Returns the column behind the text. */
static unsigned int put_until(struct page *page, unsigned int column, unsigned int end,
			      const char *text)
{
	return page__put(page, 0, column, column < end ? end - column : 0, LOOK_BAR, text);
}

void top_frame__bar(struct page *page, const struct top_view *view, const struct top_facts *facts)
{
	char age[DURATION_TEXT_BYTES], right[TEXT_BYTES];
	unsigned int end = page->width, column = 1;

	/* Whole seconds: the digits behind them would change with each frame. */
	if (facts->elapsed_ns < 60 * SECOND_NS)
		snprintf(age, sizeof(age), "%u s", (unsigned int)(facts->elapsed_ns / SECOND_NS));
	else
		duration_text__age(facts->elapsed_ns, age);
	snprintf(right, sizeof(right), "%s%s", view->is_paused ? "PAUSED  " : "", age);
	page__fill(page, 0, LOOK_BAR);
	if (end > strlen(right) + 3)
		end -= (unsigned int)strlen(right) + 3;
	column = put_until(page, column, end, "steptrace top  ");
	column = put_until(page, column, end, facts->target);
	if (view->opened) {
		column = put_until(page, column, end, " › ");
		put_until(page, column, end, view->opened->text);
	}
	if (end < page->width)
		page__put_right(page, 0, page->width - 1, LOOK_BAR, right);
}

/* Short texts one after the other, on as many lines as it takes. */
struct flow {
	struct page *page;
	unsigned int line, column, margin;
};

static void flow__put(struct flow *flow, enum page_look look, const char *text)
{
	unsigned int width = (unsigned int)strlen(text);

	if (flow->column > flow->margin && flow->column + width > flow->page->width) {
		flow->line++;
		flow->column = flow->margin;
	}
	flow->column = page__put(flow->page, flow->line, flow->column, UINT_MAX, look, text) + 2;
}

static void flow__count(struct flow *flow, enum page_look look, uint64_t count, const char *format)
{
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), format, (unsigned long long)count);
	flow__put(flow, look, text);
}

static void put_open(struct flow *flow, const struct top_facts *facts)
{
	char text[TEXT_BYTES], age[DURATION_TEXT_BYTES];

	if (!facts->oldest) {
		flow__put(flow, LOOK_PLAIN, "none open");
		return;
	}
	duration_text__age(facts->oldest_ns, age);
	snprintf(text, sizeof(text), "%llu open, the oldest %s%s: %s",
		 (unsigned long long)facts->open, facts->is_oldest_older ? ">" : "", age,
		 facts->oldest);
	flow__put(flow, LOOK_PLAIN, text);
}

unsigned int top_frame__counts(struct page *page, unsigned int line, const struct top_facts *facts,
			       unsigned int margin)
{
	struct flow flow = {page, line, margin, margin};

	flow__count(&flow, LOOK_PLAIN, facts->events, "%llu events");
	flow__count(&flow, facts->lost ? LOOK_FAILED : LOOK_PLAIN, facts->lost, "%llu lost");
	if (facts->filtered)
		flow__count(&flow, LOOK_PLAIN, facts->filtered, "%llu filtered");
	if (facts->not_seen)
		flow__count(&flow, LOOK_FAILED, facts->not_seen, "%llu steps not seen");
	if (facts->forgotten)
		flow__count(&flow, LOOK_FAILED, facts->forgotten, "%llu executions forgotten");
	if (facts->not_counted)
		flow__count(&flow, LOOK_FAILED, facts->not_counted, "%llu not counted: no memory");
	put_open(&flow, facts);
	return flow.line + 1;
}

void top_frame__heading(struct page *page, const struct top_facts *facts)
{
	struct flow flow = {page, 0, 0, 0};
	char age[DURATION_TEXT_BYTES];

	duration_text__age(facts->elapsed_ns, age);
	flow__put(&flow, LOOK_PLAIN, "steptrace top");
	flow__put(&flow, LOOK_PLAIN, facts->target);
	flow__put(&flow, LOOK_PLAIN, age);
}

/* ---- the last line */

static void put_filter(struct page *page, unsigned int line, struct top_view *view)
{
	unsigned int column = page__put(page, line, 1, UINT_MAX, LOOK_KEY, "filter: ");

	page->has_cursor = true;
	page->cursor_line = line;
	page->cursor_column =
		page__put(page, line, column, UINT_MAX, LOOK_PLAIN, top_view__level(view)->filter);
}

static void put_hints(struct page *page, unsigned int line, const struct top_view *view,
		      unsigned int end)
{
	static const struct {
		const char *key, *what;
		bool of_commands, of_steps;
	} hints[] = {
		{"Enter", "steps", true, false}, {"Esc", "back", false, true},
		{"?", "help", true, true},       {"q", "quit", true, true},
		{"s", "sort", true, true},       {"/", "filter", true, true},
		{"p", "pause", true, true},      {"r", "reset", true, true},
	};
	unsigned int column = 1;

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		size_t width = strlen(hints[i].key) + 1 + strlen(hints[i].what);

		if (!(view->opened ? hints[i].of_steps : hints[i].of_commands))
			continue;
		if (column + width > end)
			return;
		column = page__put(page, line, column, UINT_MAX, LOOK_KEY, hints[i].key);
		column = page__put(page, line, column + 1, UINT_MAX, LOOK_FAINT, hints[i].what) + 2;
	}
}

/* "11-20 of 5000", and the filter. */
static void write_place(struct top_view *view, char text[TEXT_BYTES])
{
	const struct top_level *level = top_view__level(view);
	size_t last = level->first + view->height;
	char filter[FILTER_BYTES + 16] = "";

	if (last > view->list_count)
		last = view->list_count;
	if (level->filter[0] && view->mode != MODE_FILTER)
		snprintf(filter, sizeof(filter), "filter '%s'  ", level->filter);
	if (view->list_count)
		snprintf(text, TEXT_BYTES, "%s%zu-%zu of %zu", filter, level->first + 1, last,
			 view->list_count);
	else
		snprintf(text, TEXT_BYTES, "%s", filter);
}

void top_frame__last_line(struct page *page, unsigned int line, struct top_view *view,
			  const struct top_facts *facts)
{
	unsigned int columns = page->width;
	unsigned int end = columns > 1 ? columns - 1 : columns, begin;
	char place[TEXT_BYTES];

	write_place(view, place);
	begin = end > strlen(place) + 2 ? end - (unsigned int)strlen(place) - 2 : 0;
	if (view->mode == MODE_FILTER)
		put_filter(page, line, view);
	else if (facts->message)
		page__put(page, line, 1, begin > 1 ? begin - 1 : 1, LOOK_OLD, facts->message);
	else
		put_hints(page, line, view, begin);
	page__put_right(page, line, end, LOOK_FAINT, place);
}
