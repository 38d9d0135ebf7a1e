// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/help.h"

#include <limits.h>
#include <stdio.h>

#include "steptrace/top/columns.h"
#include "steptrace/top/keys.h"

enum { HELP_COLUMN = 12 };

/* A line of the help: keys or a column, and what they are about. */
struct help_line {
	char name[TOP_CELL_BYTES];
	const char *help; /* NULL: there is no such line */
};

static struct help_line help_line(const struct top_view *view, size_t index)
{
	const struct top_key_help *key;
	struct help_line line = {.help = NULL};
	size_t keys_count = 0;

	for (; (key = top_keys__help(keys_count)); keys_count++)
		if (keys_count == index) {
			snprintf(line.name, sizeof(line.name), "%s", key->keys);
			line.help = key->help;
		}
	if (index >= keys_count && index - keys_count < (size_t)view->columns_count) {
		const struct top_column_info *column = &top_columns[index - keys_count];

		snprintf(line.name, sizeof(line.name), "%s", column->title);
		if (index - keys_count < TOP_COLUMNS_USUAL)
			snprintf(line.name, sizeof(line.name), "%zu %s", index - keys_count + 1,
				 column->title);
		line.help = column->help;
	}
	return line;
}

static size_t help_lines(const struct top_view *view)
{
	size_t count = 0;

	while (help_line(view, count).help)
		count++;
	return count;
}

void top_help__put(struct page *page, struct top_view *view, unsigned int lines)
{
	size_t height = lines > 1 ? lines - 1 : 0, count = help_lines(view);

	if (view->help_first + height > count)
		view->help_first = count > height ? count - height : 0;
	view->height = height;
	page__fill(page, 0, LOOK_BAR);
	page__put(page, 0, 1, UINT_MAX, LOOK_BAR,
		  count > height ? "steptrace top: help (Up, Down; any other key: back)"
				 : "steptrace top: help (any key: back)");
	for (unsigned int i = 0; i < height && view->help_first + i < count; i++) {
		const struct help_line line = help_line(view, view->help_first + i);

		page__put(page, i + 1, 1, UINT_MAX, LOOK_KEY, line.name);
		page__put(page, i + 1, HELP_COLUMN, UINT_MAX, LOOK_PLAIN, line.help);
	}
}
