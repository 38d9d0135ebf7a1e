// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/execution.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/store/store.h"

#define array_count(array) (sizeof(array) / sizeof((array)[0]))

/* ------------------------------------------------------------------ categories */

struct category {
	int err;
	enum steptrace_error category;
};

/* An errno that is not in this table belongs to the category "general". */
static const struct category categories[] = {
	{EINVAL, STEPTRACE_ERROR_VALIDATION},    {ENOENT, STEPTRACE_ERROR_NOT_FOUND},
	{EACCES, STEPTRACE_ERROR_PERMISSION},    {EPERM, STEPTRACE_ERROR_PERMISSION},
	{ETIMEDOUT, STEPTRACE_ERROR_TIMEOUT},    {ENOMEM, STEPTRACE_ERROR_MEMORY},
	{ECONNREFUSED, STEPTRACE_ERROR_NETWORK}, {ECONNRESET, STEPTRACE_ERROR_NETWORK},
	{EHOSTUNREACH, STEPTRACE_ERROR_NETWORK}, {EPROTO, STEPTRACE_ERROR_NETWORK},
	{EIO, STEPTRACE_ERROR_DATABASE},         {EBUSY, STEPTRACE_ERROR_DATABASE},
	{EEXIST, STEPTRACE_ERROR_DATABASE},      {E2BIG, STEPTRACE_ERROR_LIMIT},
	{ECANCELED, STEPTRACE_ERROR_CANCELLED},
};

enum steptrace_error execution__category_of(int err)
{
	for (size_t i = 0; i < array_count(categories); i++)
		if (categories[i].err == -err)
			return categories[i].category;
	return err ? STEPTRACE_ERROR_GENERAL : STEPTRACE_ERROR_NONE;
}

const char *execution__category_name(enum steptrace_error category)
{
	static const char *const names[] = {
		[STEPTRACE_ERROR_NONE] = "none",
		[STEPTRACE_ERROR_GENERAL] = "general",
		[STEPTRACE_ERROR_TIMEOUT] = "timeout",
		[STEPTRACE_ERROR_MEMORY] = "memory",
		[STEPTRACE_ERROR_PERMISSION] = "permission",
		[STEPTRACE_ERROR_NOT_FOUND] = "not_found",
		[STEPTRACE_ERROR_VALIDATION] = "validation",
		[STEPTRACE_ERROR_NETWORK] = "network",
		[STEPTRACE_ERROR_DATABASE] = "database",
		[STEPTRACE_ERROR_CANCELLED] = "cancelled",
		[STEPTRACE_ERROR_LIMIT] = "limit",
	};

	return (size_t)category < array_count(names) ? names[category] : "general";
}

/* ------------------------------------------------------------------ one step */

/* Runs the function of the step's type, and ends its transaction. */
static int carry_out(struct step_run *run)
{
	struct store *store = run->execution->settings->store;
	int err = run->step->type->run(run);

	if (run->is_locked && err)
		store__rollback(store);
	else if (run->is_locked)
		err = store__commit(store, run->err);
	return err;
}

static int keep_output(struct step_run *run)
{
	cJSON *output = run->output ? run->output : cJSON_CreateNull();

	run->output = NULL;
	if (context__set_output(&run->execution->context, run->step->id, output))
		return error__set(run->err, -ENOMEM, "out of memory");
	return 0;
}

/* A failure passes through every enclosing step. Only the innermost step is reported as failed. */
static void note_failure(struct step_run *run, int err)
{
	struct execution *execution = run->execution;

	run->span->mutations_count = 0;
	if (!execution->failed_step) {
		execution->failed_step = run->step;
		execution->category = execution__category_of(err);
		if (!run->err->text[0])
			error__set(run->err, err, "%s", strerror(-err));
	}
	run->span->error_category = (uint8_t)execution->category;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int run_step(struct execution *execution, const struct pack_step *step,
		    struct steptrace_step *parent)
{
	struct steptrace_step span;
	struct step_run run = {
		.execution = execution, .step = step, .span = &span, .err = &execution->err};
	uint64_t begin_ns = 0, end_ns = 0;
	int err;

	steptrace_step_init(&span, &execution->span, step->type->event_name);
	span.parent = parent;
	span.name = step->id;
	span.index = step->index;
	steptrace_step_begin(&span);
	if (execution->settings->timing)
		begin_ns = now_ns();
	err = carry_out(&run);
	if (!err)
		err = keep_output(&run);
	if (err)
		note_failure(&run, err);
	else
		step_run__tell_changes(&run);
	if (execution->settings->timing)
		end_ns = now_ns();
	steptrace_step_end(&span, err ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS);
	if (execution->settings->timing)
		fprintf(stderr, "step %s %s duration_ns=%" PRIu64 "\n", step->id, step->type->name,
			end_ns - begin_ns);
	step_run__free(&run);
	return err;
}

int execution__run_steps(struct execution *execution, const struct pack_steps *steps,
			 struct steptrace_step *parent)
{
	int err = 0;

	for (size_t i = 0; !err && i < steps->count; i++) {
		err = deadline__check(&execution->deadline, &execution->err);
		if (!err)
			err = run_step(execution, &steps->steps[i], parent);
	}
	return err;
}

/* ------------------------------------------------------------------ the command */

static bool is_switched_off(const struct execution_settings *settings, const char *capability)
{
	for (size_t i = 0; i < settings->switched_off_count; i++)
		if (strcmp(settings->switched_off[i], capability) == 0)
			return true;
	return false;
}

static int check_requirements(struct execution *execution)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, execution->pack->secrets) {
		const char *secret = getenv(item->valuestring);

		if (!secret || !*secret)
			return error__set(&execution->err, -EACCES,
					  "the secret '%s' is not set: set it in the environment",
					  item->valuestring);
	}
	cJSON_ArrayForEach (item, execution->pack->capabilities) {
		if (is_switched_off(execution->settings, item->valuestring))
			return error__set(&execution->err, -EACCES,
					  "the capability '%s' is disabled", item->valuestring);
	}
	return 0;
}

static void set_origin(struct execution *execution, const struct execution_origin *origin)
{
	struct steptrace_command *span = &execution->span;

	span->is_scheduled = origin->schedule_id != 0;
	span->schedule_id = origin->schedule_id;
	span->schedule_run_id = origin->schedule_run_id;
	span->planned_run_at_s = origin->planned_at_us / 1000000;
	span->queue = origin->queue;
	span->attempt = origin->attempt;
	if (origin->queue)
		span->enqueued_at_ns = (uint64_t)id_source__system_us(execution->settings->ids,
								      origin->runnable_at_us) *
				       1000;
	steptrace_command_init(&execution->parent, "");
	if (!steptrace_command_set_id(&execution->parent, origin->parent_execution_id))
		span->parent = &execution->parent;
}

static void begin_span(struct execution *execution, const cJSON *input)
{
	const struct execution_settings *settings = execution->settings;
	struct steptrace_command *span = &execution->span;

	steptrace_command_init(span, execution->pack->slug);
	span->user_id = settings->user_id;
	span->request_source = settings->request_source;
	span->correlation_id = settings->correlation_id;
	span->dry_run = settings->dry_run;
	span->arguments_count = (uint32_t)cJSON_GetArraySize(context__unwrapped(input));
	if (settings->origin)
		set_origin(execution, settings->origin);
	steptrace_command_begin(span);
}

static int run_command(struct execution *execution, const cJSON *input)
{
	const struct pack *pack = execution->pack;
	int err = check_requirements(execution);

	if (err)
		return err;
	execution->response = cJSON_CreateObject();
	err = context__init(&execution->context, execution->settings->ids, input,
			    pack->prompts.texts);
	if (err || !execution->response)
		return error__set(&execution->err, -ENOMEM, "out of memory");
	return execution__run_steps(execution, &pack->steps, NULL);
}

/* The shorter one of the manifest's and that of the command line. */
static void set_deadline(struct execution *execution)
{
	uint64_t limit_ns = execution->settings->timeout_ns;
	uint64_t own_ns = execution->pack->timeout_ns;

	if (own_ns && (!limit_ns || own_ns < limit_ns))
		limit_ns = own_ns;
	execution->deadline = (struct deadline){
		.at_ns = limit_ns ? now_ns() + limit_ns : 0,
		.cancelled_ns = execution->settings->cancelled_ns,
	};
}

int execution__run(struct execution *execution, const struct execution_settings *settings,
		   const struct pack *pack, const cJSON *input)
{
	int err;

	/* Set field by field, because clearing all of it costs time: the span alone has half a
	 * kilobyte, and steptrace_command_init sets it. */
	execution->settings = settings;
	execution->pack = pack;
	execution->context = (struct context){0};
	execution->response = NULL;
	execution->failed_step = NULL;
	execution->category = STEPTRACE_ERROR_NONE;
	execution->err.text[0] = 0;
	set_deadline(execution);
	store__watch(settings->store, &execution->deadline);
	begin_span(execution, input);
	err = run_command(execution, input);
	store__watch(settings->store, NULL);
	if (err && !execution->failed_step)
		execution->category = execution__category_of(err);
	execution->span.error_category = (uint8_t)execution->category;
	steptrace_command_end(&execution->span, err ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS);
	return err;
}

void execution__free(struct execution *execution)
{
	context__free(&execution->context);
	cJSON_Delete(execution->response);
	execution->response = NULL;
}

void execution__reject(const struct execution_settings *settings, const char *slug,
		       const char *reason, const char *invalid_fields, char id[37])
{
	struct steptrace_command span;

	steptrace_command_init(&span, slug);
	span.user_id = settings->user_id;
	span.request_source = settings->request_source;
	span.correlation_id = settings->correlation_id;
	span.dry_run = settings->dry_run;
	if (id)
		steptrace_command_id(&span, id);
	steptrace_command_rejected(&span, reason, invalid_fields);
}

/* ------------------------------------------------------------------ the result */

static bool add_outputs(cJSON *report, const cJSON *steps)
{
	cJSON *outputs = cJSON_AddObjectToObject(report, "outputs"), *step;

	cJSON_ArrayForEach (step, steps) {
		if (!outputs || !cJSON_AddItemReferenceToObject(outputs, step->string, step->child))
			return false;
	}
	return outputs != NULL;
}

static bool add_error(cJSON *report, const struct execution *execution)
{
	const struct pack_step *step = execution->failed_step;
	cJSON *error;

	if (execution->category == STEPTRACE_ERROR_NONE)
		return true;
	error = cJSON_AddObjectToObject(report, "error");
	return error &&
	       cJSON_AddStringToObject(error, "category",
				       execution__category_name(execution->category)) &&
	       (step ? cJSON_AddStringToObject(error, "step", step->id)
		     : cJSON_AddNullToObject(error, "step")) &&
	       cJSON_AddStringToObject(error, "message", execution->err.text);
}

static bool add_id(cJSON *report, const struct execution *execution)
{
	char id[37];

	steptrace_command_id((struct steptrace_command *)&execution->span, id);
	return cJSON_AddStringToObject(report, "execution_id", id);
}

cJSON *execution__report(const struct execution *execution, bool with_id)
{
	bool failed = execution->category != STEPTRACE_ERROR_NONE;
	cJSON *report = cJSON_CreateObject();
	bool done;

	done = report && cJSON_AddBoolToObject(report, "success", !failed) &&
	       cJSON_AddStringToObject(report, "command", execution->pack->slug) &&
	       (!with_id || add_id(report, execution)) &&
	       (execution->response
			? cJSON_AddItemReferenceToObject(report, "response", execution->response)
			: cJSON_AddObjectToObject(report, "response") != NULL) &&
	       add_outputs(report, execution->context.steps) && add_error(report, execution);
	if (done)
		return report;
	cJSON_Delete(report);
	return NULL;
}
