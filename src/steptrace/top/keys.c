// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/keys.h"

#include <string.h>

/* ---- the filter, as it is typed */

static char *filter_of(struct top_view *view)
{
	return top_view__level(view)->filter;
}

/* 0: the key is no character that a filter may have. */
static size_t encode(uint32_t point, char text[4])
{
	if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point >= TOP_KEY_UP)
		return 0;
	if (point < 0x80) {
		text[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		text[0] = (char)(0xc0 | point >> 6);
		text[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		text[0] = (char)(0xe0 | point >> 12);
		text[1] = (char)(0x80 | (point >> 6 & 0x3f));
		text[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | point >> 18);
	text[1] = (char)(0x80 | (point >> 12 & 0x3f));
	text[2] = (char)(0x80 | (point >> 6 & 0x3f));
	text[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

static void type(struct top_view *view, uint32_t key)
{
	char *filter = filter_of(view), text[4];
	size_t length = strlen(filter), bytes = encode(key, text);

	if (length + bytes >= FILTER_BYTES)
		return;
	memcpy(filter + length, text, bytes);
	filter[length + bytes] = 0;
}

static void remove_last(char *filter)
{
	size_t length = strlen(filter);

	while (length && ((unsigned char)filter[length - 1] & 0xc0) == 0x80)
		length--;
	filter[length ? length - 1 : 0] = 0;
}

static void edit_filter(struct top_view *view, uint32_t key)
{
	switch (key) {
	case TOP_KEY_ENTER: view->mode = MODE_LIST; return;
	case TOP_KEY_UP: top_view__move(view, -1); return;
	case TOP_KEY_DOWN: top_view__move(view, 1); return;
	case TOP_KEY_ESCAPE:
		filter_of(view)[0] = 0;
		view->mode = MODE_LIST;
		break;
	case TOP_KEY_CLEAR: filter_of(view)[0] = 0; break;
	case TOP_KEY_BACKSPACE: remove_last(filter_of(view)); break;
	default: type(view, key); break;
	}
	top_view__list(view);
}

/* ---- the list */

static void go_up(struct top_view *view)
{
	top_view__move(view, -1);
}

static void go_down(struct top_view *view)
{
	top_view__move(view, 1);
}

static long page_of(const struct top_view *view)
{
	return view->height > 1 ? (long)view->height - 1 : 1;
}

static void go_page_up(struct top_view *view)
{
	top_view__move(view, -page_of(view));
}

static void go_page_down(struct top_view *view)
{
	top_view__move(view, page_of(view));
}

static void go_to_end(struct top_view *view)
{
	top_view__move(view, (long)view->list_count);
}

/* From the steps to the commands. In the list of commands, the filter is removed. */
static void go_back(struct top_view *view)
{
	if (view->opened) {
		top_view__leave(view);
		return;
	}
	filter_of(view)[0] = 0;
	top_view__list(view);
}

static void sort_by(struct top_view *view, int column)
{
	view->sort = (enum top_column)((column + view->columns_count) % view->columns_count);
	view->is_inverted = false;
	top_view__list(view);
}

static void sort_right(struct top_view *view)
{
	sort_by(view, (int)view->sort + 1);
}

static void sort_left(struct top_view *view)
{
	sort_by(view, (int)view->sort - 1);
}

static void invert(struct top_view *view)
{
	view->is_inverted = !view->is_inverted;
	top_view__list(view);
}

static void begin_filter(struct top_view *view)
{
	view->mode = MODE_FILTER;
}

static void reset(struct top_view *view)
{
	view->wants_reset = true;
}

static void show_help(struct top_view *view)
{
	view->mode = MODE_HELP;
	view->help_first = 0;
}

static void end(struct top_view *view)
{
	view->wants_end = true;
}

/* A row without help belongs to the row before it. */
static const struct binding {
	struct top_key_help help;
	void (*act)(struct top_view *view);
	uint32_t keys[3];
} bindings[] = {
	{{"Up, Down", "select another row (also k and j)"}, go_up, {TOP_KEY_UP, 'k'}},
	{{NULL, NULL}, go_down, {TOP_KEY_DOWN, 'j'}},
	{{"PgUp, PgDn", "go one page up or down"}, go_page_up, {TOP_KEY_PAGE_UP}},
	{{NULL, NULL}, go_page_down, {TOP_KEY_PAGE_DOWN}},
	{{"Home, End", "go to the first or the last row (also g and G)"},
	 top_view__select_first,
	 {TOP_KEY_HOME, 'g'}},
	{{NULL, NULL}, go_to_end, {TOP_KEY_END, 'G'}},
	{{"Enter", "show the steps of the command (also Right)"},
	 top_view__open,
	 {TOP_KEY_ENTER, TOP_KEY_RIGHT}},
	{{"Esc", "show the commands again (also Left, Backspace)"},
	 go_back,
	 {TOP_KEY_ESCAPE, TOP_KEY_LEFT, TOP_KEY_BACKSPACE}},
	{{"s, S", "sort by the next or the previous column"}, sort_right, {'s', '>'}},
	{{NULL, NULL}, sort_left, {'S', '<'}},
	{{"1 to 9", "sort by the column with this number"}, NULL, {0}},
	{{"i", "invert the order"}, invert, {'i'}},
	{{"/", "show only rows whose name contains what you type"}, begin_filter, {'/'}},
	{{"p, Space", "freeze the numbers; press again to go on"}, top_view__pause, {'p', ' '}},
	{{"r", "reset: set all counts and durations to zero"}, reset, {'r'}},
	{{"?", "show this help (also h and F1)"}, show_help, {'?', 'h', TOP_KEY_F1}},
	{{"q", "quit (also Ctrl-C); Ctrl-Z suspends"}, end, {'q'}},
};

enum { BINDINGS_COUNT = sizeof(bindings) / sizeof(bindings[0]) };

const struct top_key_help *top_keys__help(size_t index)
{
	for (size_t i = 0; i < BINDINGS_COUNT; i++)
		if (bindings[i].help.keys && index-- == 0)
			return &bindings[i].help;
	return NULL;
}

/* ---- the help */

/* Beyond the end of the help, the layout corrects it. */
static void scroll_help(struct top_view *view, uint32_t key)
{
	size_t page = view->height > 1 ? view->height : 1;

	switch (key) {
	case TOP_KEY_DOWN: view->help_first++; break;
	case TOP_KEY_UP: view->help_first -= view->help_first > 0; break;
	case TOP_KEY_PAGE_DOWN: view->help_first += page; break;
	case TOP_KEY_PAGE_UP:
		view->help_first -= page < view->help_first ? page : view->help_first;
		break;
	default: view->mode = MODE_LIST; break;
	}
}

static bool has_key(const struct binding *binding, uint32_t key)
{
	for (size_t i = 0; i < sizeof(binding->keys) / sizeof(binding->keys[0]); i++)
		if (binding->keys[i] == key)
			return true;
	return false;
}

void top_keys__press(struct top_view *view, uint32_t key)
{
	if (key == 0)
		return;
	if (view->mode == MODE_HELP) {
		scroll_help(view, key);
		return;
	}
	if (view->mode == MODE_FILTER) {
		edit_filter(view, key);
		return;
	}
	if (key >= '1' && key <= '9')
		sort_by(view, (int)(key - '1'));
	for (size_t i = 0; i < BINDINGS_COUNT; i++)
		if (has_key(&bindings[i], key))
			bindings[i].act(view);
}

_Static_assert(TOP_COLUMNS_USUAL == 9, "the keys 1 to 9 are the usual columns");
