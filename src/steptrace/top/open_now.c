// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/open_now.h"

#include "steptrace/stream/executions.h"

struct telling {
	void (*each)(void *context, const struct open_now *span);
	void *context;
};

static void tell(void *context, const struct execution *execution)
{
	const struct telling *telling = context;
	struct open_now span = {.command = execution->command.slug};

	span.since_ns = execution__since_ns(execution, &span.is_older);
	telling->each(telling->context, &span);
	for (const struct open_step *step = execution->open.newest; step; step = step->older) {
		const struct open_now of_step = {
			.command = execution->command.slug,
			.step_type = step->span.type,
			.step_name = step->span.name,
			.since_ns = step->record.time_ns,
		};

		telling->each(telling->context, &of_step);
	}
}

void open_now__of_stream(const struct stream *stream,
			 void (*each)(void *context, const struct open_now *span), void *context)
{
	struct telling telling = {each, context};

	stream__each_open(stream, tell, &telling);
}
