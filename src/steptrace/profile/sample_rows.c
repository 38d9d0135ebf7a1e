// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile/sample_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the row out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

struct row {
	struct sample_sum sum;
	bool is_in_table;
	UT_hash_handle hh;
};

struct sample_rows {
	struct row *rows; /* the head of a uthash table */
	size_t limit;
};

struct sample_rows *sample_rows__new(size_t limit)
{
	struct sample_rows *rows = calloc(1, sizeof(*rows));

	if (rows)
		rows->limit = limit;
	return rows;
}

void sample_rows__free(struct sample_rows *rows)
{
	struct row *next;

	if (!rows)
		return;
	for (struct row *row = rows->rows; row; row = next) {
		next = row->hh.next;
		HASH_DEL(rows->rows, row);
		free(row);
	}
	free(rows);
}

static int add_row(struct sample_rows *rows, const struct sample_sum *sum)
{
	struct row *row = sample_rows__count(rows) < rows->limit ? calloc(1, sizeof(*row)) : NULL;

	if (!row)
		return -ENOMEM;
	row->sum = *sum;
	row->is_in_table = true;
	HASH_ADD(hh, rows->rows, sum.key, sizeof(sum->key), row);
	if (row->is_in_table)
		return 0;
	free(row);
	return -ENOMEM;
}

int sample_rows__add(struct sample_rows *rows, const struct sample_sum *sum)
{
	struct row *row;

	HASH_FIND(hh, rows->rows, &sum->key, sizeof(sum->key), row);
	if (!row)
		return add_row(rows, sum);
	row->sum.samples_count += sum->samples_count;
	row->sum.time_ns += sum->time_ns;
	return 0;
}

const struct sample_sum *sample_rows__next(const struct sample_rows *rows,
					   const struct sample_sum *previous)
{
	const struct row *row = previous ? ((const struct row *)previous)->hh.next : rows->rows;

	return row ? &row->sum : NULL;
}

size_t sample_rows__count(const struct sample_rows *rows)
{
	return HASH_COUNT(rows->rows);
}
