/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One execution of one command. The steps run in order; the first failure stops the execution.
 *
 * Each step that runs, also a nested one, is a span between steptrace_step_begin and
 * steptrace_step_end. The command is a span between steptrace_command_begin and
 * steptrace_command_end. The runner uses the public header usdt/steptrace.h as any other runner
 * does, and its results do not depend on whether a tracer is attached.
 *
 * A step that writes has its own database transaction, which begins when its values are rendered,
 * and is rolled back if the step fails. A dry run opens no transaction and writes nothing.
 *
 * The report of an execution that succeeded, and of one that failed:
 *
 *	{"success":true,"command":"triage","response":{"message":"..."},"outputs":{"save":{...}}}
 *	{"success":false,"command":"triage","response":{},"outputs":{},
 *	 "error":{"category":"not_found","step":"save","message":"..."}}
 */
#ifndef STEPTRACE_RUNNER_EXECUTION_H
#define STEPTRACE_RUNNER_EXECUTION_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "runner/run/execution_state.h"

/* Runs the command. Returns 0, or the negative errno of the first failure. In both cases
 * `execution` holds the result, and the caller frees it with execution__free. `input` must outlive
 * `execution`. */
int execution__run(struct execution *execution, const struct execution_settings *settings,
		   const struct pack *pack, const cJSON *input);
void execution__free(struct execution *execution);

/* The report as shown above; the caller deletes it. NULL: out of memory. `with_id` adds the
 * execution's id. */
cJSON *execution__report(const struct execution *execution, bool with_id);

/* For steps with branches: runs `steps` as children of the step whose span is `parent`. */
int execution__run_steps(struct execution *execution, const struct pack_steps *steps,
			 struct steptrace_step *parent);

/* Called instead of execution__run when a command was rejected: fires the probe
 * command__rejected with the reason. `id` is the execution id in the event; it may be NULL. */
void execution__reject(const struct execution_settings *settings, const char *slug,
		       const char *reason, const char *invalid_fields, char id[37]);

/* The error category of a negative errno. */
enum steptrace_error execution__category_of(int err);
const char *execution__category_name(enum steptrace_error category);

#endif
