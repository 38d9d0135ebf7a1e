// SPDX-License-Identifier: BSD-2-Clause
#include "runner/work/worker.h"

#include <stdlib.h>

#include "runner/ai/ai_client.h"
#include "runner/value/value.h"

int worker__open(struct worker *worker, const struct runtime *runtime, size_t number,
		 struct error *err)
{
	const struct runner_options *options = runtime->options;
	int code;

	*worker = (struct worker){.runtime = runtime, .ids = options->ids};
	worker->ids.seed += number;
	code = store__open(options->database, &worker->store, err);
	return code ? code
		    : ai_client__open(options->ai_url, options->ai_model, options->ai_key,
				      &worker->ai, err);
}

void worker__close(struct worker *worker)
{
	store__close(worker->store);
	ai_client__close(worker->ai);
	worker->store = NULL;
	worker->ai = NULL;
}

static char *report_text(const struct execution *execution)
{
	cJSON *report = execution__report(execution, true);
	char *text = report ? value__json(report) : NULL;

	cJSON_Delete(report);
	return text;
}

enum steptrace_error worker__run(struct worker *worker, const struct worker_task *task,
				 char **report)
{
	const struct runner_options *options = worker->runtime->options;
	const struct execution_settings settings = {
		.store = worker->store,
		.ai = worker->ai,
		.tools = options->tools_path ? &worker->runtime->tools : NULL,
		.ids = &worker->ids,
		.timeout_ns = options->timeout_ns,
		.cancelled_ns = &worker->cancelled_ns,
		.dry_run = task->dry_run,
		.user_id = task->user_id,
		.request_source = task->request_source,
		.correlation_id = task->correlation_id,
		.origin = task->origin,
		.switched_off = options->switched_off.items,
		.switched_off_count = options->switched_off.count,
	};
	struct execution execution;
	enum steptrace_error category;

	execution__run(&execution, &settings, task->pack, task->input);
	category = execution.category;
	if (report)
		*report = report_text(&execution);
	execution__free(&execution);
	return category;
}

void worker__refuse(const struct worker_task *task, const struct refusal *refusal, char id[37])
{
	const struct execution_settings settings = {
		.dry_run = task->dry_run,
		.user_id = task->user_id,
		.request_source = task->request_source,
		.correlation_id = task->correlation_id,
	};

	execution__reject(&settings, refusal->slug, refusal->reason, refusal->field, id);
}
