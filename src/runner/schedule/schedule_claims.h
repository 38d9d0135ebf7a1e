/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of schedules, as servers execute them.
 *
 * A claim is one transaction: it inserts the run, whose schedule and planned time are unique, and
 * plans the next one. So one planned run begins once, whatever the servers and their clocks do.
 * What was missed runs once: the claim takes the oldest planned time, and plans from now on.
 */
#ifndef STEPTRACE_RUNNER_SCHEDULE_CLAIMS_H
#define STEPTRACE_RUNNER_SCHEDULE_CLAIMS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/claim/claim.h"

struct schedule_claim {
	int64_t schedule_id, run_id;
	int64_t planned_us; /* microseconds since 1970 */
	cJSON *schedule;    /* owned: the row */
};

/* Claims one run that is due. *found is false if there is none. `correlation_id` is that of the
 * run. Returns 0 or the errors of store.h; -EIO also if the only schedules that are due cannot be
 * planned for now. The caller frees the claim, if one was found. */
int schedule_claim__take(struct store *store, const struct claimant *claimant, int64_t now_us,
			 const char *correlation_id, struct schedule_claim *claim, bool *found,
			 struct error *err);
void schedule_claim__free(struct schedule_claim *claim);

/* Ends the run. `category` is the error category, NULL: it succeeded. *is_ours is false if another
 * server has ended it. */
int schedule_claim__end(struct store *store, const struct claimant *claimant,
			const struct schedule_claim *claim, int64_t now_us, const char *category,
			bool *is_ours, struct error *err);

/* Fails the runs whose lease has expired. *count is how many. */
int schedule_claims__fail_expired(struct store *store, const struct claimant *claimant,
				  int64_t now_us, size_t *count, struct error *err);

#endif
