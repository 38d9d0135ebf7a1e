/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user has chosen to see: the list of commands or of the steps of one command, its order,
 * a filter, the selected row, and which part of the list is on the screen.
 *
 *	top_view__update(&view, &window);	now and then: new numbers, and a new list
 *	top_keys__press(&view, TOP_KEY_DOWN);	keys.h: the functions below
 *	top_view__scroll(&view, 20);		the screen has room for 20 rows
 *
 * The selection stays on its row, wherever this row is sorted to. As long as the user has not moved
 * the selection, it is on the first row of the list.
 *
 * While the view is paused, the caller makes no new numbers.
 */
#ifndef STEPTRACE_TOP_VIEW_H
#define STEPTRACE_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/top/columns.h"
#include "steptrace/top/rows.h"

enum top_mode { MODE_LIST, MODE_FILTER, MODE_HELP };

enum { FILTER_BYTES = 64 };

/* Of the list of commands, or of the list of steps. */
struct top_level {
	struct top_row *selected;  /* NULL: the first of the list */
	size_t first;              /* row of the list that is on the screen */
	char filter[FILTER_BYTES]; /* only rows whose text contains it; letters in any case */
};

struct top_view {
	struct top_rows *rows; /* borrowed */
	enum top_mode mode;
	enum top_column sort;
	int columns_count; /* the first ones of top_columns */
	bool is_inverted, is_paused;
	bool wants_end, wants_reset; /* the caller obeys */
	struct top_row *opened;      /* the command whose steps are listed; NULL: commands */
	struct top_level levels[2];  /* of commands, of steps */

	struct top_row **list; /* owned */
	size_t list_count, list_room;
	unsigned int widest; /* columns of the longest text in the list */
	size_t height;       /* rows that the screen has room for */
	size_t help_first;   /* line of the help that is on the screen */
};

void top_view__init(struct top_view *view, struct top_rows *rows, enum top_column sort,
		    bool has_breakdown);
void top_view__close(struct top_view *view);

/* Without memory, the list is too short. */
void top_view__update(struct top_view *view, const struct top_window *window);

/* Makes the list again, after a change of what is in it or of its order. */
void top_view__list(struct top_view *view);

/* Chooses which rows are on the screen: the selected one is among them. */
void top_view__scroll(struct top_view *view, size_t height);

/* The place of the selected row in the list; 0 where the list is empty. */
size_t top_view__selected(const struct top_view *view);

/* Selects the row that is so many places below, or above if negative; at the end of the list, the
 * last or the first one. */
void top_view__move(struct top_view *view, long places);
void top_view__select_first(struct top_view *view);

/* Lists the steps of the selected command. */
void top_view__open(struct top_view *view);
/* Back to the list of commands. */
void top_view__leave(struct top_view *view);

/* Pauses, or goes on. */
void top_view__pause(struct top_view *view);

/* Removes all rows. A command that is opened stays opened. */
void top_view__reset(struct top_view *view);

static inline struct top_level *top_view__level(struct top_view *view)
{
	return &view->levels[view->opened != NULL];
}

#endif
