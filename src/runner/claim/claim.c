// SPDX-License-Identifier: BSD-2-Clause
#include "runner/claim/claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "runner/store/store_row.h"
#include "runner/store/store_where.h"

#define RUNNING "running"

enum { EXPIRED_MAX = 1000, LEASE_MS_MAX = 86400000 };

#define PAUSE_NS_MAX 1000000000ull

/* ------------------------------------------------------------------ this process */

static void read_boot_id(char text[CLAIM_BOOT_BYTES])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(text, CLAIM_BOOT_BYTES, file))
		snprintf(text, CLAIM_BOOT_BYTES, "unknown");
	text[strcspn(text, "\n")] = 0;
	if (file)
		fclose(file);
}

void claimant__init(struct claimant *claimant, uint64_t lease_ns)
{
	char host[64] = "";
	uint64_t noise = 0;

	gethostname(host, sizeof(host) - 1);
	if (getrandom(&noise, sizeof(noise), 0) != sizeof(noise))
		noise = clock__now_ns();
	snprintf(claimant->owner, sizeof(claimant->owner), "%s:%d:%016llx", host, (int)getpid(),
		 (unsigned long long)noise);
	read_boot_id(claimant->boot);
	claimant->lease_ns = lease_ns;
}

/* ------------------------------------------------------------------ columns */

static int64_t now_ms(void)
{
	return (int64_t)(clock__now_ns() / 1000000);
}

static bool set_lease(cJSON *values, const struct claimant *claimant)
{
	int64_t until_ms = now_ms() + (int64_t)(claimant->lease_ns / 1000000);

	return cJSON_AddNumberToObject(values, "lease_until_ms", (double)until_ms);
}

bool claim__fill(cJSON *values, const struct claimant *claimant)
{
	return cJSON_AddStringToObject(values, "status", RUNNING) &&
	       cJSON_AddStringToObject(values, "owner", claimant->owner) &&
	       cJSON_AddStringToObject(values, "lease_boot", claimant->boot) &&
	       set_lease(values, claimant);
}

static bool clear(cJSON *values)
{
	return cJSON_AddNullToObject(values, "owner") &&
	       cJSON_AddNullToObject(values, "lease_boot") &&
	       cJSON_AddNullToObject(values, "lease_until_ms");
}

/* ------------------------------------------------------------------ claims */

/* Takes ownership of `values`; `is_complete` false: out of memory. */
static int update(struct store_where *where, struct store *store, cJSON *values, bool is_complete,
		  bool *changed)
{
	int64_t count = 0;
	int code;

	if (!is_complete) {
		cJSON_Delete(values);
		values = NULL;
	}
	code = store_where__update(where, store, values, &count);
	*changed = !code && count > 0;
	return code;
}

int claim__take(struct store *store, const struct store_table *table, int64_t id, const char *from,
		cJSON *values, const struct claimant *claimant, bool *taken, struct error *err)
{
	struct store_where where;

	store_where__begin(&where, table, err);
	store_where__number(&where, "id", "=", id);
	store_where__text(&where, "status", "=", from);
	return update(&where, store, values, values && claim__fill(values, claimant), taken);
}

static void begin_ours(struct store_where *where, const struct store_table *table, int64_t id,
		       const struct claimant *claimant, struct error *err)
{
	store_where__begin(where, table, err);
	store_where__number(where, "id", "=", id);
	store_where__text(where, "status", "=", RUNNING);
	store_where__text(where, "owner", "=", claimant->owner);
}

int claim__renew(struct store *store, const struct store_table *table, int64_t id,
		 const struct claimant *claimant, bool *is_ours, struct error *err)
{
	cJSON *values = cJSON_CreateObject();
	struct store_where where;

	begin_ours(&where, table, id, claimant, err);
	return update(&where, store, values, values && set_lease(values, claimant), is_ours);
}

int claim__end(struct store *store, const struct store_table *table, int64_t id, cJSON *values,
	       const struct claimant *claimant, bool *is_ours, struct error *err)
{
	struct store_where where;

	begin_ours(&where, table, id, claimant, err);
	return update(&where, store, values, values && clear(values), is_ours);
}

/* ------------------------------------------------------------------ claims of others */

static uint64_t pause_ns(const struct claimant *claimant)
{
	uint64_t part_ns = claimant->lease_ns / 6;

	return part_ns < PAUSE_NS_MAX ? part_ns : PAUSE_NS_MAX;
}

/* No lease lasts longer than a day: another program has written such a row. */
static bool is_expired(const cJSON *row, const struct claimant *claimant)
{
	int64_t until_ms = store_row__number(row, "lease_until_ms"), at_ms = now_ms();

	return strcmp(store_row__text(row, "lease_boot"), claimant->boot) != 0 ||
	       until_ms < at_ms || until_ms - at_ms > LEASE_MS_MAX;
}

/* *rows are the running rows whose lease has expired. */
static int find_expired(struct store *store, const struct store_table *table,
			const struct claimant *claimant, cJSON **rows, struct error *err)
{
	struct store_where where;
	int code;

	store_where__begin(&where, table, err);
	store_where__text(&where, "status", "=", RUNNING);
	store_where__order(&where, "lease_until_ms");
	code = store_where__all(&where, store, EXPIRED_MAX, rows);
	for (cJSON *row = *rows ? (*rows)->child : NULL, *next; row; row = next) {
		next = row->next;
		if (!is_expired(row, claimant))
			cJSON_Delete(cJSON_DetachItemViaPointer(*rows, row));
	}
	return code;
}

int claim__end_expired(struct store *store, const struct store_table *table, const cJSON *row,
		       cJSON *values, struct error *err)
{
	struct store_where where;
	bool ended;

	store_where__begin(&where, table, err);
	store_where__number(&where, "id", "=", store_row__number(row, "id"));
	store_where__text(&where, "status", "=", RUNNING);
	return update(&where, store, values, values && clear(values), &ended);
}

/* In the transaction. */
static int end_found(struct store *store, const struct store_table *table,
		     const struct claimant *claimant, claim_ender *end, void *context,
		     struct error *err)
{
	cJSON *rows;
	const cJSON *row;
	int code = find_expired(store, table, claimant, &rows, err);

	cJSON_ArrayForEach (row, rows) {
		if (!code)
			code = end(context, store, row, err);
	}
	cJSON_Delete(rows);
	return code;
}

static void pause_once(const struct claimant *claimant)
{
	uint64_t ns = pause_ns(claimant);
	const struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000),
				       .tv_nsec = (long)(ns % 1000000000)};

	nanosleep(&pause, NULL);
}

/* *has_waited: others may have waited for the lock, too, with a renewal. */
static int begin_ending(struct store *store, const struct claimant *claimant, bool *has_waited,
			struct error *err)
{
	uint64_t begin_ns = clock__now_ns();
	int code = store__begin(store, err);

	*has_waited = !code && clock__now_ns() - begin_ns > pause_ns(claimant);
	if (*has_waited)
		store__rollback(store);
	return code;
}

int claim__end_all_expired(struct store *store, const struct store_table *table,
			   const struct claimant *claimant, claim_ender *end, void *context,
			   struct error *err)
{
	cJSON *rows;
	int code = find_expired(store, table, claimant, &rows, err);
	bool is_any = cJSON_GetArraySize(rows) > 0, has_waited;

	cJSON_Delete(rows);
	if (code || !is_any)
		return code;
	pause_once(claimant);
	code = begin_ending(store, claimant, &has_waited, err);
	if (code || has_waited)
		return code;
	code = end_found(store, table, claimant, end, context, err);
	return store__end(store, code, err);
}
