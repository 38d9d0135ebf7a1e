// SPDX-License-Identifier: BSD-2-Clause
#include "runner/schedule/schedule_claims.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "runner/schedule/schedules.h"
#include "runner/store/store_row.h"
#include "runner/store/store_where.h"
#include "runner/value/time_text.h"

static int no_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "out of memory");
}

static int update_schedule(struct store *store, int64_t id, cJSON *values, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, store__table(store, "schedules"), err);
	store_where__number(&where, "id", "=", id);
	return store_where__update(&where, store, values, NULL);
}

/* Of schedules that cannot be planned for now, so many are passed over. */
enum { DUE_TRIED = 100 };

/* ------------------------------------------------------------------ what is due */

static int find_due(struct store *store, int64_t now_us, int64_t limit, cJSON **rows,
		    struct error *err)
{
	struct store_where where;
	char now[TIME_TEXT_BYTES];

	time_text__write(now_us, now);
	store_where__begin(&where, store__table(store, "schedules"), err);
	store_where__text(&where, "status", "=", "active");
	store_where__text(&where, "next_run_at", "<=", now);
	store_where__order(&where, "next_run_at");
	return store_where__all(&where, store, limit, rows);
}

/* A run that a user asked for. */
static int find_queued(struct store *store, cJSON **row, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, store__table(store, "schedule_runs"), err);
	store_where__text(&where, "status", "=", "queued");
	return store_where__first(&where, store, row);
}

/* ------------------------------------------------------------------ a planned run */

static cJSON *plan_values(const cJSON *schedule, const int64_t *next_us, const int64_t *last_us,
			  int64_t now_us)
{
	cJSON *values = cJSON_CreateObject();

	if (values && integer__add(values, "run_count", store_row__number(schedule, "run_count")) &&
	    cJSON_AddStringToObject(values, "status", next_us ? "active" : "completed") &&
	    (next_us ? store_row__add_time(values, "next_run_at", *next_us)
		     : cJSON_AddNullToObject(values, "next_run_at") != NULL) &&
	    (!last_us || store_row__add_time(values, "last_run_at", *last_us)) &&
	    store_row__add_time(values, "updated_at", now_us))
		return values;
	cJSON_Delete(values);
	return NULL;
}

/* `schedule` has the count of this run by now. `last_us` NULL: it did not run. */
static int plan_next(struct store *store, cJSON *schedule, int64_t planned_us, int64_t now_us,
		     const int64_t *last_us, struct error *err)
{
	int64_t next_us = 0, after_us = planned_us > now_us ? planned_us : now_us;
	bool has_next = false;
	struct error why = {0};
	int code = schedules__plan(schedule, after_us, &next_us, &has_next, &why);

	if (code == -EINVAL)
		return schedules__give_up(store, schedule, now_us, &why, err);
	if (code) /* not the fault of the row: memory, or the data of the zones */
		return error__set(err, code, "%s", why.text);
	return update_schedule(store, store_row__number(schedule, "id"),
			       plan_values(schedule, has_next ? &next_us : NULL, last_us, now_us),
			       err);
}

static int count_run(cJSON *schedule, struct error *err)
{
	int64_t count = store_row__number(schedule, "run_count");

	count += count < INT64_MAX; /* another program may have written any number */
	cJSON_DeleteItemFromObjectCaseSensitive(schedule, "run_count");
	return integer__add(schedule, "run_count", count) ? 0 : no_memory(err);
}

/* Inserts the run. -EEXIST: it is there already. */
static int insert_run(struct store *store, const struct claimant *claimant, int64_t now_us,
		      const char *correlation_id, struct schedule_claim *claim, struct error *err)
{
	cJSON *values = cJSON_CreateObject();
	int code;

	if (!values || !claim__fill(values, claimant) ||
	    !integer__add(values, "schedule_id", claim->schedule_id) ||
	    !store_row__add_time(values, "planned_run_at", claim->planned_us) ||
	    !cJSON_AddStringToObject(values, "correlation_id", correlation_id) ||
	    !store_row__add_time(values, "started_at", now_us) ||
	    !store_row__add_time(values, "created_at", now_us) ||
	    !store_row__add_time(values, "updated_at", now_us))
		code = no_memory(err);
	else
		code = store__insert(store, store__table(store, "schedule_runs"), values,
				     &claim->run_id, err);
	cJSON_Delete(values);
	return code;
}

static int has_run(struct store *store, const struct schedule_claim *claim, bool *has,
		   struct error *err)
{
	struct store_where where;
	char planned[TIME_TEXT_BYTES];
	cJSON *run;
	int code;

	time_text__write(claim->planned_us, planned);
	store_where__begin(&where, store__table(store, "schedule_runs"), err);
	store_where__number(&where, "schedule_id", "=", claim->schedule_id);
	store_where__text(&where, "planned_run_at", "=", planned);
	code = store_where__first(&where, store, &run);
	*has = run != NULL;
	cJSON_Delete(run);
	return code;
}

/* The run cannot be inserted: either it is there already, or another program has changed the
 * table. */
static int skip_due(struct store *store, int64_t now_us, const struct schedule_claim *claim,
		    const struct error *why, struct error *err)
{
	bool has;
	int code = has_run(store, claim, &has, err);

	if (code)
		return code;
	if (!has)
		return schedules__give_up(store, claim->schedule, now_us, why, err);
	log__warn("the schedule '%.*s' has had its run of %s: the clock was set back, or "
		  "next_run_at was changed",
		  SCHEDULE_NAME_BYTES_MAX, store_row__text(claim->schedule, "name"),
		  store_row__text(claim->schedule, "next_run_at"));
	return plan_next(store, claim->schedule, claim->planned_us, now_us, NULL, err);
}

/* The data of its zone cannot be read, for example: nothing is wrong with the schedule, which stays
 * due. *why says what it is. */
static bool cannot_be_planned_now(const struct schedule_claim *claim, int64_t now_us,
				  struct error *why)
{
	int64_t next_us;
	bool has_next;
	int code = schedules__plan(claim->schedule, now_us, &next_us, &has_next, why);

	return code && code != -EINVAL;
}

/* Claims a run of claim->schedule, which is due. */
static int claim_run(struct store *store, const struct claimant *claimant, int64_t now_us,
		     const char *correlation_id, struct schedule_claim *claim, bool *found,
		     struct error *err)
{
	struct error why = {0};
	int code;

	claim->schedule_id = store_row__number(claim->schedule, "id");
	if (store_row__time(claim->schedule, "next_run_at", &claim->planned_us)) {
		error__set(&why, -EINVAL, "next_run_at is not a time");
		return schedules__give_up(store, claim->schedule, now_us, &why, err);
	}
	code = insert_run(store, claimant, now_us, correlation_id, claim, &why);
	if (code == -EEXIST)
		return skip_due(store, now_us, claim, &why, err);
	if (code)
		return error__set(err, code, "%s", why.text);
	*found = true;
	code = count_run(claim->schedule, err);
	return code ? code
		    : plan_next(store, claim->schedule, claim->planned_us, now_us, &now_us, err);
}

/* In a transaction: the first run that is due and can be planned. If there are only others, the
 * error is what is wrong with the first of them, and *is_blocked is true. */
static int claim_due(struct store *store, const struct claimant *claimant, int64_t now_us,
		     const char *correlation_id, struct schedule_claim *claim, bool *found,
		     bool *is_blocked, struct error *err)
{
	struct error why;
	cJSON *rows;
	int code = find_due(store, now_us, DUE_TRIED, &rows, err);
	bool is_done = false;

	*is_blocked = false;
	while (!code && !is_done && (claim->schedule = cJSON_DetachItemFromArray(rows, 0))) {
		is_done = !cannot_be_planned_now(claim, now_us, &why);
		if (is_done)
			code = claim_run(store, claimant, now_us, correlation_id, claim, found,
					 err);
		else if (!*is_blocked)
			error__set(err, -EIO, "%s", why.text);
		*is_blocked = *is_blocked || !is_done;
		if (!*found)
			schedule_claim__free(claim);
	}
	*is_blocked = *is_blocked && !is_done;
	cJSON_Delete(rows);
	return code;
}

/* ------------------------------------------------------------------ a run that was asked for */

static cJSON *end_values(int64_t now_us, const char *category)
{
	cJSON *values = cJSON_CreateObject();

	if (values &&
	    cJSON_AddStringToObject(values, "status", category ? "failed" : "completed") &&
	    (category ? cJSON_AddStringToObject(values, "error_category", category)
		      : cJSON_AddNullToObject(values, "error_category")) &&
	    store_row__add_time(values, "completed_at", now_us) &&
	    store_row__add_time(values, "updated_at", now_us))
		return values;
	cJSON_Delete(values);
	return NULL;
}

/* Only a program that does not check foreign keys leaves such a run. It would come first again and
 * again. */
static int end_orphan(struct store *store, const struct claimant *claimant, int64_t now_us,
		      int64_t run_id, bool *found, struct error *err)
{
	bool is_ours;

	*found = false;
	log__warn("run %" PRId64 " has no schedule, and is marked as failed", run_id);
	return claim__end(store, store__table(store, "schedule_runs"), run_id,
			  end_values(now_us, "not_found"), claimant, &is_ours, err);
}

static int claim_queued(struct store *store, const struct claimant *claimant, int64_t now_us,
			const char *correlation_id, struct schedule_claim *claim, bool *found,
			struct error *err)
{
	cJSON *run, *values = NULL;
	int code = find_queued(store, &run, err);

	if (code || !run)
		return code;
	claim->run_id = store_row__number(run, "id");
	claim->schedule_id = store_row__number(run, "schedule_id");
	if (store_row__time(run, "planned_run_at", &claim->planned_us))
		claim->planned_us = now_us;
	cJSON_Delete(run);
	values = cJSON_CreateObject();
	if (!values || !cJSON_AddStringToObject(values, "correlation_id", correlation_id) ||
	    !store_row__add_time(values, "started_at", now_us) ||
	    !store_row__add_time(values, "updated_at", now_us)) {
		cJSON_Delete(values);
		return no_memory(err);
	}
	code = claim__take(store, store__table(store, "schedule_runs"), claim->run_id, "queued",
			   values, claimant, found, err);
	if (!code && *found)
		code = store__get(store, store__table(store, "schedules"), claim->schedule_id,
				  &claim->schedule, err);
	return code == -ENOENT ? end_orphan(store, claimant, now_us, claim->run_id, found, err)
			       : code;
}

/* ------------------------------------------------------------------ claims */

/* Looks without the lock of the database first: most of the time there is nothing to do. */
static int look(struct store *store, int64_t now_us, bool *is_any, struct error *err)
{
	cJSON *rows, *row = NULL;
	int code = find_due(store, now_us, 1, &rows, err);

	*is_any = cJSON_GetArraySize(rows) > 0;
	cJSON_Delete(rows);
	if (code || *is_any)
		return code;
	code = find_queued(store, &row, err);
	*is_any = row != NULL;
	cJSON_Delete(row);
	return code;
}

/* In a transaction. What is due comes first. */
static int claim_any(struct store *store, const struct claimant *claimant, int64_t now_us,
		     const char *correlation_id, struct schedule_claim *claim, bool *found,
		     bool *is_blocked, struct error *err)
{
	struct error why = {0};
	int code =
		claim_due(store, claimant, now_us, correlation_id, claim, found, is_blocked, &why);

	if (code)
		return error__set(err, code, "%s", why.text);
	if (!*found)
		code = claim_queued(store, claimant, now_us, correlation_id, claim, found, err);
	if (!code && !*found && *is_blocked)
		error__set(err, -EIO, "%s", why.text);
	return code;
}

int schedule_claim__take(struct store *store, const struct claimant *claimant, int64_t now_us,
			 const char *correlation_id, struct schedule_claim *claim, bool *found,
			 struct error *err)
{
	bool is_any, is_blocked = false;
	int code = look(store, now_us, &is_any, err);

	*claim = (struct schedule_claim){.schedule = NULL};
	*found = false;
	if (code || !is_any)
		return code;
	code = store__begin(store, err);
	if (code)
		return code;
	code = claim_any(store, claimant, now_us, correlation_id, claim, found, &is_blocked, err);
	code = store__end(store, code, err);
	if (code || !*found) {
		*found = false;
		schedule_claim__free(claim);
	}
	return !code && !*found && is_blocked ? -EIO : code;
}

void schedule_claim__free(struct schedule_claim *claim)
{
	cJSON_Delete(claim->schedule);
	claim->schedule = NULL;
}

/* ------------------------------------------------------------------ ends */

/* The schedule whose last run failed has failed. */
static int fail_schedule(struct store *store, int64_t schedule_id, int64_t now_us,
			 struct error *err)
{
	struct store_where where;
	cJSON *values = cJSON_CreateObject();

	if (!values || !cJSON_AddStringToObject(values, "status", "failed") ||
	    !store_row__add_time(values, "updated_at", now_us)) {
		cJSON_Delete(values);
		return no_memory(err);
	}
	store_where__begin(&where, store__table(store, "schedules"), err);
	store_where__number(&where, "id", "=", schedule_id);
	store_where__text(&where, "status", "=", "completed");
	return store_where__update(&where, store, values, NULL);
}

static int end_in_transaction(struct store *store, const struct claimant *claimant,
			      const struct schedule_claim *claim, int64_t now_us,
			      const char *category, bool *is_ours, struct error *err)
{
	int code = claim__end(store, store__table(store, "schedule_runs"), claim->run_id,
			      end_values(now_us, category), claimant, is_ours, err);

	if (code || !*is_ours || !category)
		return code;
	return fail_schedule(store, claim->schedule_id, now_us, err);
}

int schedule_claim__end(struct store *store, const struct claimant *claimant,
			const struct schedule_claim *claim, int64_t now_us, const char *category,
			bool *is_ours, struct error *err)
{
	int code = store__begin(store, err);

	*is_ours = false;
	if (code)
		return code;
	code = end_in_transaction(store, claimant, claim, now_us, category, is_ours, err);
	return store__end(store, code, err);
}

struct ending {
	int64_t now_us;
	size_t count;
};

static int end_expired(void *context, struct store *store, const cJSON *row, struct error *err)
{
	struct ending *ending = context;
	int code = claim__end_expired(store, store__table(store, "schedule_runs"), row,
				      end_values(ending->now_us, "aborted"), err);

	ending->count += !code;
	if (code)
		return code;
	return fail_schedule(store, store_row__number(row, "schedule_id"), ending->now_us, err);
}

int schedule_claims__fail_expired(struct store *store, const struct claimant *claimant,
				  int64_t now_us, size_t *count, struct error *err)
{
	struct ending ending = {.now_us = now_us};
	int code = claim__end_all_expired(store, store__table(store, "schedule_runs"), claimant,
					  end_expired, &ending, err);

	*count = code ? 0 : ending.count;
	return code;
}
