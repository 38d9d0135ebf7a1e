// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "steptrace/export/event_span.h"
#include "steptrace/export/speedscope_private.h"

static struct drawn_span body_of(const struct span *span)
{
	struct drawn_span drawn;

	memcpy(&drawn, span->body, sizeof(drawn));
	return drawn;
}

static void add(struct speedscope *speedscope, struct lane *lane, uint32_t frame, uint64_t ns,
		bool is_begin)
{
	const struct spooled item = {.ns = ns, .number = frame, .is_begin = is_begin};
	int err = spool__add(&speedscope->spool, &lane->list, item);

	if (!speedscope->err)
		speedscope->err = err;
	if (!speedscope->begin_ns || ns < speedscope->begin_ns)
		speedscope->begin_ns = ns;
	if (ns > speedscope->end_ns)
		speedscope->end_ns = ns;
}

/* ---- the spans of an execution that share a lane */

struct drawing {
	struct speedscope *speedscope;
	struct lane *lane;
	uint32_t command_frame;
	unsigned int depth;
};

static void count(struct speedscope_counts *counts, const struct span *span)
{
	if (span->level == EVENT_SPAN_COMMAND_LEVEL)
		counts->executions++;
	else if (body_of(span).is_tool)
		counts->tools++;
	else
		counts->steps++;
}

/* Every stack begins with the command, also where the command is in another lane. */
static void put(void *context, const struct span *span, bool is_begin)
{
	struct drawing *drawing = context;
	bool is_outermost = drawing->depth == (is_begin ? 0 : 1);
	bool is_wrapped = is_outermost && span->level != EVENT_SPAN_COMMAND_LEVEL;
	uint64_t ns = is_begin ? span->begin_ns : span->end_ns;

	if (span->is_instant)
		return;
	if (is_begin && is_wrapped)
		add(drawing->speedscope, drawing->lane, drawing->command_frame, ns, true);
	add(drawing->speedscope, drawing->lane, body_of(span).frame, ns, is_begin);
	if (!is_begin && is_wrapped)
		add(drawing->speedscope, drawing->lane, drawing->command_frame, ns, false);
	drawing->depth = is_begin ? drawing->depth + 1 : drawing->depth - 1;
	if (is_begin)
		count(&drawing->speedscope->counts, span);
}

/* From when to when the lane of an execution has spans, and how many. */
struct extent {
	uint64_t begin_ns, end_ns, count;
};

static struct extent extent_of(const struct spans *spans, int lane)
{
	struct extent extent = {.begin_ns = UINT64_MAX};

	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->items[i];

		if (span->lane != lane || span->is_instant)
			continue;
		extent.count++;
		if (span->begin_ns < extent.begin_ns)
			extent.begin_ns = span->begin_ns;
		if (span->end_ns > extent.end_ns)
			extent.end_ns = span->end_ns;
	}
	return extent;
}

static void draw_lane(struct speedscope *speedscope, const struct held_execution *execution,
		      int number, uint32_t command_frame)
{
	struct extent extent = extent_of(&execution->spans, number);
	struct drawing drawing = {.speedscope = speedscope, .command_frame = command_frame};

	if (extent.count == 0)
		return;
	if (number < 0) {
		speedscope->counts.not_nested += extent.count;
		return;
	}
	drawing.lane = lanes__take(speedscope->lanes, (uint32_t)execution->process, extent.begin_ns,
				   extent.end_ns);
	if (!drawing.lane)
		speedscope->counts.without_lane += extent.count;
	else if (spans__walk(&execution->spans, number, put, &drawing))
		speedscope->err = -ENOMEM;
}

static void count_instants(struct speedscope *speedscope, const struct spans *spans)
{
	for (size_t i = 0; i < spans->count; i++)
		speedscope->counts.without_begin += spans->items[i].is_instant;
}

void speedscope__draw(struct speedscope *speedscope, struct held_execution *execution,
		      uint32_t command_frame)
{
	int lanes = spans__lay_out(&execution->spans);

	if (execution->spans.count && lanes == 0)
		speedscope->err = -ENOMEM;
	for (int lane = -1; lane < lanes; lane++)
		draw_lane(speedscope, execution, lane, command_frame);
	count_instants(speedscope, &execution->spans);
	speedscope->held_bytes -= execution->spans.bytes;
	spans__free(&execution->spans);
}

void speedscope__draw_alone(struct speedscope *speedscope, uint32_t group, uint32_t frame,
			    uint64_t begin_ns, uint64_t end_ns)
{
	struct lane *lane = lanes__take(speedscope->lanes, group, begin_ns, end_ns);

	if (!lane) {
		speedscope->counts.without_lane++;
		return;
	}
	add(speedscope, lane, frame, begin_ns, true);
	add(speedscope, lane, frame, end_ns, false);
}
