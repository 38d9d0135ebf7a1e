// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/open_spans.h"

#include "steptrace/stream/executions.h"

struct telling {
	void (*each)(void *context, const struct open_span *span);
	void *context;
};

/* A start that was not seen may be in the span, if another tracer was attached then. The runner
 * wrote that time, so it cannot be later than the first record. */
static struct open_span span_of(const struct execution *execution)
{
	uint64_t stamp_ns = execution->command.head.start_ns;
	struct open_span span = {.command = execution->command.slug};

	if (execution->began_ns) {
		span.since_ns = execution->began_ns;
	} else if (stamp_ns && stamp_ns < execution->known_ns) {
		span.since_ns = stamp_ns;
	} else {
		span.since_ns = execution->known_ns;
		span.is_older = true;
	}
	return span;
}

static void tell(void *context, const struct execution *execution)
{
	const struct telling *telling = context;
	struct open_span span = span_of(execution);

	telling->each(telling->context, &span);
	for (const struct open_step *step = execution->open.newest; step; step = step->older) {
		const struct open_span of_step = {
			.command = execution->command.slug,
			.step_type = step->span.type,
			.step_name = step->span.name,
			.since_ns = step->record.time_ns,
		};

		telling->each(telling->context, &of_step);
	}
}

void open_spans__of_stream(const struct stream *stream,
			   void (*each)(void *context, const struct open_span *span), void *context)
{
	struct telling telling = {each, context};

	stream__each_open(stream, tell, &telling);
}
