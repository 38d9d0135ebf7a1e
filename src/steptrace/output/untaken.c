// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/untaken.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

void untaken__free(struct untaken *untaken)
{
	free(untaken->lines);
	*untaken = (struct untaken){.lines = NULL};
}

/* Moves the lines to the front, or makes twice as much room. */
static int make_room(struct untaken *untaken)
{
	size_t room = untaken->room ? 2 * untaken->room : FIRST_ROOM;
	struct untaken_line *lines;

	if (untaken->first > untaken->room / 2) {
		memmove(untaken->lines, untaken->lines + untaken->first,
			untaken->count * sizeof(*untaken->lines));
		untaken->first = 0;
		return 0;
	}
	lines = realloc(untaken->lines, room * sizeof(*lines));
	if (!lines)
		return -1;
	untaken->lines = lines;
	untaken->room = room;
	return 0;
}

void untaken__add(struct untaken *untaken, const struct line_mark *mark, size_t bytes)
{
	if (untaken->first + untaken->count == untaken->room && make_room(untaken)) {
		untaken__keep(untaken, 0);
		return;
	}
	untaken->lines[untaken->first + untaken->count++] = (struct untaken_line){*mark, bytes};
	untaken->bytes += bytes;
}

void untaken__keep(struct untaken *untaken, size_t bytes)
{
	while (untaken->count > 0 &&
	       untaken->bytes - untaken->lines[untaken->first].bytes >= bytes) {
		untaken->bytes -= untaken->lines[untaken->first].bytes;
		untaken->first++;
		untaken->count--;
	}
	if (untaken->count == 0)
		untaken->first = 0;
}
