/* SPDX-License-Identifier: BSD-2-Clause */
/* What an execution knows: execution.h runs it, and the steps read it (step_run.h). */
#ifndef STEPTRACE_RUNNER_EXECUTION_STATE_H
#define STEPTRACE_RUNNER_EXECUTION_STATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <steptrace.h>

#include "common/deadline.h"
#include "common/error.h"
#include "runner/pack/pack.h"
#include "runner/run/context.h"

struct store;
struct ai_client;
struct tool_list;

/* What made the runner execute a command, if that was a schedule or a queue. Texts are borrowed. */
struct execution_origin {
	int64_t schedule_id, schedule_run_id; /* 0: no schedule */
	int64_t planned_at_us;                /* microseconds since 1970 */
	const char *queue;                    /* NULL: no queue */
	uint32_t attempt;                     /* from 1 */
	int64_t runnable_at_us;               /* when the job could have begun */
	const char *parent_execution_id;      /* NULL: none */
};

/* The settings that all executions of a run share. Everything is borrowed. */
struct execution_settings {
	struct store *store;
	struct ai_client *ai;          /* NULL: steps of type ai.generate fail */
	const struct tool_list *tools; /* NULL: steps of type tool.call fail */
	struct id_source *ids;
	uint64_t timeout_ns;                  /* of each execution; 0: none */
	const _Atomic uint64_t *cancelled_ns; /* see struct deadline; may be NULL */
	bool dry_run;
	bool timing; /* print one line per step to stderr */
	const char *user_id, *request_source, *correlation_id;
	const struct execution_origin *origin; /* NULL: a user */
	const char *const *switched_off;       /* capabilities that were disabled with --without */
	size_t switched_off_count;
};

struct execution {
	const struct execution_settings *settings;
	const struct pack *pack;
	struct context context;
	struct deadline deadline;
	struct steptrace_command span;
	struct steptrace_command parent;     /* set if the origin names a parent */
	cJSON *response;                     /* owned; the values that notify steps have set */
	const struct pack_step *failed_step; /* innermost step that failed; NULL: none has */
	enum steptrace_error category;
	struct error err;
};

#endif
