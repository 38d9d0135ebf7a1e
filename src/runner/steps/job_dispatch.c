// SPDX-License-Identifier: BSD-2-Clause
/*
 * job.dispatch: writes a job into the queue. A worker runs its command later.
 *
 *	command: send-report			a slug
 *	arguments: {week: "{{ ctx.week }}"}	the input of the command
 *	queue: mail				default: default
 *	delay: 60				seconds until the job may run; default: 0
 *	max_attempts: 5				failures until the job is dead; default: 3
 *
 * The result: {"job_id": 7, "queue": "mail", "command": "send-report", "status": "queued",
 * "available_at": "2025-03-01T08:30:00.000000Z"}. The job carries the correlation id of this
 * command, and its execution id as that of the parent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/queue/jobs.h"
#include "runner/run/context.h"
#include "runner/steps/rows.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

enum { DELAY_MAX_S = 366 * 86400 };

struct job {
	char *command, *queue; /* owned */
	cJSON *arguments;      /* owned; NULL: none */
	double delay_s;
	int64_t max_attempts;
};

static int read_delay(struct step_run *run, struct job *job)
{
	cJSON *value;
	int err = step_run__value(run, "delay", &value);

	if (err || !value)
		return err;
	if (!value__number(value, &job->delay_s) || !(job->delay_s >= 0) ||
	    job->delay_s > DELAY_MAX_S)
		err = error__set(run->err, -EINVAL,
				 "'delay' must be a number of seconds, at most %d", DELAY_MAX_S);
	cJSON_Delete(value);
	return err;
}

static int read_max_attempts(struct step_run *run, struct job *job)
{
	cJSON *value;
	int err = step_run__value(run, "max_attempts", &value);

	job->max_attempts = JOB_ATTEMPTS_DEFAULT;
	if (err || !value)
		return err;
	if (!integer__of_any(value, &job->max_attempts) || job->max_attempts < 1 ||
	    job->max_attempts > JOB_ATTEMPTS_MAX)
		err = error__set(run->err, -EINVAL,
				 "'max_attempts' must be a whole number from 1 to %d",
				 JOB_ATTEMPTS_MAX);
	cJSON_Delete(value);
	return err;
}

static int read_job(struct step_run *run, struct job *job)
{
	int err = step_run__text(run, "command", &job->command);

	if (!err && !job->command)
		err = error__set(run->err, -EINVAL, "'command' is missing: give a slug");
	if (!err && !pack__is_slug(job->command))
		err = error__set(run->err, -EINVAL, "'%.64s' is not a slug", job->command);
	if (!err)
		err = step_run__text(run, "queue", &job->queue);
	if (!err && job->queue && !pack__is_slug(job->queue))
		err = error__set(run->err, -EINVAL, "'%.64s' is not the name of a queue",
				 job->queue);
	if (!err)
		err = step_run__map(run, "arguments", &job->arguments);
	if (!err)
		err = read_max_attempts(run, job);
	return err ? err : read_delay(run, job);
}

static bool fill_row(struct step_run *run, const struct job *job, cJSON *row)
{
	struct execution *execution = run->execution;
	const char *correlation_id = execution->settings->correlation_id;
	char execution_id[37], available_at[TIME_TEXT_BYTES];
	cJSON *payload = job->arguments ? value__copy(job->arguments) : cJSON_CreateObject();

	steptrace_command_id(&execution->span, execution_id);
	time_text__write(execution->context.now_us + (int64_t)(job->delay_s * 1e6), available_at);
	if (!payload || !cJSON_AddItemToObject(row, "payload", payload)) {
		cJSON_Delete(payload);
		return false;
	}
	return cJSON_AddStringToObject(row, "command_slug", job->command) &&
	       cJSON_AddStringToObject(row, "queue", job->queue ? job->queue : "default") &&
	       cJSON_AddStringToObject(row, "status", "queued") &&
	       cJSON_AddStringToObject(row, "available_at", available_at) &&
	       integer__add(row, "max_attempts", job->max_attempts) &&
	       cJSON_AddStringToObject(row, "correlation_id",
				       correlation_id ? correlation_id : execution_id) &&
	       cJSON_AddStringToObject(row, "parent_execution_id", execution_id);
}

static bool copy_member(cJSON *to, const char *name, const cJSON *row, const char *column)
{
	cJSON *copy = value__copy(cJSON_GetObjectItemCaseSensitive(row, column));

	if (copy && cJSON_AddItemToObject(to, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static int answer(struct step_run *run, const cJSON *row)
{
	cJSON *output = run->output = cJSON_CreateObject();

	if (output && copy_member(output, "job_id", row, "id") &&
	    copy_member(output, "queue", row, "queue") &&
	    copy_member(output, "command", row, "command_slug") &&
	    copy_member(output, "status", row, "status") &&
	    copy_member(output, "available_at", row, "available_at"))
		return 0;
	return rows__no_memory(run);
}

static int dispatch(struct step_run *run, const struct job *job)
{
	cJSON *values = cJSON_CreateObject(), *row = NULL;
	int err = values && fill_row(run, job, values) ? 0 : rows__no_memory(run);

	if (!err)
		err = rows__create(run, store__table(step_run__store(run), "jobs"), values, &row);
	if (!err)
		err = answer(run, row);
	cJSON_Delete(values);
	cJSON_Delete(row);
	return err;
}

static int run(struct step_run *run)
{
	struct job job = {.delay_s = 0};
	int err = read_job(run, &job);

	if (!err)
		err = dispatch(run, &job);
	free(job.command);
	free(job.queue);
	cJSON_Delete(job.arguments);
	return err;
}

static const char *const keys[] = {"command", "arguments", "queue", "delay", "max_attempts", NULL};

const struct step_type step_job_dispatch = {
	.name = "job.dispatch",
	.event_name = "JobDispatchStep",
	.keys = keys,
	.run = run,
};
