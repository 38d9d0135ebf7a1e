// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/layout.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/top/frame.h"
#include "steptrace/top/help.h"

#define SECOND_NS 1000000000ull

enum {
	NAME_COLUMNS_MIN = 8,    /* a terminal without room for it gets no last columns */
	NAME_COLUMNS_USUAL = 12, /* shorter names are filled with blanks */
	NAME_COLUMNS_GOOD = 24,  /* for a longer name, no column is left out */
	NAME_COLUMNS_MAX = 48,   /* on a terminal: the numbers are not far from the name */
	NARROW_COLUMNS = 90,     /* a terminal with less has smaller gaps between columns */
	LINE_COLUMNS_MAX = 1024, /* of a line in a file */
	TEXT_BYTES = 512,
};

/* ---- the widths of the columns */

struct widths {
	unsigned int margin; /* on the left; a terminal has the same on the right */
	unsigned int name, gap;
	bool is_shown[TOP_COLUMNS_COUNT];
};

static unsigned int width_of_numbers(const struct widths *widths)
{
	unsigned int width = 0;

	for (int i = COLUMN_NAME + 1; i < TOP_COLUMNS_COUNT; i++)
		width += widths->is_shown[i] ? widths->gap + top_columns[i].width : 0;
	return width;
}

static void leave_out(struct widths *widths, enum top_column sort, unsigned int rank)
{
	for (int i = 0; i < TOP_COLUMNS_COUNT; i++)
		if (top_columns[i].rank == rank && i != (int)sort)
			widths->is_shown[i] = false;
}

static unsigned int name_width(const struct top_view *view, unsigned int max)
{
	unsigned int wanted = view->widest > NAME_COLUMNS_USUAL ? view->widest : NAME_COLUMNS_USUAL;

	return wanted < max ? wanted : max;
}

static void show_all(struct widths *widths, const struct top_view *view)
{
	for (int i = 0; i < view->columns_count; i++)
		widths->is_shown[i] = true;
}

static struct widths widths_for_file(const struct top_view *view)
{
	struct widths widths = {
		.gap = 2,
		.name = name_width(view, LINE_COLUMNS_MAX),
	};

	show_all(&widths, view);
	return widths;
}

static struct widths widths_for(const struct top_view *view, unsigned int columns,
				unsigned int margin)
{
	struct widths widths = {.margin = margin, .gap = columns < NARROW_COLUMNS ? 1 : 2};
	unsigned int room = columns > 2 * margin ? columns - 2 * margin : 1, numbers;

	show_all(&widths, view);
	for (unsigned int rank = COLUMN_RANK_MAX; rank > 0; rank--) {
		unsigned int name =
			name_width(view, rank > 1 ? NAME_COLUMNS_GOOD : NAME_COLUMNS_USUAL);

		if (name + width_of_numbers(&widths) > room)
			leave_out(&widths, view->sort, rank);
	}
	numbers = width_of_numbers(&widths);
	widths.name = name_width(view, room > numbers ? room - numbers : 1);
	if (widths.name < NAME_COLUMNS_MIN)
		widths.name = NAME_COLUMNS_MIN;
	if (widths.name > NAME_COLUMNS_MAX)
		widths.name = NAME_COLUMNS_MAX;
	return widths;
}

/* ---- the table */

static void put_titles(struct page *page, unsigned int line, const struct top_view *view,
		       const struct widths *widths)
{
	const char *mark = view->is_inverted ? "▲" : "▼";
	unsigned int end = widths->margin + widths->name;
	char title[TEXT_BYTES];

	page__fill(page, line, LOOK_TITLE);
	snprintf(title, sizeof(title), "%s%s",
		 view->opened ? "STEP" : top_columns[COLUMN_NAME].title,
		 view->sort == COLUMN_NAME ? mark : "");
	page__put(page, line, widths->margin, widths->name,
		  view->sort == COLUMN_NAME ? LOOK_SORTED : LOOK_TITLE, title);
	for (int i = COLUMN_NAME + 1; i < TOP_COLUMNS_COUNT; i++) {
		bool is_sorted = i == (int)view->sort;

		if (!widths->is_shown[i])
			continue;
		end += widths->gap + top_columns[i].width;
		snprintf(title, sizeof(title), "%s%s", is_sorted ? mark : "", top_columns[i].title);
		page__put_right(page, line, end, is_sorted ? LOOK_SORTED : LOOK_TITLE, title);
	}
}

/* A command is striking that is open for longer than any that ended. */
static enum page_look look_of(const struct top_row *row, enum top_column column)
{
	const struct top_numbers *shown = &row->shown;
	bool is_old = shown->open && shown->age_ns > shown->max_ns && shown->age_ns > SECOND_NS;

	if (column == COLUMN_FAILED && shown->failures)
		return LOOK_FAILED;
	return column == COLUMN_OLDEST && is_old ? LOOK_OLD : LOOK_PLAIN;
}

static void write_cell(const struct top_view *view, const struct top_facts *facts,
		       enum top_column column, const struct top_row *row, char text[TOP_CELL_BYTES])
{
	bool is_about_open = column == COLUMN_OPEN || column == COLUMN_OLDEST;

	if (is_about_open && view->opened && facts->are_steps_not_opened)
		snprintf(text, TOP_CELL_BYTES, "-");
	else
		top_columns[column].write(row, text);
}

static void put_row(struct page *page, unsigned int line, const struct top_view *view,
		    const struct top_facts *facts, const struct widths *widths,
		    const struct top_row *row)
{
	unsigned int end = widths->margin + widths->name;
	char text[TOP_CELL_BYTES];

	page__put(page, line, widths->margin, widths->name, LOOK_PLAIN, row->text);
	for (int i = COLUMN_NAME + 1; i < TOP_COLUMNS_COUNT; i++) {
		if (!widths->is_shown[i])
			continue;
		end += widths->gap + top_columns[i].width;
		write_cell(view, facts, (enum top_column)i, row, text);
		page__put_right(page, line, end, look_of(row, (enum top_column)i), text);
	}
}

static void put_nothing(struct page *page, unsigned int line, struct top_view *view,
			unsigned int margin)
{
	const char *filter = top_view__level(view)->filter;
	char text[TEXT_BYTES];

	if (filter[0])
		snprintf(text, sizeof(text), "no %s contains '%s'",
			 view->opened ? "step" : "command", filter);
	else
		snprintf(text, sizeof(text), "no %s has ended, and none is open",
			 view->opened ? "step" : "command");
	page__put(page, line, margin, UINT_MAX, LOOK_FAINT, text);
}

/* The part of the list that is on the screen. */
static void put_part(struct page *page, unsigned int line, struct top_view *view,
		     const struct top_facts *facts, const struct widths *widths)
{
	size_t selected = top_view__selected(view), first = top_view__level(view)->first;

	if (!view->list_count && view->height)
		put_nothing(page, line, view, widths->margin);
	for (size_t i = first; i < view->list_count && i - first < view->height; i++, line++) {
		if (i == selected)
			page__fill(page, line, LOOK_SELECTED);
		put_row(page, line, view, facts, widths, view->list[i]);
	}
}

static void put_all(struct page *page, unsigned int line, struct top_view *view,
		    const struct top_facts *facts, const struct widths *widths)
{
	if (!view->list_count)
		put_nothing(page, line, view, widths->margin);
	for (size_t i = 0; i < view->list_count; i++)
		put_row(page, line++, view, facts, widths, view->list[i]);
}

/* ---- the whole */

static void put_list(struct page *page, struct top_view *view, const struct top_facts *facts,
		     unsigned int columns, unsigned int lines)
{
	const struct widths widths = widths_for(view, columns, 1);
	unsigned int line;

	top_frame__bar(page, view, facts);
	line = top_frame__counts(page, 1, facts, widths.margin);
	put_titles(page, line++, view, &widths);
	top_view__scroll(view, lines > line + 1 ? lines - line - 1 : 0);
	put_part(page, line, view, facts, &widths);
	if (lines > line)
		top_frame__last_line(page, lines - 1, view, facts);
}

void top_layout__screen(struct page *page, struct top_view *view, const struct top_facts *facts,
			unsigned int columns, unsigned int lines)
{
	page__begin(page, columns, lines);
	if (view->mode == MODE_HELP)
		top_help__put(page, view, lines);
	else
		put_list(page, view, facts, columns, lines);
}

void top_layout__once(struct page *page, struct top_view *view, const struct top_facts *facts,
		      unsigned int columns)
{
	const struct widths widths = columns ? widths_for(view, columns, 0) : widths_for_file(view);
	unsigned int line;

	page__begin(page, columns ? columns : LINE_COLUMNS_MAX, UINT_MAX);
	top_frame__heading(page, facts);
	line = top_frame__counts(page, 1, facts, 0);
	put_titles(page, line++, view, &widths);
	put_all(page, line, view, facts, &widths);
}
