// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/view.h"

#include <stdlib.h>
#include <string.h>

void top_view__init(struct top_view *view, struct top_rows *rows, enum top_column sort,
		    bool has_breakdown)
{
	*view = (struct top_view){
		.rows = rows,
		.sort = sort,
		.columns_count = has_breakdown ? TOP_COLUMNS_COUNT : TOP_COLUMNS_USUAL,
	};
}

void top_view__close(struct top_view *view)
{
	free(view->list);
	view->list = NULL;
	view->list_count = view->list_room = 0;
}

/* ---- the list */

/* A row in which nothing has ended and nothing is open is left from before a reset. */
static bool is_listed(struct top_view *view, const struct top_row *row)
{
	const char *filter = top_view__level(view)->filter;

	if (!row->shown.count && !row->shown.open)
		return false;
	return !filter[0] || strcasestr(row->text, filter);
}

static bool make_room(struct top_view *view)
{
	size_t room = view->list_room ? 2 * view->list_room : 256;
	struct top_row **list;

	if (view->list_count < view->list_room)
		return true;
	list = reallocarray(view->list, room, sizeof(*list));
	if (!list)
		return false;
	view->list = list;
	view->list_room = room;
	return true;
}

static void add(void *context, struct top_row *row)
{
	struct top_view *view = context;

	if (!is_listed(view, row) || !make_room(view))
		return;
	view->list[view->list_count++] = row;
	if (row->columns > view->widest)
		view->widest = row->columns;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct top_view *view = context;

	return top_column__compare(view->sort, view->is_inverted,
				   *(const struct top_row *const *)left,
				   *(const struct top_row *const *)right);
}

void top_view__list(struct top_view *view)
{
	view->list_count = view->widest = 0;
	top_rows__each(view->rows, view->opened, add, view);
	if (view->list_count)
		qsort_r(view->list, view->list_count, sizeof(*view->list), compare, view);
}

/* ---- numbers */

struct updating {
	struct top_rows *rows;
	const struct top_window *window;
};

static void update_row(void *context, struct top_row *row)
{
	const struct updating *updating = context;

	top_row__update(row, updating->window);
}

static void update_command(void *context, struct top_row *command)
{
	const struct updating *updating = context;

	top_row__update(command, updating->window);
	top_rows__each(updating->rows, command, update_row, context);
}

/* The steps of all commands are updated, so that those of another command can be looked at while
 * the view is paused. */
void top_view__update(struct top_view *view, const struct top_window *window)
{
	struct updating updating = {view->rows, window};

	top_rows__each(view->rows, NULL, update_command, &updating);
	top_view__list(view);
}

/* ---- selecting */

size_t top_view__selected(const struct top_view *view)
{
	const struct top_row *selected = view->levels[view->opened != NULL].selected;

	for (size_t i = 0; selected && i < view->list_count; i++)
		if (view->list[i] == selected)
			return i;
	return 0;
}

void top_view__move(struct top_view *view, long places)
{
	size_t at = top_view__selected(view);

	if (!view->list_count)
		return;
	if (places < 0)
		at -= (size_t)-places < at ? (size_t)-places : at;
	else
		at += (size_t)places;
	if (at >= view->list_count)
		at = view->list_count - 1;
	top_view__level(view)->selected = view->list[at];
}

void top_view__select_first(struct top_view *view)
{
	top_view__level(view)->selected = NULL;
}

void top_view__scroll(struct top_view *view, size_t height)
{
	struct top_level *level = top_view__level(view);
	size_t at = top_view__selected(view);

	view->height = height;
	if (level->first + height > view->list_count)
		level->first = view->list_count > height ? view->list_count - height : 0;
	if (at < level->first)
		level->first = at;
	else if (height && at >= level->first + height)
		level->first = at - height + 1;
}

/* ---- opening */

void top_view__open(struct top_view *view)
{
	if (view->opened || !view->list_count)
		return;
	view->opened = view->list[top_view__selected(view)];
	view->levels[0].selected = view->opened;
	view->levels[1] = (struct top_level){.selected = NULL};
	top_view__list(view);
}

void top_view__leave(struct top_view *view)
{
	view->opened = NULL;
	top_view__list(view);
}

void top_view__pause(struct top_view *view)
{
	view->is_paused = !view->is_paused;
}

void top_view__reset(struct top_view *view)
{
	top_rows__reset(view->rows, view->opened);
	view->levels[0].selected = view->opened;
	view->levels[1].selected = NULL;
	view->is_paused = view->wants_reset = false;
	top_view__list(view);
}
