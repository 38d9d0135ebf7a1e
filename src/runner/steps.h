/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one table of step types: what packs call a type, what events call it, which keys it knows,
 * whether it writes, and the function that runs it. The pack loader, `check`, the execution and
 * the tests all read this table. A type is a file in steps/ that ends in its row:
 *
 *	const struct step_type step_notify = {
 *		.name = "notify",
 *		.event_name = "NotifyStep",
 *		.keys = keys,
 *		.run = run,
 *	};
 */
#ifndef STEPTRACE_RUNNER_STEPS_H
#define STEPTRACE_RUNNER_STEPS_H

#include <stdbool.h>

struct step_run;

struct step_type {
	const char *name;       /* "fragment.create" */
	const char *event_name; /* "FragmentCreateStep" */
	const char *const
		*keys;     /* that it knows, ended by NULL; `then` and `else` need no naming */
	bool mutates;      /* runs in a transaction of its own */
	bool has_branches; /* `then` and `else` are steps */
	/* Returns 0 or a negative errno, from which the error category follows (execution.h).
	 * Everything it wrote is rolled back when it fails. */
	int (*run)(struct step_run *run);
};

enum { STEP_TYPE_COUNT = 10 };

extern const struct step_type *const step_types[STEP_TYPE_COUNT];

/* By dotted name; NULL where there is none. */
const struct step_type *step_type__find(const char *name);
bool step_type__knows(const struct step_type *type, const char *key);

#endif
