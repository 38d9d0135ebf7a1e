// SPDX-License-Identifier: BSD-2-Clause
/*
 * action: creates, lists, shows, pauses, resumes and deletes schedules.
 *
 *	action: create			or the name of a class, see `actions`
 *	id: 7				id or name of a schedule; for all but create and list
 *	name, command, recurrence	of a new schedule (recurrence.h)
 *	timezone: Europe/Berlin		default: UTC
 *	payload: {body: "hello"}	the input of the command
 *	max_runs: 10			default: no limit
 *
 * A key that the step does not have is taken from the input of the command; `id` also from `body`.
 *
 *	list	{"action": "list", "results": [...], "count": 2, "total": 2}
 *	detail	{"action": "detail", "success": true, "id": 7, "schedule": {...}, "runs": [...]}
 *	others	{"action": "pause", "success": true, "id": 7, "schedule": {...}}
 *
 * `results` has the first 1000 by name, and `total` counts all. The same goes into the response,
 * as panel_data of a panel of the type "schedule".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/schedule/schedules.h"
#include "runner/steps/response.h"
#include "runner/steps/rows.h"
#include "runner/store/store_row.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

enum { LIST_MAX = 1000 };

struct action {
	const char *name;
	int (*run)(struct step_run *run);
};

/* ------------------------------------------------------------------ parameters */

/* A key of the step, or of the input. *value may be NULL. */
static int get(struct step_run *run, const char *key, cJSON **value)
{
	const cJSON *ctx = cJSON_GetObjectItemCaseSensitive(run->execution->context.root, "ctx");
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(ctx, key);
	int err = step_run__value(run, key, value);

	if (err || *value || !given)
		return err;
	*value = value__copy(given);
	return *value ? 0 : rows__no_memory(run);
}

static int get_text(struct step_run *run, const char *key, char **text)
{
	cJSON *value;
	int err = get(run, key, &value);

	*text = NULL;
	if (err || !value || cJSON_IsNull(value))
		return err;
	*text = value__text(value);
	cJSON_Delete(value);
	return *text ? 0 : rows__no_memory(run);
}

/* The id or name of the schedule that the step is about. */
static int get_which(struct step_run *run, char **which)
{
	int err = get_text(run, "id", which);

	if (!err && !*which)
		err = get_text(run, "body", which);
	if (!err && (!*which || !**which))
		err = error__set(run->err, -EINVAL,
				 "no schedule is given: give its id or its name in 'id'");
	return err;
}

/* The row of that schedule. With `lock`, it is about to be changed. */
static int find(struct step_run *run, bool lock, cJSON **row)
{
	char *which = NULL;
	int err = get_which(run, &which);

	*row = NULL;
	if (!err && lock)
		err = step_run__lock(run);
	if (!err)
		err = schedules__find(step_run__store(run), which, row, run->err);
	free(which);
	return err;
}

/* ------------------------------------------------------------------ answers */

static int set_response(struct step_run *run)
{
	cJSON *response = run->execution->response;
	cJSON *panel = value__copy(run->output);

	cJSON_DeleteItemFromObjectCaseSensitive(response, "type");
	cJSON_DeleteItemFromObjectCaseSensitive(response, "panel_data");
	if (!panel || !cJSON_AddItemToObject(response, "panel_data", panel)) {
		cJSON_Delete(panel);
		return rows__no_memory(run);
	}
	return cJSON_AddStringToObject(response, "type", "schedule") ? 0 : rows__no_memory(run);
}

/* Takes ownership of `row`. */
static int answer(struct step_run *run, const char *action, cJSON *row)
{
	cJSON *output = run->output = cJSON_CreateObject();
	cJSON *id = value__copy(cJSON_GetObjectItemCaseSensitive(row, "id"));

	if (!output || !id || !cJSON_AddStringToObject(output, "action", action) ||
	    !cJSON_AddTrueToObject(output, "success") || !cJSON_AddItemToObject(output, "id", id)) {
		cJSON_Delete(id);
		cJSON_Delete(row);
		return rows__no_memory(run);
	}
	if (cJSON_AddItemToObject(output, "schedule", row))
		return 0;
	cJSON_Delete(row);
	return rows__no_memory(run);
}

/* ------------------------------------------------------------------ create */

struct texts {
	char *name, *command, *recurrence, *timezone; /* owned */
	cJSON *payload;                               /* owned */
};

static int read_number(struct step_run *run, const char *key, int64_t *number)
{
	cJSON *value;
	int err = get(run, key, &value);

	if (err || !value || cJSON_IsNull(value)) {
		cJSON_Delete(value);
		return err;
	}
	if (!integer__of_any(value, number) || *number < 1)
		err = error__set(run->err, -EINVAL, "'%s' must be a whole number from 1", key);
	cJSON_Delete(value);
	return err;
}

static int read_draft(struct step_run *run, struct texts *texts, struct schedule_draft *draft)
{
	int err = get_text(run, "name", &texts->name);

	if (!err)
		err = get_text(run, "command", &texts->command);
	if (!err)
		err = get_text(run, "recurrence", &texts->recurrence);
	if (!err)
		err = get_text(run, "timezone", &texts->timezone);
	if (!err)
		err = get(run, "payload", &texts->payload);
	if (texts->payload)
		texts->payload = step_value__parsed(texts->payload);
	*draft = (struct schedule_draft){.name = texts->name,
					 .command = texts->command,
					 .recurrence = texts->recurrence,
					 .timezone = texts->timezone,
					 .payload = texts->payload};
	return err ? err : read_number(run, "max_runs", &draft->max_runs);
}

static int write_draft(struct step_run *run, const struct schedule_draft *draft, cJSON **row)
{
	struct store *store = step_run__store(run);
	int64_t now_us = run->execution->context.now_us;
	cJSON *values;
	int err = step_run__lock(run);

	if (err)
		return err;
	if (!step_run__is_dry(run)) {
		run->span->mutations_count = 1;
		return schedules__create(store, draft, now_us, row, run->err);
	}
	err = schedules__draft(store, draft, now_us, &values, run->err);
	if (err)
		return err;
	*row = rows__pretended(store__table(store, "schedules"), NULL, values);
	cJSON_Delete(values);
	return *row ? 0 : rows__no_memory(run);
}

static int create(struct step_run *run)
{
	struct texts texts = {.name = NULL};
	struct schedule_draft draft;
	cJSON *row = NULL;
	int err = read_draft(run, &texts, &draft);

	if (!err)
		err = write_draft(run, &draft, &row);
	free(texts.name);
	free(texts.command);
	free(texts.recurrence);
	free(texts.timezone);
	cJSON_Delete(texts.payload);
	return err ? err : answer(run, "create", row);
}

/* ------------------------------------------------------------------ the others */

static int list(struct step_run *run)
{
	struct store *store = step_run__store(run);
	int64_t total;
	cJSON *rows;
	int err = schedules__count(store, &total, run->err);

	if (!err)
		err = schedules__list(store, LIST_MAX, &rows, run->err);
	if (!err)
		err = rows__answer(run, store__table(store, "schedules"), rows);
	if (!err && (!integer__add(run->output, "total", total) ||
		     !cJSON_AddStringToObject(run->output, "action", "list")))
		err = rows__no_memory(run);
	return err;
}

static int detail(struct step_run *run)
{
	cJSON *row, *runs = NULL;
	int64_t id;
	int err = find(run, false, &row);

	if (err)
		return err;
	id = rows__id(row);
	err = answer(run, "detail", row);
	if (!err)
		err = schedules__runs(step_run__store(run), id, SCHEDULE_RUNS_SHOWN, &runs,
				      run->err);
	if (!err && !cJSON_AddItemToObject(run->output, "runs", runs))
		err = rows__no_memory(run);
	return err;
}

static int change(struct step_run *run, const char *action, enum schedule_change change)
{
	cJSON *row;
	int err = find(run, true, &row);

	if (!err)
		err = schedules__change(step_run__store(run), change, step_run__is_dry(run),
					run->execution->context.now_us, &row, run->err);
	if (err) {
		cJSON_Delete(row);
		return err;
	}
	run->span->mutations_count = !step_run__is_dry(run);
	return answer(run, action, row);
}

static int pause_schedule(struct step_run *run)
{
	return change(run, "pause", SCHEDULE_PAUSE);
}

static int resume(struct step_run *run)
{
	return change(run, "resume", SCHEDULE_RESUME);
}

static int delete (struct step_run *run)
{
	cJSON *row;
	int err = find(run, true, &row);

	if (!err && !step_run__is_dry(run))
		err = schedules__delete(step_run__store(run), rows__id(row), run->err);
	if (err) {
		cJSON_Delete(row);
		return err;
	}
	run->span->mutations_count = !step_run__is_dry(run);
	return answer(run, "delete", row);
}

/* ------------------------------------------------------------------ which */

/* The words of this runner, and the classes of the engine that packs were written for. The class
 * for pausing, resuming and deleting is told what to do by the input's `action`, or by the name of
 * the command: schedule-delete. */
static const struct action actions[] = {
	{"create", create},
	{"list", list},
	{"detail", detail},
	{"pause", pause_schedule},
	{"resume", resume},
	{"delete", delete},
	{"ScheduleCreateCommand", create},
	{"ScheduleListCommand", list},
	{"ScheduleDetailCommand", detail},
	{"SchedulePauseCommand", pause_schedule},
	{"ScheduleResumeCommand", resume},
	{"ScheduleDeleteCommand", delete},
};

#define CONTROL_CLASS   "ScheduleControlCommand"
#define CLASS_NAMESPACE "App\\Actions\\Commands\\"

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static const char *last_part(const char *slug)
{
	const char *part = slug;

	for (; *slug; slug++)
		if (*slug == '-' || *slug == '.' || *slug == '_')
			part = slug + 1;
	return part;
}

static int find_controlled(struct step_run *run, const struct action **action)
{
	const cJSON *ctx = cJSON_GetObjectItemCaseSensitive(run->execution->context.root, "ctx");
	const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ctx, "action"));

	if (!word)
		word = last_part(run->execution->pack->slug);
	*action = find_action(word);
	if (*action && ((*action)->run == pause_schedule || (*action)->run == resume ||
			(*action)->run == delete))
		return 0;
	return error__set(run->err, -EINVAL,
			  "what to do with the schedule? give pause, resume or delete in 'action', "
			  "not '%.64s'",
			  word);
}

static int choose(struct step_run *run, const struct action **action)
{
	const char *class;
	char *name;
	int err = step_run__text(run, "action", &name);

	if (err)
		return err;
	if (!name)
		return error__set(run->err, -EINVAL, "'action' is missing");
	class = name + (*name == '\\');
	if (strncmp(class, CLASS_NAMESPACE, strlen(CLASS_NAMESPACE)) == 0)
		class += strlen(CLASS_NAMESPACE);
	if (strcmp(class, CONTROL_CLASS) == 0) {
		err = find_controlled(run, action);
	} else {
		*action = find_action(class);
		if (!*action)
			err = error__set(run->err, -EINVAL,
					 "unknown action '%.100s': create, list, detail, pause, "
					 "resume or delete",
					 name);
	}
	free(name);
	return err;
}

static int run(struct step_run *run)
{
	const struct action *action = NULL;
	int err = choose(run, &action);

	if (!err)
		err = action->run(run);
	return err ? err : set_response(run);
}

static const char *const keys[] = {"action",   "id",      "name",     "command", "recurrence",
				   "timezone", "payload", "max_runs", NULL};

const struct step_type step_action = {
	.name = "action",
	.event_name = "ActionStep",
	.keys = keys,
	.run = run,
};
