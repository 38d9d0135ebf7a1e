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

/* The settings that all executions of a run share. Everything is borrowed. */
struct execution_settings {
	struct store *store;
	struct ai_client *ai;          /* NULL: steps of type ai.generate fail */
	const struct tool_list *tools; /* NULL: steps of type tool.call fail */
	struct id_source *ids;
	uint64_t timeout_ns;                   /* of each execution; 0: none */
	const volatile uint64_t *cancelled_ns; /* see struct deadline; may be NULL */
	bool dry_run;
	bool timing; /* print one line per step to stderr */
	const char *user_id, *request_source, *correlation_id;
	const char *const *switched_off; /* capabilities that were disabled with --without */
	size_t switched_off_count;
};

struct execution {
	const struct execution_settings *settings;
	const struct pack *pack;
	struct context context;
	struct deadline deadline;
	struct steptrace_command span;
	cJSON *response;                     /* owned; the values that notify steps have set */
	const struct pack_step *failed_step; /* innermost step that failed; NULL: none has */
	enum steptrace_error category;
	struct error err;
};

#endif
