// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the row out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

struct row {
	struct latency_row row;
	bool is_in_table;
	UT_hash_handle hh;
	char key[];
};

struct latency_table {
	struct row *rows; /* the head of a uthash table */
	struct latency_row other;
	size_t limit;
	uint64_t lost;
	struct text_hash hash; /* keys come from the traced processes */
};

struct latency_table *latency_table__new(size_t limit)
{
	struct latency_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->limit = limit;
	text_hash__init(&table->hash);
	return table;
}

void latency_table__clear(struct latency_table *table)
{
	struct row *next;

	for (struct row *row = table->rows; row; row = next) {
		next = row->hh.next;
		HASH_DEL(table->rows, row);
		histogram__clear(&row->row.durations);
		free(row);
	}
	histogram__clear(&table->other.durations);
	table->other = (struct latency_row){.key = NULL};
}

void latency_table__free(struct latency_table *table)
{
	if (!table)
		return;
	latency_table__clear(table);
	free(table);
}

/* ---- adding */

static struct latency_row *make_row(struct latency_table *table, const char *key, size_t key_bytes,
				    unsigned int hash)
{
	struct row *row = calloc(1, sizeof(*row) + key_bytes);

	if (!row)
		return NULL;
	memcpy(row->key, key, key_bytes);
	row->row.key = row->key;
	row->row.key_bytes = key_bytes;
	row->is_in_table = true;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->rows, row->key, key_bytes, hash, row);
	if (row->is_in_table)
		return &row->row;
	free(row);
	return NULL;
}

/* NULL: no memory. */
static struct latency_row *row_of(struct latency_table *table, const char *key, size_t key_bytes)
{
	unsigned int hash = (unsigned int)text_hash__of(&table->hash, key, key_bytes);
	struct row *row;

	HASH_FIND_BYHASHVALUE(hh, table->rows, key, key_bytes, hash, row);
	if (row)
		return &row->row;
	if (HASH_COUNT(table->rows) >= table->limit)
		return &table->other;
	return make_row(table, key, key_bytes, hash);
}

int latency_table__add(struct latency_table *table, const char *key, size_t key_bytes,
		       const struct latency_value *value)
{
	struct latency_row *row = row_of(table, key, key_bytes);

	if (!row || (value->is_timed && histogram__add(&row->durations, value->duration_ns, 1))) {
		table->lost++;
		return -ENOMEM;
	}
	row->count++;
	row->time_ns += value->is_timed ? value->duration_ns : 0;
	row->untimed += !value->is_timed;
	row->failures += value->has_failed;
	if (value->cpu)
		cpu_sums__add(&row->cpu, value->cpu);
	return 0;
}

int latency_table__add_open(struct latency_table *table, const char *key, size_t key_bytes,
			    const struct open_value *value, bool in_durations)
{
	struct latency_row *row = row_of(table, key, key_bytes);

	if (!row || (in_durations && value->age_ns && !value->has_ended &&
		     histogram__add(&row->durations, value->age_ns, 1))) {
		table->lost++;
		return -ENOMEM;
	}
	row->is_oldest_known = value->is_age_known && (!row->open || row->is_oldest_known);
	if (value->age_ns > row->oldest_open_ns)
		row->oldest_open_ns = value->age_ns;
	row->open++;
	row->time_ns += value->age_ns;
	return 0;
}

/* ---- reading */

static int compare_keys(const struct latency_row *one, const struct latency_row *other)
{
	size_t shorter = one->key_bytes < other->key_bytes ? one->key_bytes : other->key_bytes;
	int order = memcmp(one->key, other->key, shorter);

	return order ? order : one->key_bytes < other->key_bytes ? -1 : 1;
}

static int compare(const void *left, const void *right)
{
	const struct latency_row *one = *(const struct latency_row *const *)left;
	const struct latency_row *other = *(const struct latency_row *const *)right;

	if (one->time_ns != other->time_ns)
		return one->time_ns < other->time_ns ? 1 : -1;
	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	return compare_keys(one, other);
}

/* A row whose first value found no memory has none. */
const struct latency_row **latency_table__sorted(const struct latency_table *table, size_t *count)
{
	const struct latency_row **sorted = calloc(HASH_COUNT(table->rows) + 1, sizeof(*sorted));

	*count = 0;
	if (!sorted)
		return NULL;
	for (const struct row *row = table->rows; row; row = row->hh.next)
		if (row->row.count || row->row.open)
			sorted[(*count)++] = &row->row;
	qsort(sorted, *count, sizeof(*sorted), compare);
	if (table->other.count || table->other.open)
		sorted[(*count)++] = &table->other;
	return sorted;
}

static int add_up(struct latency_row *total, const struct latency_row *row)
{
	total->count += row->count;
	total->untimed += row->untimed;
	total->failures += row->failures;
	return histogram__merge(&total->durations, &row->durations);
}

int latency_table__total(const struct latency_table *table, struct latency_row *total)
{
	int code;

	*total = (struct latency_row){.key = NULL};
	code = add_up(total, &table->other);
	for (const struct row *row = table->rows; row && !code; row = row->hh.next)
		code = add_up(total, &row->row);
	if (code)
		histogram__clear(&total->durations);
	return code;
}

uint64_t latency_table__lost(const struct latency_table *table)
{
	return table->lost;
}

size_t latency_table__bytes(const struct latency_table *table)
{
	size_t bytes = histogram__bytes(&table->other.durations);

	for (const struct row *row = table->rows; row; row = row->hh.next)
		bytes += sizeof(*row) + row->row.key_bytes + histogram__bytes(&row->row.durations);
	return bytes;
}
