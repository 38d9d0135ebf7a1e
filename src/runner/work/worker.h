/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes commands in one thread: the connections of that thread to the database and to the model.
 *
 * Another thread may cancel what the worker executes: it sets `cancelled_ns` (see
 * common/deadline.h). A command that begins after that is cancelled, too.
 */
#ifndef STEPTRACE_RUNNER_WORKER_H
#define STEPTRACE_RUNNER_WORKER_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/request/request.h"
#include "runner/run/execution.h"
#include "runner/store/store.h"
#include "runner/work/runtime.h"

struct ai_client;

struct worker {
	const struct runtime *runtime; /* borrowed */
	struct store *store;
	struct ai_client *ai;
	struct id_source ids;
	_Atomic uint64_t cancelled_ns; /* CLOCK_MONOTONIC; 0: not cancelled */
};

/* One execution. Everything is borrowed. */
struct worker_task {
	const struct pack *pack;
	const cJSON *input;
	bool dry_run;
	const char *user_id, *request_source, *correlation_id;
	const struct execution_origin *origin; /* NULL: none */
};

/* `number` tells the workers of a process apart: with --seed, each creates its own ids. Returns 0
 * or a negative errno with a sentence. The caller closes the worker in any case. */
int worker__open(struct worker *worker, const struct runtime *runtime, size_t number,
		 struct error *err);
void worker__close(struct worker *worker);

/* Executes the command. *report is its result with the execution id as JSON text (execution.h),
 * which the caller frees; NULL: out of memory. `report` may be NULL. Returns the error category; 0:
 * the command succeeded. */
enum steptrace_error worker__run(struct worker *worker, const struct worker_task *task,
				 char **report);

/* Reports a command that was refused (execution__reject()). `id` may be NULL. */
void worker__refuse(const struct worker_task *task, const struct refusal *refusal, char id[37]);

#endif
