// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int enlarge(struct spans *spans)
{
	size_t room = spans->room ? spans->room * 2 : 8;
	struct span *items = realloc(spans->items, room * sizeof(*items));

	if (!items)
		return -ENOMEM;
	spans->items = items;
	spans->room = room;
	return 0;
}

int spans__add(struct spans *spans, const struct span *span)
{
	struct span *added;
	char *body;

	if (spans->count == spans->room && enlarge(spans))
		return -ENOMEM;
	body = malloc(span->body_bytes + 1);
	if (!body)
		return -ENOMEM;
	memcpy(body, span->body, span->body_bytes);
	added = &spans->items[spans->count];
	*added = *span;
	added->body = body;
	added->given_ns = span->begin_ns;
	added->order = (uint32_t)spans->count++;
	spans->bytes += sizeof(*added) + span->body_bytes + 16;
	return 0;
}

void spans__free(struct spans *spans)
{
	for (size_t i = 0; i < spans->count; i++)
		free(spans->items[i].body);
	free(spans->items);
	*spans = (struct spans){.count = 0};
}

/* ---- beginnings that only seem to be too early */

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Parents first; the children of one parent on one thread in the order in which they ended. */
static int by_level(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	int order = compare(a->level, b->level);

	if (!order)
		order = compare(a->parent, b->parent);
	if (!order)
		order = compare(a->thread, b->thread);
	if (!order)
		order = compare(a->end_ns, b->end_ns);
	return order ? order : compare(a->order, b->order);
}

static int by_id(const void *left, const void *right)
{
	const struct span *a = *(struct span *const *)left, *b = *(struct span *const *)right;

	return a->id != b->id ? compare(a->id, b->id) : compare(a->order, b->order);
}

static struct span *find(struct span *const *index, size_t count, uint64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && id && index[low]->id == id ? index[low] : NULL;
}

static void move_begin(struct span *span, uint64_t begin_ns)
{
	if (span->begin_ns >= begin_ns || span->end_ns < begin_ns)
		return;
	span->begin_ns = begin_ns;
}

static bool are_siblings(const struct span *one, const struct span *other)
{
	return one->level == other->level && one->parent == other->parent &&
	       one->thread == other->thread;
}

static bool contains(const struct span *parent, const struct span *span)
{
	return parent->begin_ns <= span->begin_ns && span->begin_ns < parent->end_ns &&
	       span->end_ns <= parent->end_ns;
}

/* NULL: it is not there, or cannot contain the span. */
static struct span *parent_of(const struct spans *spans, struct span *const *index,
			      const struct span *span)
{
	struct span *parent = find(index, spans->count, span->parent);

	return parent && !parent->is_instant && parent->level < span->level ? parent : NULL;
}

/* A child that ended before its parent seems to begin: the stamp of the parent's end is late. The
 * innermost spans come first, so that a parent is right before its own parent is looked at. */
static void extend_all(struct spans *spans, struct span *const *index)
{
	for (size_t i = spans->count; i-- > 0;) {
		const struct span *span = &spans->items[i];
		struct span *parent = span->is_instant ? NULL : parent_of(spans, index, span);

		if (!parent || span->end_ns >= parent->begin_ns)
			continue;
		parent->begin_ns = span->begin_ns;
	}
}

/* The spans are sorted by level: a parent is where it stays when its children are moved. */
static void move_all(struct spans *spans, struct span *const *index)
{
	const struct span *before = NULL;

	for (size_t i = 0; i < spans->count; i++) {
		struct span *span = &spans->items[i];
		const struct span *parent = parent_of(spans, index, span);

		if (span->is_instant)
			continue;
		if (parent)
			move_begin(span, parent->begin_ns);
		if (before && are_siblings(before, span) &&
		    before->end_ns <= span->begin_ns + SPANS_DELAY_NS)
			move_begin(span, before->end_ns);
		span->is_inside = parent && contains(parent, span);
		before = span;
	}
}

static int correct_begins(struct spans *spans)
{
	struct span **index = malloc(spans->count * sizeof(struct span *));

	if (!index)
		return -ENOMEM;
	qsort(spans->items, spans->count, sizeof(*spans->items), by_level);
	for (size_t i = 0; i < spans->count; i++)
		index[i] = &spans->items[i];
	qsort(index, spans->count, sizeof(struct span *), by_id);
	extend_all(spans, index);
	move_all(spans, index);
	free(index);
	return 0;
}

/* ---- lanes */

/* What contains another span comes before it. */
static int by_begin(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	if (a->begin_ns != b->begin_ns)
		return compare(a->begin_ns, b->begin_ns);
	return a->end_ns != b->end_ns ? compare(b->end_ns, a->end_ns) : by_level(left, right);
}

static bool is_over(const struct span *span, uint64_t begin_ns)
{
	return span->end_ns <= begin_ns;
}

/* Whether the span can be inside of this one: its parent, or any if the parent is not there. */
static bool nests(const struct span *outer, const struct span *span)
{
	if (outer->end_ns < span->end_ns || outer->level >= span->level)
		return false;
	return outer->id == span->parent || !span->is_inside;
}

/* Takes into this lane each span without one that nests. Returns how many are left. */
static size_t fill_lane(struct spans *spans, int lane, const struct span **stack)
{
	size_t depth = 0, left = 0;

	for (size_t i = 0; i < spans->count; i++) {
		struct span *span = &spans->items[i];

		if (span->lane >= 0)
			continue;
		while (depth && is_over(stack[depth - 1], span->begin_ns))
			depth--;
		if (depth && !nests(stack[depth - 1], span)) {
			left++;
			continue;
		}
		span->lane = lane;
		if (!span->is_instant)
			stack[depth++] = span;
	}
	return left;
}

int spans__lay_out(struct spans *spans)
{
	const struct span **stack;
	int lanes = 0;
	size_t left;

	if (spans->count == 0 || correct_begins(spans))
		return 0;
	stack = malloc(spans->count * sizeof(struct span *));
	if (!stack)
		return 0;
	qsort(spans->items, spans->count, sizeof(*spans->items), by_begin);
	for (size_t i = 0; i < spans->count; i++)
		spans->items[i].lane = -1;
	do
		left = fill_lane(spans, lanes++, stack);
	while (left && lanes < SPANS_LANES_MAX);
	free(stack);
	return lanes;
}

/* ---- in the order of time */

struct walk {
	const struct span **stack;
	size_t depth;
	void (*put)(void *context, const struct span *span, bool is_begin);
	void *context;
};

static void end_before(struct walk *walk, uint64_t begin_ns)
{
	while (walk->depth && is_over(walk->stack[walk->depth - 1], begin_ns))
		walk->put(walk->context, walk->stack[--walk->depth], false);
}

int spans__walk(const struct spans *spans, int lane,
		void (*put)(void *context, const struct span *span, bool is_begin), void *context)
{
	struct walk walk = {.put = put, .context = context};

	walk.stack = malloc((spans->count + 1) * sizeof(struct span *));
	if (!walk.stack)
		return -ENOMEM;
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->items[i];

		if (span->lane != lane)
			continue;
		end_before(&walk, span->begin_ns);
		put(context, span, true);
		if (!span->is_instant && lane >= 0)
			walk.stack[walk.depth++] = span;
	}
	end_before(&walk, UINT64_MAX);
	free(walk.stack);
	return 0;
}
