/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One execution of one command: its steps in order, the first failure stops it.
 *
 * Every step that runs, nested ones too, is a span between steptrace_step_begin and _end; the
 * command is one between steptrace_command_begin and _end. The runner uses the public header
 * exactly as any other runner would, and nothing here depends on whether somebody is attached.
 *
 * A step that mutates runs in a transaction of its own; when it fails nothing of it stays. In a
 * dry run no transaction is opened and nothing is written.
 *
 *	{"success":true,"command":"triage","response":{"message":"..."},"outputs":{"save":{...}}}
 *	{"success":false,"command":"triage","response":{},"outputs":{},
 *	 "error":{"category":"not_found","step":"save","message":"..."}}
 */
#ifndef STEPTRACE_RUNNER_EXECUTION_H
#define STEPTRACE_RUNNER_EXECUTION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <steptrace.h>

#include "common/error.h"
#include "runner/context.h"
#include "runner/pack.h"

struct store;
struct ai_client;

/* What all executions of a run share. Everything is borrowed. */
struct execution_settings {
	struct store *store;
	struct ai_client *ai; /* NULL: steps that ask a model fail */
	struct id_source *ids;
	bool dry_run;
	bool timing; /* one line per step on stderr */
	const char *user_id, *request_source, *correlation_id;
	const char *const *switched_off; /* capabilities nobody may use */
	size_t switched_off_count;
};

struct execution {
	const struct execution_settings *settings;
	const struct pack *pack;
	struct context context;
	struct steptrace_command span;
	cJSON *response;                     /* what notify steps left */
	const struct pack_step *failed_step; /* the innermost one; NULL: none, or no step was run */
	enum steptrace_error category;
	struct error err;
};

/* Runs it. 0, or the negative errno of the first failure; `execution` holds the result either
 * way and goes to execution__free. `input` must outlive it. */
int execution__run(struct execution *execution, const struct execution_settings *settings,
		   const struct pack *pack, const cJSON *input);
void execution__free(struct execution *execution);

/* The result as shown above; the caller deletes it. NULL: no memory. */
cJSON *execution__report(const struct execution *execution, bool with_id);

/* For steps with branches: runs `steps` inside the step whose span is `parent`. */
int execution__run_steps(struct execution *execution, const struct pack_steps *steps,
			 struct steptrace_step *parent);

/* Instead of a run: tells the tracer that a command was refused, and why. */
void execution__reject(const struct execution_settings *settings, const char *slug,
		       const char *reason, const char *invalid_fields);

enum steptrace_error execution__category_of(int err);
const char *execution__category_name(enum steptrace_error category);

#endif
