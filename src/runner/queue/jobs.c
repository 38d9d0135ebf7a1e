// SPDX-License-Identifier: BSD-2-Clause
#include "runner/queue/jobs.h"

#include <errno.h>
#include <string.h>

#include "runner/store/store_row.h"
#include "runner/store/store_where.h"
#include "runner/value/time_text.h"

static int no_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "out of memory");
}

static const struct store_table *jobs(struct store *store)
{
	return store__table(store, "jobs");
}

/* ------------------------------------------------------------------ claims */

/* The caller deletes the list; NULL: all queues. */
static int list_queues(const struct job_queues *queues, cJSON **list, struct error *err)
{
	*list = queues->count ? cJSON_CreateStringArray(queues->names, (int)queues->count) : NULL;
	return queues->count && !*list ? no_memory(err) : 0;
}

static int find_due(struct store *store, const struct job_queues *queues, int64_t now_us,
		    cJSON **row, struct error *err)
{
	struct store_where where;
	char now[TIME_TEXT_BYTES];
	cJSON *names;
	int code = list_queues(queues, &names, err);

	*row = NULL;
	if (code)
		return code;
	time_text__write(now_us, now);
	store_where__begin(&where, jobs(store), err);
	store_where__text(&where, "status", "=", "queued");
	store_where__text(&where, "available_at", "<=", now);
	if (names)
		store_where__in(&where, "queue", names);
	store_where__order(&where, "available_at");
	code = store_where__first(&where, store, row);
	cJSON_Delete(names);
	return code;
}

/* Another program may have written any number. */
static int64_t next_attempt(const cJSON *row)
{
	int64_t attempts = store_row__number(row, "attempts");

	if (attempts < 0)
		return 1;
	return attempts < INT32_MAX ? attempts + 1 : INT32_MAX;
}

/* In a transaction. */
static int claim_due(struct store *store, const struct claimant *claimant,
		     const struct job_queues *queues, int64_t now_us, struct job_claim *claim,
		     bool *found, struct error *err)
{
	cJSON *values;
	int code = find_due(store, queues, now_us, &claim->row, err);

	if (code || !claim->row)
		return code; /* another process was faster */
	claim->id = store_row__number(claim->row, "id");
	claim->attempt = next_attempt(claim->row);
	if (store_row__time(claim->row, "available_at", &claim->runnable_us))
		claim->runnable_us = now_us;
	values = cJSON_CreateObject();
	if (!values || !integer__add(values, "attempts", claim->attempt) ||
	    !store_row__add_time(values, "claimed_at", now_us) ||
	    !store_row__add_time(values, "updated_at", now_us)) {
		cJSON_Delete(values);
		return no_memory(err);
	}
	return claim__take(store, jobs(store), claim->id, "queued", values, claimant, found, err);
}

int job_claim__take(struct store *store, const struct claimant *claimant,
		    const struct job_queues *queues, int64_t now_us, struct job_claim *claim,
		    bool *found, struct error *err)
{
	cJSON *row;
	int code = find_due(store, queues, now_us, &row, err);
	bool is_due = row != NULL;

	*claim = (struct job_claim){.row = NULL};
	*found = false;
	cJSON_Delete(row);
	if (code || !is_due)
		return code; /* without the lock of the database: mostly there is nothing to do */
	code = store__begin(store, err);
	if (code)
		return code;
	code = claim_due(store, claimant, queues, now_us, claim, found, err);
	code = store__end(store, code, err);
	if (code || !*found) {
		*found = false;
		job_claim__free(claim);
	}
	return code;
}

void job_claim__free(struct job_claim *claim)
{
	cJSON_Delete(claim->row);
	claim->row = NULL;
}

/* ------------------------------------------------------------------ ends */

static int64_t pause_us(int64_t attempt)
{
	int64_t pause_s = JOB_PAUSE_S;

	while (--attempt > 0 && pause_s < JOB_PAUSE_S_MAX)
		pause_s *= 2;
	return (pause_s < JOB_PAUSE_S_MAX ? pause_s : JOB_PAUSE_S_MAX) * 1000000;
}

static enum job_end end_of(const cJSON *row, int64_t attempt, const char *category)
{
	int64_t max_attempts = store_row__number(row, "max_attempts");

	if (!category)
		return JOB_COMPLETED;
	return attempt < max_attempts ? JOB_RETRY : JOB_DEAD;
}

static cJSON *end_values(enum job_end how, int64_t attempt, int64_t now_us, const char *category)
{
	static const char *const statuses[] = {
		[JOB_COMPLETED] = "completed", [JOB_RETRY] = "queued", [JOB_DEAD] = "dead"};
	cJSON *values = cJSON_CreateObject();

	if (values && cJSON_AddStringToObject(values, "status", statuses[how]) &&
	    (category ? cJSON_AddStringToObject(values, "error_category", category)
		      : cJSON_AddNullToObject(values, "error_category")) &&
	    (how == JOB_RETRY
		     ? store_row__add_time(values, "available_at", now_us + pause_us(attempt))
		     : store_row__add_time(values, "finished_at", now_us)) &&
	    store_row__add_time(values, "updated_at", now_us))
		return values;
	cJSON_Delete(values);
	return NULL;
}

int job_claim__end(struct store *store, const struct claimant *claimant,
		   const struct job_claim *claim, int64_t now_us, const char *category,
		   enum job_end *how, bool *is_ours, struct error *err)
{
	*how = end_of(claim->row, claim->attempt, category);
	return claim__end(store, jobs(store), claim->id,
			  end_values(*how, claim->attempt, now_us, category), claimant, is_ours,
			  err);
}

struct ending {
	int64_t now_us;
	size_t count, dead_count;
};

static int end_expired(void *context, struct store *store, const cJSON *row, struct error *err)
{
	struct ending *ending = context;
	int64_t attempt = store_row__number(row, "attempts");
	enum job_end how = end_of(row, attempt, "aborted");

	ending->count++;
	ending->dead_count += how == JOB_DEAD;
	return claim__end_expired(store, jobs(store), row,
				  end_values(how, attempt, ending->now_us, "aborted"), err);
}

int jobs__end_expired(struct store *store, const struct claimant *claimant, int64_t now_us,
		      size_t *count, size_t *dead_count, struct error *err)
{
	struct ending ending = {.now_us = now_us};
	int code = claim__end_all_expired(store, jobs(store), claimant, end_expired, &ending, err);

	*count = code ? 0 : ending.count;
	*dead_count = code ? 0 : ending.dead_count;
	return code;
}

/* ------------------------------------------------------------------ jobs without a time */

static void begin_timeless(struct store_where *where, struct store *store, struct error *err)
{
	store_where__begin(where, jobs(store), err);
	store_where__timeless(where, "queued", "available_at");
}

int jobs__set_missing_times(struct store *store, int64_t now_us, size_t *count, struct error *err)
{
	cJSON *values;
	struct store_where where;
	int64_t changed;
	int code;

	*count = 0;
	begin_timeless(&where, store, err);
	code = store_where__count(&where, store, &changed);
	if (code || !changed)
		return code; /* without the lock of the database */
	values = cJSON_CreateObject();
	if (values && !store_row__add_time(values, "available_at", now_us)) {
		cJSON_Delete(values);
		values = NULL;
	}
	begin_timeless(&where, store, err);
	code = store_where__update(&where, store, values, &changed);
	*count = code ? 0 : (size_t)changed;
	return code;
}

/* ------------------------------------------------------------------ counting */

int jobs__count_open(struct store *store, const struct job_queues *queues, int64_t *count,
		     struct error *err)
{
	static const char *const open[] = {"queued", "running"};
	cJSON *statuses = cJSON_CreateStringArray(open, 2), *names = NULL;
	struct store_where where;
	int code = statuses ? list_queues(queues, &names, err) : no_memory(err);

	if (!code) {
		store_where__begin(&where, jobs(store), err);
		store_where__in(&where, "status", statuses);
		if (names)
			store_where__in(&where, "queue", names);
		code = store_where__count(&where, store, count);
	}
	cJSON_Delete(statuses);
	cJSON_Delete(names);
	return code;
}
