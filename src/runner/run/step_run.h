/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of one step: the argument of a step type's function, and helpers for these functions.
 *
 * Functions return 0, or a negative errno with a sentence in run->err. The caller owns the trees
 * and texts that they return.
 */
#ifndef STEPTRACE_RUNNER_STEP_RUN_H
#define STEPTRACE_RUNNER_STEP_RUN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <steptrace.h>

#include "common/error.h"
#include "runner/pack/pack.h"
#include "runner/run/execution_state.h"
#include "runner/store/store.h"
#include "runner/store/store_query.h"
#include "runner/template/template.h"

/* A fragment that the step changed. The probe fragment__changed fires when the transaction has
 * been committed. */
struct fragment_change {
	int64_t id;
	enum steptrace_operation operation;
};

struct step_run {
	struct execution *execution;
	const struct pack_step *step;
	struct steptrace_step *span; /* the step sets mutations, items, fragment id and tokens */
	cJSON *output;               /* the step sets it; becomes steps.<id>.output */
	struct error *err;           /* the sentence, if the step fails */
	struct fragment_change *changes;
	size_t change_count;
	bool is_locked; /* step_run__lock() */
};

void step_run__free(struct step_run *run);

bool step_run__is_dry(const struct step_run *run);
struct store *step_run__store(const struct step_run *run);

/* Begins the transaction of a step that writes: takes the write lock of the database. Other runners
 * wait for it, so a step calls this when all of its values are rendered, before it reads the rows
 * that it will change. The execution commits, or rolls back if the step fails. Does nothing in a
 * dry run. */
int step_run__lock(struct step_run *run);

/* What the step's templates can read, with some more names, which are borrowed; and the deadline of
 * the execution. */
struct scope step_run__scope(const struct step_run *run, const struct scope_name *names,
			     size_t count);

/* ---- parameters */

/* The rendered value of a key. *value is NULL if the step does not have the key. */
int step_run__value(struct step_run *run, const char *key, cJSON **value);

/* The same; blanks around the template of the key do not count (template.h). */
int step_run__trimmed(struct step_run *run, const char *key, cJSON **value);

/* The same as text. *text is NULL if the value is missing, null or empty. */
int step_run__text(struct step_run *run, const char *key, char **text);

/* The same as a map: the value must be a map, or text that is a JSON object. *map is NULL if the
 * value is missing. */
int step_run__map(struct step_run *run, const char *key, cJSON **map);

/* If `value` is text that is valid JSON, returns the parsed tree and deletes `value`; otherwise
 * returns `value` unchanged. */
cJSON *step_value__parsed(cJSON *value);

/* Converts a value to a list: null is an empty list, a scalar or an object is a list of one item,
 * the result of a query is the list of its rows. Takes ownership of `value`. NULL: out of
 * memory. */
cJSON *step_value__list(cJSON *value);

/* The id of a row: a whole number above 0, or text that is such a number; otherwise -EINVAL. */
int step_value__id(const cJSON *value, int64_t *id);

/* ---- rows */

/* The table that the key "model" names. */
int step_run__table(struct step_run *run, const struct store_table **table);

/* Adds the keys `id` and `conditions` to the query; at least one of the two must be given. The
 * query borrows from *kept, which must outlive it and which the caller deletes. */
int step_run__target(struct step_run *run, struct store_query *query, cJSON **kept);

/* Sets `column` in `values` to the execution's time, if the table has the column and `values` does
 * not. */
int step_run__stamp(struct step_run *run, const struct store_table *table, cJSON *values,
		    const char *column);

/* ---- what the tracer sees */

/* Sets the fragment id of the step's span. */
void step_run__set_fragment(struct step_run *run, int64_t id);

/* Remembers the change if `table` is `fragments`. If the step fails, its changes are dropped. */
void step_run__changed(struct step_run *run, const struct store_table *table, int64_t id,
		       enum steptrace_operation operation);
/* Fires the probe fragment__changed for each remembered change. */
void step_run__tell_changes(struct step_run *run);

#endif
