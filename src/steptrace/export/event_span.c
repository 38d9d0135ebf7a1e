// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/event_span.h"

enum { DEPTH_MAX = 1000 };
static const uint32_t innermost_level = UINT32_MAX;

static uint64_t id_of(const struct text_hash *hash, struct recorded_text id)
{
	return id.bytes ? text_hash__of(hash, id.text, id.bytes) : 0;
}

static void set_times(struct span *span, const struct recorded_event *event)
{
	uint64_t whole_ns = event->duration_ns + event->suspended_ns;

	span->begin_ns = span->end_ns = event->timestamp_ns;
	span->is_instant = !RECORDED_HAS(event, duration_ns) || whole_ns > span->end_ns;
	if (!span->is_instant)
		span->begin_ns -= whole_ns;
}

static void place_step(struct span *span, const struct recorded_event *event,
		       const struct text_hash *hash)
{
	uint64_t depth = event->step_depth < DEPTH_MAX ? event->step_depth : DEPTH_MAX;

	span->id = id_of(hash, event->step_id);
	span->level = EVENT_SPAN_STEP_LEVEL + (uint32_t)depth;
	if (event->parent_step_id.bytes)
		span->parent = id_of(hash, event->parent_step_id);
}

struct span event_span__of(const struct recorded_event *event, const struct text_hash *hash)
{
	struct span span = {.thread = event->tid, .parent = SPANS_COMMAND_ID};

	set_times(&span, event);
	if (event->kind == RECORDED_COMMAND_COMPLETED) {
		span.id = SPANS_COMMAND_ID;
		span.parent = 0;
		span.level = EVENT_SPAN_COMMAND_LEVEL;
	} else if (event->kind == RECORDED_STEP_EXECUTED) {
		place_step(&span, event, hash);
	} else {
		span.level = innermost_level;
		if (event->step_id.bytes)
			span.parent = id_of(hash, event->step_id);
	}
	return span;
}
