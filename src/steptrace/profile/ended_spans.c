// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/profile/profile_private.h"

/* Moves the spans that wait to the front, where half of the memory is not used any more. */
static void close_gap(struct ended_spans *spans)
{
	if (spans->first < spans->count && spans->first < spans->room / 2)
		return;
	memmove(spans->items, spans->items + spans->first,
		(spans->count - spans->first) * sizeof(*spans->items));
	spans->count -= spans->first;
	spans->first = 0;
}

int ended_spans__add(struct ended_spans *spans, const struct ended_span *span)
{
	if (spans->count == spans->room && spans->room)
		close_gap(spans);
	if (spans->count == spans->room) {
		size_t room = spans->room ? spans->room * 2 : 256;
		struct ended_span *moved = realloc(spans->items, room * sizeof(*moved));

		if (!moved)
			return -ENOMEM;
		spans->items = moved;
		spans->room = room;
	}
	spans->items[spans->count++] = *span;
	return 0;
}

const struct ended_span *ended_spans__take(struct ended_spans *spans, uint64_t before_ns)
{
	if (spans->first == spans->count || spans->items[spans->first].seen_ns >= before_ns)
		return NULL;
	return &spans->items[spans->first++];
}
