/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rows belong to which: the names that packs give in `with_relations`. */
#ifndef STEPTRACE_RUNNER_STORE_RELATIONS_H
#define STEPTRACE_RUNNER_STORE_RELATIONS_H

#include <stdbool.h>

struct store_relation {
	const char *from, *name;  /* the table, and the relation: "work_items", "assignments" */
	const char *to;           /* the other table */
	const char *key, *to_key; /* the columns that are equal */
	bool has_many;            /* a list of rows; false: one row or none */
};

/* The same for `assigned_agent` and `assignedAgent`. NULL: the table has no such relation. */
const struct store_relation *store_relation__find(const char *table, const char *name);

#endif
