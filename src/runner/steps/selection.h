/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys by which steps select rows for reading:
 *
 *	conditions	a list of {field, operator, value, boolean}, or a map
 *	filters		a map of column -> value; a list as the value means any of its items
 *	boolean		"or": at least one of the conditions or filters; default: all
 *	search		text that the title, the name, the message or the description contains
 *	order		see store_query.h
 *	limit, offset
 *
 * The query borrows values from the selection, so the selection outlives it. Functions return 0, or
 * a negative errno with a sentence in run->err.
 */
#ifndef STEPTRACE_RUNNER_SELECTION_H
#define STEPTRACE_RUNNER_SELECTION_H

#include "runner/run/step_run.h"

struct selection {
	cJSON *conditions, *filters, *order, *limit, *offset; /* owned; NULL: the step has none */
	char *boolean, *search;                               /* owned */
};

/* Adds what the step selects to the query. Without the key `order`, it is `default_order`; NULL:
 * none. Call selection__free() in any case. */
int selection__read(struct selection *selection, struct step_run *run, struct store_query *query,
		    const char *default_order);
void selection__free(struct selection *selection);

#endif
