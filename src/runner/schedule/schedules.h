/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of schedules, as users change it. A schedule executes a command again and again, or
 * once (recurrence.h). `next_run_at` is the next planned time; null: there is none.
 *
 *	active		runs at next_run_at
 *	paused		does not run; resuming plans from then on
 *	completed	all runs have begun
 *	failed		the last run failed, or the recurrence cannot be planned
 *
 * Rows and lists are trees that the caller deletes. Functions return 0, -EINVAL (a value is not
 * valid), -ENOENT (no such schedule), -EEXIST (the name is taken), or the errors of store.h, with a
 * sentence. Times are microseconds since 1970. The caller has begun a transaction where a function
 * changes rows.
 */
#ifndef STEPTRACE_RUNNER_SCHEDULES_H
#define STEPTRACE_RUNNER_SCHEDULES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/store/store.h"

enum { SCHEDULE_NAME_BYTES_MAX = 200, SCHEDULE_RUNS_SHOWN = 20 };

struct schedule_draft {
	const char *name, *command, *recurrence;
	const char *timezone; /* NULL: UTC */
	const cJSON *payload; /* an object; NULL: an empty one */
	int64_t max_runs;     /* 0: no limit */
};

/* Checks the draft, and plans its first run: *values is a row without an id. */
int schedules__draft(struct store *store, const struct schedule_draft *draft, int64_t now_us,
		     cJSON **values, struct error *err);
int schedules__create(struct store *store, const struct schedule_draft *draft, int64_t now_us,
		      cJSON **row, struct error *err);

/* `which` is an id or a name. */
int schedules__find(struct store *store, const char *which, cJSON **row, struct error *err);
/* The first ones by name. */
int schedules__list(struct store *store, int64_t limit, cJSON **rows, struct error *err);
int schedules__count(struct store *store, int64_t *count, struct error *err);
/* The newest runs first. */
int schedules__runs(struct store *store, int64_t id, int64_t limit, cJSON **rows,
		    struct error *err);

enum schedule_change { SCHEDULE_PAUSE, SCHEDULE_RESUME };

/* *row becomes the changed row. With `is_dry`, nothing is written. */
int schedules__change(struct store *store, enum schedule_change change, bool is_dry, int64_t now_us,
		      cJSON **row, struct error *err);
int schedules__delete(struct store *store, int64_t id, struct error *err);
/* Plans a run at this moment, beside those of the recurrence. *run is its row. */
int schedules__run_now(struct store *store, const cJSON *row, int64_t now_us, cJSON **run,
		       struct error *err);

/* The next planned time after `after_us`. *has_next is false if there is none. */
int schedules__plan(const cJSON *row, int64_t after_us, int64_t *next_us, bool *has_next,
		    struct error *err);

/* Marks the schedule as failed, and says why: it cannot be planned. */
int schedules__give_up(struct store *store, const cJSON *row, int64_t now_us,
		       const struct error *why, struct error *err);

/* Gives up the active schedules that have no next time: another program wrote them. Begins a
 * transaction itself, if there are any. */
int schedules__give_up_timeless(struct store *store, int64_t now_us, struct error *err);

#endif
