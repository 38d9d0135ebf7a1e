// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/open_item.h"

#include <string.h>

#include "common/fixed_text.h"
#include "steptrace/stream/executions.h"

static void set_age(struct open_item *item, uint64_t since_ns, uint64_t now_ns)
{
	item->seen_ns = now_ns;
	item->age_ns = now_ns > since_ns ? now_ns - since_ns : 0;
}

void open_item__of_execution(struct open_item *item, const struct execution *execution,
			     uint64_t now_ns)
{
	bool is_earlier;
	uint64_t since_ns = execution__since_ns(execution, &is_earlier);

	*item = (struct open_item){
		.pid = execution__pid(execution),
		.uid = execution->process.uid,
		.is_age_known = !is_earlier,
	};
	set_age(item, since_ns, now_ns);
	memcpy(item->execution_id, execution->id, sizeof(item->execution_id));
	FIXED_TEXT_COPY(item->slug, execution->command.slug);
	FIXED_TEXT_COPY(item->user_id, execution->command.user_id);
	FIXED_TEXT_COPY(item->request_source, execution->command.request_source);
}

void open_item__of_step(struct open_item *item, const struct execution *execution,
			const struct begun_step *step, uint64_t now_ns)
{
	open_item__of_execution(item, execution, now_ns);
	item->is_step = true;
	item->is_age_known = true;
	item->pid = step->record.pid;
	set_age(item, step->record.time_ns, now_ns);
	memcpy(item->step_id, step->span.step_id, sizeof(item->step_id));
	FIXED_TEXT_COPY(item->step_type, step->span.type);
	FIXED_TEXT_COPY(item->step_name, step->span.name);
}
