/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A query with conditions that the program itself makes, and that owns their values. All conditions
 * must hold.
 *
 *	struct store_where where;
 *
 *	store_where__begin(&where, store__table(store, "jobs"), err);
 *	store_where__text(&where, "status", "=", "queued");
 *	store_where__number(&where, "id", "=", 7);
 *	code = store_where__first(&where, store, &row);
 *
 * The functions that add keep the first error, and the function that ends the query returns it.
 * Texts are borrowed until then. Each of these ends the query: first, all, count, update.
 */
#ifndef STEPTRACE_RUNNER_STORE_WHERE_H
#define STEPTRACE_RUNNER_STORE_WHERE_H

#include "runner/store/store_query.h"
#include "runner/value/integer.h"

enum { STORE_WHERE_MAX = 8 };

struct store_where {
	struct store_query query;
	cJSON texts[STORE_WHERE_MAX];
	struct integer_value numbers[STORE_WHERE_MAX];
	size_t count;
	const char *joint; /* of the next condition; NULL: and */
	int code;
	struct error *err;
};

void store_where__begin(struct store_where *where, const struct store_table *table,
			struct error *err);
void store_where__text(struct store_where *where, const char *field, const char *operator,
		       const char * text);
void store_where__number(struct store_where *where, const char *field, const char *operator,
			 int64_t number);
/* The value is one of the list, which is borrowed. */
void store_where__in(struct store_where *where, const char *field, const cJSON *list);
/* The only condition: the row has this status, and no time in the column. Such a row of another
 * program is never due. */
void store_where__timeless(struct store_where *where, const char *status, const char *field);
/* "column" or "column desc"; without it, by id. */
void store_where__order(struct store_where *where, const char *order);

/* *row is the first row, which the caller deletes; NULL: there is none. */
int store_where__first(struct store_where *where, struct store *store, cJSON **row);
/* At most `limit` rows. */
int store_where__all(struct store_where *where, struct store *store, int64_t limit, cJSON **rows);
int store_where__count(struct store_where *where, struct store *store, int64_t *count);
/* Takes ownership of `values`; NULL: out of memory. *changed may be NULL. */
int store_where__update(struct store_where *where, struct store *store, cJSON *values,
			int64_t *changed);

#endif
