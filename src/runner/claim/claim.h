/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claims: several processes take work out of one table, and each row is worked on by one of them.
 *
 * A row has the columns status, owner, lease_boot and lease_until_ms. To claim it, a process sets
 * its status from the one that it had to "running", its owner to its own name, and a lease. It
 * renews the lease while it works, and sets another status at the end. If the lease has expired,
 * the process has ended or stands still, and any process may end the row in its place. Then the
 * row is not the owner's any more: its renewals and its end find no row, and it learns so.
 *
 * Leases count on CLOCK_MONOTONIC, so a clock that is set makes no difference. That clock begins
 * anew at each boot; therefore the lease names the boot. All processes run on one machine, as
 * SQLite demands.
 */
#ifndef STEPTRACE_RUNNER_CLAIM_H
#define STEPTRACE_RUNNER_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/store/store.h"

enum { CLAIM_OWNER_BYTES = 128, CLAIM_BOOT_BYTES = 64 };

/* Of a process. Read-only after claimant__init(), so its threads may share it. */
struct claimant {
	char owner[CLAIM_OWNER_BYTES]; /* "host:pid:random" */
	char boot[CLAIM_BOOT_BYTES];
	uint64_t lease_ns;
};

void claimant__init(struct claimant *claimant, uint64_t lease_ns);

/* The members of a new row that is claimed at once. False: out of memory. */
bool claim__fill(cJSON *values, const struct claimant *claimant);

/* Claims a row whose status is `from`. Takes ownership of `values`, further columns to set. *taken
 * is false if the row does not have that status any more. Errors as in store.h. */
int claim__take(struct store *store, const struct store_table *table, int64_t id, const char *from,
		cJSON *values, const struct claimant *claimant, bool *taken, struct error *err);

/* *is_ours is false if another process has ended the row. */
int claim__renew(struct store *store, const struct store_table *table, int64_t id,
		 const struct claimant *claimant, bool *is_ours, struct error *err);

/* Ends the claim. Takes ownership of `values`, which set the new status. */
int claim__end(struct store *store, const struct store_table *table, int64_t id, cJSON *values,
	       const struct claimant *claimant, bool *is_ours, struct error *err);

/* Ends a row whose lease has expired, inside a transaction: it calls claim__end_expired(). */
typedef int claim_ender(void *context, struct store *store, const cJSON *row, struct error *err);
/* Calls `end` for the running rows whose lease has expired, in one transaction. A process that
 * could not renew its leases, because the database was locked, has a chance to do it first: the
 * function looks twice, with a pause, and does nothing after it had to wait for the lock itself. */
int claim__end_all_expired(struct store *store, const struct store_table *table,
			   const struct claimant *claimant, claim_ender *end, void *context,
			   struct error *err);
/* Takes ownership of `values`, which set the new status. */
int claim__end_expired(struct store *store, const struct store_table *table, const cJSON *row,
		       cJSON *values, struct error *err);

#endif
