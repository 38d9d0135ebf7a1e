/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of one step: what the function of a step type gets, and what all types share.
 *
 * Functions return 0 or a negative errno with the sentence in run->err. Trees and texts handed
 * out belong to the caller.
 */
#ifndef STEPTRACE_RUNNER_STEP_RUN_H
#define STEPTRACE_RUNNER_STEP_RUN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <steptrace.h>

#include "common/error.h"
#include "runner/execution.h"
#include "runner/pack.h"
#include "runner/store.h"
#include "runner/store_query.h"

/* A fragment that the step changed, told to the tracer once it is certain. */
struct fragment_change {
	int64_t id;
	enum steptrace_operation operation;
};

struct step_run {
	struct execution *execution;
	const struct pack_step *step;
	struct steptrace_step *span; /* mutations, items, fragment id, tokens are said here */
	cJSON *output;               /* left here on success; becomes steps.<id>.output */
	struct error *err;           /* the sentence, on failure */
	struct fragment_change *changes;
	size_t change_count;
};

void step_run__free(struct step_run *run);

bool step_run__is_dry(const struct step_run *run);
struct store *step_run__store(const struct step_run *run);

/* ---- parameters */

/* The rendered value of a key; NULL in *value where the step has no such key. */
int step_run__value(struct step_run *run, const char *key, cJSON **value);

/* The same as text: NULL where it is missing, null or empty. */
int step_run__text(struct step_run *run, const char *key, char **text);

/* The same as a map. Fails where it is neither a map, a JSON object in text, nor missing. */
int step_run__map(struct step_run *run, const char *key, cJSON **map);

/* Text that is JSON as what it says; everything else stays. Takes `value`, gives a tree. */
cJSON *step_value__parsed(cJSON *value);

/* A whole number above 0, or text that is one. -EINVAL otherwise. */
int step_value__id(const cJSON *value, int64_t *id);

/* ---- rows */

/* The table that the key "model" names. */
int step_run__table(struct step_run *run, const struct store_table **table);

/* `id` and `conditions` into the query: at least one of the two must be there. They are kept in
 * *kept, which must outlive the query. */
int step_run__target(struct step_run *run, struct store_query *query, cJSON **kept);

/* Stamps a column with the execution's time, where the table has it and the values do not. */
int step_run__stamp(struct step_run *run, const struct store_table *table, cJSON *values,
		    const char *column);

/* ---- what the span says */

void step_run__set_fragment(struct step_run *run, int64_t id);

/* Remembers a change if the table is the fragments'; forgotten when the step fails. */
void step_run__changed(struct step_run *run, const struct store_table *table, int64_t id,
		       enum steptrace_operation operation);
void step_run__tell_changes(struct step_run *run);

#endif
