// SPDX-License-Identifier: BSD-2-Clause
#include "runner/schedule/schedules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "runner/pack/pack.h"
#include "runner/recur/recurrence.h"
#include "runner/store/store_row.h"
#include "runner/store/store_where.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

enum { TIMELESS_MAX = 100 }; /* at a time */

static int no_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "out of memory");
}

static const struct store_table *schedules(struct store *store)
{
	return store__table(store, "schedules");
}

/* NULL becomes null. */
static bool set_time(cJSON *values, const char *column, const int64_t *us)
{
	return us ? store_row__add_time(values, column, *us)
		  : cJSON_AddNullToObject(values, column) != NULL;
}

/* ------------------------------------------------------------------ planning */

static int plan(const char *recurrence_text, const char *zone_name, int64_t after_us,
		int64_t *next_us, bool *has_next, struct error *err)
{
	struct recurrence recurrence;
	struct zone *zone;
	int code = recurrence__parse(&recurrence, recurrence_text, err);

	if (code)
		return code;
	code = zone__open(zone_name, &zone, err);
	if (code)
		return code;
	code = recurrence__next(&recurrence, zone, after_us, next_us, err);
	zone__close(zone);
	*has_next = code == 0;
	return code == -ENOENT ? 0 : code;
}

/* A schedule that has begun all its runs has no next one. */
int schedules__plan(const cJSON *row, int64_t after_us, int64_t *next_us, bool *has_next,
		    struct error *err)
{
	int64_t max_runs = store_row__number(row, "max_runs");

	if (max_runs > 0 && store_row__number(row, "run_count") >= max_runs) {
		*has_next = false;
		return 0;
	}
	return plan(store_row__text(row, "recurrence"), store_row__text(row, "timezone"), after_us,
		    next_us, has_next, err);
}

/* ------------------------------------------------------------------ creating */

static int check_draft(const struct schedule_draft *draft, struct error *err)
{
	const char *command = draft->command;
	int64_t id;

	if (!draft->name || !*draft->name)
		return error__set(err, -EINVAL, "the schedule has no name");
	if (strlen(draft->name) > SCHEDULE_NAME_BYTES_MAX)
		return error__set(err, -EINVAL, "the name of a schedule has at most %d bytes",
				  SCHEDULE_NAME_BYTES_MAX);
	if (foreign_text__check(draft->name, strlen(draft->name), "the name", err))
		return -EINVAL;
	if (integer__read(draft->name, strlen(draft->name), &id) != INTEGER_NONE)
		return error__set(err, -EINVAL,
				  "the name '%s' would be taken for an id: add a letter",
				  draft->name);
	if (!command || !*command)
		return error__set(err, -EINVAL, "the schedule has no command");
	if (!pack__is_slug(command))
		return error__set(err, -EINVAL, "'%.64s' is not the slug of a command", command);
	if (!draft->recurrence)
		return error__set(err, -EINVAL,
				  "the schedule has no recurrence, such as daily_at:08:30");
	if (draft->payload && !cJSON_IsObject(draft->payload))
		return error__set(err, -EINVAL, "the payload of a schedule must be a map");
	if (draft->max_runs < 0)
		return error__set(err, -EINVAL, "max_runs must be a number from 1, or missing");
	return 0;
}

static bool fill_draft(cJSON *values, const struct schedule_draft *draft, int64_t now_us,
		       int64_t next_us)
{
	cJSON *payload = draft->payload ? value__copy(draft->payload) : cJSON_CreateObject();

	if (!payload || !cJSON_AddItemToObject(values, "payload", payload)) {
		cJSON_Delete(payload);
		return false;
	}
	return cJSON_AddStringToObject(values, "name", draft->name) &&
	       cJSON_AddStringToObject(values, "command_slug", draft->command) &&
	       cJSON_AddStringToObject(values, "recurrence", draft->recurrence) &&
	       cJSON_AddStringToObject(values, "timezone",
				       draft->timezone ? draft->timezone : "UTC") &&
	       cJSON_AddStringToObject(values, "status", "active") &&
	       cJSON_AddNumberToObject(values, "run_count", 0) &&
	       set_time(values, "next_run_at", &next_us) &&
	       (draft->max_runs ? integer__add(values, "max_runs", draft->max_runs)
				: cJSON_AddNullToObject(values, "max_runs") != NULL) &&
	       set_time(values, "created_at", &now_us) && set_time(values, "updated_at", &now_us);
}

static int check_name(struct store *store, const char *name, struct error *err)
{
	struct store_where where;
	cJSON *row;
	int code;

	store_where__begin(&where, schedules(store), err);
	store_where__text(&where, "name", "=", name);
	code = store_where__first(&where, store, &row);
	if (row)
		code = error__set(err, -EEXIST, "there is a schedule '%s' already", name);
	cJSON_Delete(row);
	return code;
}

int schedules__draft(struct store *store, const struct schedule_draft *draft, int64_t now_us,
		     cJSON **values, struct error *err)
{
	int64_t next_us = 0;
	bool has_next = false;
	int code = check_draft(draft, err);

	*values = NULL;
	if (!code)
		code = plan(draft->recurrence, draft->timezone ? draft->timezone : "UTC", now_us,
			    &next_us, &has_next, err);
	if (!code && !has_next)
		code = error__set(err, -EINVAL, "'%s' is over: it would never run",
				  draft->recurrence);
	if (!code)
		code = check_name(store, draft->name, err);
	if (code)
		return code;
	*values = cJSON_CreateObject();
	if (*values && fill_draft(*values, draft, now_us, next_us))
		return 0;
	cJSON_Delete(*values);
	*values = NULL;
	return no_memory(err);
}

int schedules__create(struct store *store, const struct schedule_draft *draft, int64_t now_us,
		      cJSON **row, struct error *err)
{
	cJSON *values;
	int64_t id;
	int code = schedules__draft(store, draft, now_us, &values, err);

	*row = NULL;
	if (!code)
		code = store__insert(store, schedules(store), values, &id, err);
	if (!code)
		code = store__get(store, schedules(store), id, row, err);
	cJSON_Delete(values);
	return code;
}

/* ------------------------------------------------------------------ reading */

int schedules__find(struct store *store, const char *which, cJSON **row, struct error *err)
{
	struct store_where where;
	int64_t id;
	int code;

	*row = NULL;
	if (integer__read(which, strlen(which), &id) == INTEGER_READ) {
		code = store__get(store, schedules(store), id, row, err);
	} else {
		store_where__begin(&where, schedules(store), err);
		store_where__text(&where, "name", "=", which);
		code = store_where__first(&where, store, row);
	}
	if (*row || (code && code != -ENOENT))
		return code;
	return error__set(err, -ENOENT, "there is no schedule '%.200s'", which);
}

int schedules__list(struct store *store, int64_t limit, cJSON **rows, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, schedules(store), err);
	store_where__order(&where, "name");
	return store_where__all(&where, store, limit, rows);
}

int schedules__count(struct store *store, int64_t *count, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, schedules(store), err);
	return store_where__count(&where, store, count);
}

int schedules__runs(struct store *store, int64_t id, int64_t limit, cJSON **rows, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, store__table(store, "schedule_runs"), err);
	store_where__number(&where, "schedule_id", "=", id);
	store_where__order(&where, "id desc");
	return store_where__all(&where, store, limit, rows);
}

/* ------------------------------------------------------------------ changing */

static int write_row(struct store *store, cJSON **row, cJSON *values, struct error *err)
{
	struct store_where where;
	int64_t id = store_row__number(*row, "id");
	int code;

	store_where__begin(&where, schedules(store), err);
	store_where__number(&where, "id", "=", id);
	code = store_where__update(&where, store, values, NULL);
	if (code)
		return code;
	cJSON_Delete(*row);
	*row = NULL;
	code = store__get(store, schedules(store), id, row, err);
	return code == -ENOENT ? error__set(err, code, "the schedule is deleted") : code;
}

/* Puts the values into the row, as the database would. Takes ownership of `values`. */
static int pretend(cJSON *row, cJSON *values, struct error *err)
{
	for (cJSON *value = values ? values->child : NULL; value; value = values->child) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(row, value->string);

		/* Not by name: cJSON frees the name of the new item before it reads the name. */
		cJSON_DetachItemViaPointer(values, value);
		if (!old || !cJSON_ReplaceItemViaPointer(row, old, value))
			cJSON_Delete(value);
	}
	cJSON_Delete(values);
	return values ? 0 : no_memory(err);
}

static cJSON *changed_values(const char *status, const int64_t *next_us, int64_t now_us)
{
	cJSON *values = cJSON_CreateObject();

	if (values && cJSON_AddStringToObject(values, "status", status) &&
	    set_time(values, "next_run_at", next_us) && set_time(values, "updated_at", &now_us))
		return values;
	cJSON_Delete(values);
	return NULL;
}

/* What was missed while it was paused is not run. */
static int plan_again(const cJSON *row, int64_t now_us, int64_t *next_us, struct error *err)
{
	bool has_next = false;
	int code = schedules__plan(row, now_us, next_us, &has_next, err);

	if (code || has_next)
		return code;
	return error__set(err, -EINVAL, "the schedule '%s' has no further run",
			  store_row__text(row, "name"));
}

/* One that has failed, too, may be resumed: its reason may be gone. */
static int check_change(const cJSON *row, enum schedule_change change, struct error *err)
{
	const char *status = store_row__text(row, "status");

	if (strcmp(status, change == SCHEDULE_PAUSE ? "active" : "paused") == 0 ||
	    (change == SCHEDULE_RESUME && strcmp(status, "failed") == 0))
		return 0;
	return error__set(err, -EINVAL, "the schedule '%s' is not %s, but %s",
			  store_row__text(row, "name"),
			  change == SCHEDULE_PAUSE ? "active" : "paused", status);
}

int schedules__change(struct store *store, enum schedule_change change, bool is_dry, int64_t now_us,
		      cJSON **row, struct error *err)
{
	int64_t next_us;
	cJSON *values;
	int code = check_change(*row, change, err);

	if (code)
		return code;
	if (change == SCHEDULE_RESUME)
		code = plan_again(*row, now_us, &next_us, err);
	if (code)
		return code;
	values = change == SCHEDULE_PAUSE ? changed_values("paused", NULL, now_us)
					  : changed_values("active", &next_us, now_us);
	return is_dry ? pretend(*row, values, err) : write_row(store, row, values, err);
}

int schedules__delete(struct store *store, int64_t id, struct error *err)
{
	struct store_query query;
	struct integer_value number;
	int64_t count;
	int code;

	store_query__init(&query, schedules(store));
	code = store_query__add(&query, "id", "=", integer__fill(&number, id), NULL, err);
	if (!code)
		code = store__delete(store, &query, &count, err);
	store_query__free(&query);
	return code;
}

int schedules__run_now(struct store *store, const cJSON *row, int64_t now_us, cJSON **run,
		       struct error *err)
{
	const struct store_table *runs = store__table(store, "schedule_runs");
	cJSON *values = cJSON_CreateObject();
	int64_t id;
	int code = 0;

	*run = NULL;
	if (!values || !integer__add(values, "schedule_id", store_row__number(row, "id")) ||
	    !set_time(values, "planned_run_at", &now_us) ||
	    !cJSON_AddStringToObject(values, "status", "queued") ||
	    !set_time(values, "created_at", &now_us) || !set_time(values, "updated_at", &now_us))
		code = no_memory(err);
	if (!code)
		code = store__insert(store, runs, values, &id, err);
	if (code == -EEXIST)
		error__set(err, code, "the schedule '%s' has a run of this moment already",
			   store_row__text(row, "name"));
	if (!code)
		code = store__get(store, runs, id, run, err);
	cJSON_Delete(values);
	return code;
}

/* ------------------------------------------------------------------ giving up */

int schedules__give_up(struct store *store, const cJSON *row, int64_t now_us,
		       const struct error *why, struct error *err)
{
	struct store_where where;

	log__warn("the schedule '%.*s' cannot be planned, and is marked as failed: %s",
		  SCHEDULE_NAME_BYTES_MAX, store_row__text(row, "name"), why->text);
	store_where__begin(&where, schedules(store), err);
	store_where__number(&where, "id", "=", store_row__number(row, "id"));
	return store_where__update(&where, store, changed_values("failed", NULL, now_us), NULL);
}

static int find_timeless(struct store *store, cJSON **rows, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, schedules(store), err);
	store_where__timeless(&where, "active", "next_run_at");
	return store_where__all(&where, store, TIMELESS_MAX, rows);
}

/* In a transaction: users may have changed the rows since the first look. */
static int give_up_found(struct store *store, int64_t now_us, struct error *err)
{
	struct error why;
	const cJSON *row;
	cJSON *rows;
	int code = find_timeless(store, &rows, err);

	error__set(&why, -EINVAL, "next_run_at is not a time");
	cJSON_ArrayForEach (row, rows)
		if (!code)
			code = schedules__give_up(store, row, now_us, &why, err);
	cJSON_Delete(rows);
	return code;
}

int schedules__give_up_timeless(struct store *store, int64_t now_us, struct error *err)
{
	cJSON *rows;
	int code = find_timeless(store, &rows, err);
	bool is_any = cJSON_GetArraySize(rows) > 0;

	cJSON_Delete(rows);
	if (code || !is_any)
		return code;
	code = store__begin(store, err);
	if (code)
		return code;
	code = give_up_found(store, now_us, err);
	return store__end(store, code, err);
}
