// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/waterfalls.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/stream/text_hash.h"

enum { BUCKETS = 1 << 15 };

struct waterfalls {
	struct waterfall *buckets[BUCKETS]; /* the open executions, chained; owned */
	struct waterfall *oldest, *newest;  /* the same, in the order in which they were opened */
	size_t open, steps;
	struct waterfall **slowest; /* owned */
	size_t limit, count;
	struct text_hash hash;
};

struct waterfalls *waterfalls__new(size_t limit)
{
	struct waterfalls *waterfalls = calloc(1, sizeof(*waterfalls));

	if (!waterfalls)
		return NULL;
	waterfalls->limit = limit;
	waterfalls->slowest = calloc(limit + 1, sizeof(struct waterfall *));
	text_hash__init(&waterfalls->hash);
	if (waterfalls->slowest)
		return waterfalls;
	free(waterfalls);
	return NULL;
}

static void free_one(struct waterfall *waterfall)
{
	if (waterfall)
		free(waterfall->steps);
	free(waterfall);
}

void waterfalls__free(struct waterfalls *waterfalls)
{
	struct waterfall *newer;

	if (!waterfalls)
		return;
	for (struct waterfall *at = waterfalls->oldest; at; at = newer) {
		newer = at->newer;
		free_one(at);
	}
	for (size_t i = 0; i < waterfalls->count; i++)
		free_one(waterfalls->slowest[i]);
	free(waterfalls->slowest);
	free(waterfalls);
}

/* ---- open executions */

static struct waterfall **find(struct waterfalls *waterfalls, uint64_t hash,
			       struct recorded_text id)
{
	struct waterfall **at = &waterfalls->buckets[hash % BUCKETS];

	while (*at && ((*at)->hash != hash || !recorded_text__is(id, (*at)->execution_id)))
		at = &(*at)->next;
	return at;
}

static void add_newest(struct waterfalls *waterfalls, struct waterfall *waterfall)
{
	waterfall->older = waterfalls->newest;
	if (waterfalls->newest)
		waterfalls->newest->newer = waterfall;
	else
		waterfalls->oldest = waterfall;
	waterfalls->newest = waterfall;
	waterfalls->open++;
}

/* Takes it out of the open ones. */
static struct waterfall *take(struct waterfalls *waterfalls, struct waterfall **at)
{
	struct waterfall *taken = *at;

	*at = taken->next;
	if (taken->older)
		taken->older->newer = taken->newer;
	else
		waterfalls->oldest = taken->newer;
	if (taken->newer)
		taken->newer->older = taken->older;
	else
		waterfalls->newest = taken->older;
	waterfalls->open--;
	waterfalls->steps -= taken->steps_count;
	taken->next = taken->older = taken->newer = NULL;
	return taken;
}

static void drop_oldest(struct waterfalls *waterfalls)
{
	struct waterfall **at = &waterfalls->buckets[waterfalls->oldest->hash % BUCKETS];

	while (*at != waterfalls->oldest)
		at = &(*at)->next;
	free_one(take(waterfalls, at));
}

static struct waterfall *open_one(struct recorded_text id, uint64_t hash)
{
	struct waterfall *waterfall = calloc(1, sizeof(*waterfall));

	if (!waterfall)
		return NULL;
	memcpy(waterfall->execution_id, id.text, id.bytes);
	waterfall->hash = hash;
	return waterfall;
}

/* An id without a text, or with a longer one than runners make, has no waterfall. */
static bool is_usable(const struct recorded_event *event)
{
	return event->execution_id.bytes > 0 && event->execution_id.bytes <= WATERFALL_ID_BYTES;
}

static uint64_t hash_of(const struct waterfalls *waterfalls, const struct recorded_event *event)
{
	return text_hash__of(&waterfalls->hash, event->execution_id.text,
			     event->execution_id.bytes);
}

/* ---- steps */

static int add_step(struct waterfall *waterfall, const struct waterfall_step *step)
{
	if (waterfall->steps_count == waterfall->room) {
		uint32_t room = waterfall->room ? 2 * waterfall->room : 8;
		struct waterfall_step *steps = realloc(waterfall->steps, room * sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		waterfall->steps = steps;
		waterfall->room = room;
	}
	waterfall->steps[waterfall->steps_count++] = *step;
	return 0;
}

static struct waterfall *of_step(struct waterfalls *waterfalls, const struct recorded_event *event)
{
	uint64_t hash = hash_of(waterfalls, event);
	struct waterfall **at = find(waterfalls, hash, event->execution_id);

	struct waterfall *waterfall = *at;

	if (waterfall)
		return waterfall;
	waterfall = open_one(event->execution_id, hash);
	*at = waterfall;
	if (waterfall)
		add_newest(waterfalls, waterfall);
	return waterfall;
}

int waterfalls__step(struct waterfalls *waterfalls, const struct recorded_event *event,
		     const struct report_row *row)
{
	const struct waterfall_step step = {
		.row = row,
		.end_ns = event->timestamp_ns,
		.duration_ns = event->duration_ns,
		.is_timed = RECORDED_HAS(event, duration_ns),
		.outcome = (uint8_t)event->outcome,
		.depth = (uint16_t)(event->step_depth < 64 ? event->step_depth : 64),
	};
	struct waterfall *waterfall;

	if (!is_usable(event) || !waterfalls->limit)
		return 0;
	waterfall = of_step(waterfalls, event);
	if (!waterfall)
		return -ENOMEM;
	if (waterfall->steps_count == WATERFALL_STEPS_OF_ONE)
		return 0;
	if (add_step(waterfall, &step))
		return -ENOMEM;
	waterfalls->steps++;
	while (waterfalls->steps > WATERFALL_STEPS_MAX ||
	       waterfalls->open > WATERFALL_EXECUTIONS_MAX)
		drop_oldest(waterfalls);
	return 0;
}

/* ---- the slowest */

static bool is_slow_enough(const struct waterfalls *waterfalls, uint64_t duration_ns)
{
	return waterfalls->count < waterfalls->limit ||
	       duration_ns > waterfalls->slowest[waterfalls->count - 1]->duration_ns;
}

/* Behind those that took as long. The last one leaves, where there are too many. */
static void insert(struct waterfalls *waterfalls, struct waterfall *waterfall)
{
	size_t at = waterfalls->count++;

	for (; at > 0 && waterfalls->slowest[at - 1]->duration_ns < waterfall->duration_ns; at--)
		waterfalls->slowest[at] = waterfalls->slowest[at - 1];
	waterfalls->slowest[at] = waterfall;
	if (waterfalls->count > waterfalls->limit)
		free_one(waterfalls->slowest[--waterfalls->count]);
}

static int keep(struct waterfalls *waterfalls, struct waterfall *waterfall, uint64_t hash,
		const struct recorded_event *event, const struct report_row *row)
{
	if (!waterfall)
		waterfall = open_one(event->execution_id, hash);
	if (!waterfall)
		return -ENOMEM;
	waterfall->command = row;
	waterfall->end_ns = event->timestamp_ns;
	waterfall->duration_ns = event->duration_ns;
	waterfall->steps_executed = event->steps_executed;
	waterfall->outcome = (uint8_t)event->outcome;
	insert(waterfalls, waterfall);
	return 0;
}

int waterfalls__end(struct waterfalls *waterfalls, const struct recorded_event *event,
		    const struct report_row *row)
{
	struct waterfall **at, *waterfall;
	uint64_t hash;

	if (!is_usable(event) || !waterfalls->limit)
		return 0;
	hash = hash_of(waterfalls, event);
	at = find(waterfalls, hash, event->execution_id);
	waterfall = *at ? take(waterfalls, at) : NULL;
	if (RECORDED_HAS(event, duration_ns) && is_slow_enough(waterfalls, event->duration_ns))
		return keep(waterfalls, waterfall, hash, event, row);
	free_one(waterfall);
	return 0;
}

struct waterfall *const *waterfalls__slowest(const struct waterfalls *waterfalls, size_t *count)
{
	*count = waterfalls->count;
	return waterfalls->slowest;
}

uint64_t waterfall__start_ns(const struct waterfall *waterfall, const struct waterfall_step *step)
{
	uint64_t began_ns = waterfall->end_ns - waterfall->duration_ns;
	uint64_t start_ns = step->end_ns - step->duration_ns;

	if (waterfall->end_ns < waterfall->duration_ns || step->end_ns < step->duration_ns ||
	    start_ns < began_ns)
		return 0;
	return start_ns - began_ns;
}
