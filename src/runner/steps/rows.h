/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the steps that read and write rows of any model share.
 *
 * Functions return 0, or a negative errno with a sentence in run->err. The caller deletes the trees
 * that they return.
 */
#ifndef STEPTRACE_RUNNER_ROWS_H
#define STEPTRACE_RUNNER_ROWS_H

#include "runner/run/step_run.h"

/* What a pack may set: columns that the table has, but for `id` and `deleted_at`. */
int rows__check_data(struct step_run *run, const struct store_table *table, const cJSON *data);

/* Inserts a row with these values, and the time of the execution in created_at and updated_at. *row
 * is the whole new row. In a dry run it has the same columns; its id is null. */
int rows__create(struct step_run *run, const struct store_table *table, cJSON *values, cJSON **row);

/* A row as it would be after an update: with all columns of the table. `row` may be NULL, then the
 * columns that `values` does not set are null. NULL: out of memory. */
cJSON *rows__pretended(const struct store_table *table, const cJSON *row, const cJSON *values);

/* The id of a row of the database. */
int64_t rows__id(const cJSON *row);

/* Adds the related rows that the key `with_relations` names to each row (store_relations.h). */
int rows__add_relations(struct step_run *run, const struct store_table *table, cJSON *rows);

/* run->output = {"results": rows, "count": 2}, with `fragments`, the same list, for that table.
 * Takes ownership of `rows`, also on failure. */
int rows__answer(struct step_run *run, const struct store_table *table, cJSON *rows);

int rows__no_memory(struct step_run *run);

#endif
