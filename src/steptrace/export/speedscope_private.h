/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the speedscope export share: speedscope.c reads events, speedscope_lanes.c
 * draws executions into lanes, speedscope_document.c writes the file. */
#ifndef STEPTRACE_SPEEDSCOPE_PRIVATE_H
#define STEPTRACE_SPEEDSCOPE_PRIVATE_H

#include "steptrace/export/held_executions.h"
#include "steptrace/export/lanes.h"
#include "steptrace/export/processes.h"
#include "steptrace/export/speedscope.h"
#include "steptrace/export/speedscope_frames.h"

struct speedscope {
	struct export_out *out;
	struct held_executions *executions; /* owned, as the next two */
	struct speedscope_frames *frames;
	struct lanes *lanes;
	struct spool spool;
	struct trace_place trace;
	struct json scratch;   /* where the text of a frame is made */
	struct text_hash hash; /* of the ids of steps */
	size_t held_bytes, held_limit;
	uint64_t begin_ns, end_ns; /* of everything that is drawn; 0: nothing so far */
	struct speedscope_counts counts;
	int err; /* the first; 0: none */
};

/* The body of a span (spans.h). */
struct drawn_span {
	uint32_t frame;
	bool is_tool;
};

/* Draws the spans of an execution, and frees them. The frame is that of its command. */
void speedscope__draw(struct speedscope *speedscope, struct held_execution *execution,
		      uint32_t command_frame);

/* Draws one span in a group of its own. */
void speedscope__draw_alone(struct speedscope *speedscope, uint32_t group, uint32_t frame,
			    uint64_t begin_ns, uint64_t end_ns);

/* Writes all that was drawn. 0 or negative errno. */
int speedscope__write(struct speedscope *speedscope);

#endif
