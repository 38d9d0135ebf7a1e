// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/timeline.h"

#include <string.h>

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

static void add_up(struct timeline_slot *to, const struct timeline_slot *from)
{
	to->count += from->count;
	to->failed += from->failed;
	to->sum_ns += from->sum_ns;
}

static uint64_t wider(uint64_t width_ns)
{
	if (width_ns < MINUTE_NS)
		return MINUTE_NS;
	if (width_ns < HOUR_NS)
		return HOUR_NS;
	return width_ns < DAY_NS ? DAY_NS : width_ns * 4;
}

static void widen(struct timeline *timeline)
{
	size_t kept = 0;

	timeline->width_ns = wider(timeline->width_ns);
	for (size_t i = 0; i < timeline->count; i++) {
		struct timeline_slot slot = timeline->slots[i];

		slot.start_ns -= slot.start_ns % timeline->width_ns;
		if (kept && timeline->slots[kept - 1].start_ns == slot.start_ns)
			add_up(&timeline->slots[kept - 1], &slot);
		else
			timeline->slots[kept++] = slot;
	}
	timeline->count = kept;
	timeline->last = 0;
}

/* The first slot that does not begin before. */
static size_t find(const struct timeline *timeline, uint64_t start_ns)
{
	size_t from = 0, to = timeline->count;

	if (timeline->last < to && timeline->slots[timeline->last].start_ns == start_ns)
		return timeline->last;
	while (from < to) {
		size_t middle = (from + to) / 2;

		if (timeline->slots[middle].start_ns < start_ns)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static struct timeline_slot *slot_at(struct timeline *timeline, uint64_t at_ns)
{
	uint64_t start_ns = at_ns - at_ns % timeline->width_ns;
	size_t at = find(timeline, start_ns);

	timeline->last = at;
	if (at < timeline->count && timeline->slots[at].start_ns == start_ns)
		return &timeline->slots[at];
	if (timeline->count == TIMELINE_SLOTS) {
		widen(timeline);
		return slot_at(timeline, at_ns);
	}
	memmove(&timeline->slots[at + 1], &timeline->slots[at],
		(timeline->count - at) * sizeof(timeline->slots[0]));
	timeline->slots[at] = (struct timeline_slot){.start_ns = start_ns};
	timeline->count++;
	return &timeline->slots[at];
}

void timeline__add(struct timeline *timeline, uint64_t at_ns, bool has_failed, uint64_t ns)
{
	const struct timeline_slot more = {0, 1, has_failed, ns};

	if (!timeline->width_ns)
		timeline->width_ns = SECOND_NS;
	add_up(slot_at(timeline, at_ns), &more);
}

static uint64_t span_ns(const struct timeline *timeline)
{
	return timeline->count
		       ? timeline->slots[timeline->count - 1].start_ns - timeline->slots[0].start_ns
		       : 0;
}

void timeline__finish(struct timeline *timeline)
{
	static const struct {
		uint64_t width_ns, long_ns; /* slots of this width are too narrow from there on */
	} steps[] = {{SECOND_NS, 5 * MINUTE_NS}, {MINUTE_NS, 3 * HOUR_NS}, {HOUR_NS, 7 * DAY_NS}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (timeline->width_ns == steps[i].width_ns &&
		    span_ns(timeline) >= steps[i].long_ns)
			widen(timeline);
}
