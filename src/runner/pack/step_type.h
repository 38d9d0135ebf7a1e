/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of step types: the name of a type in packs, its name in events, the keys it knows,
 * and the function that runs it. The pack loader, `steprun
 * check`, the execution and the tests read this table. Each type is a file in steps/, which ends
 * with its row of the table:
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

#include "runner/pack/param.h"

struct step_run;

struct step_type {
	const char *name;       /* "fragment.create" */
	const char *event_name; /* "FragmentCreateStep" */
	/* The keys that the type knows, ended by NULL; without `then` and `else`. */
	const char *const *keys;
	bool has_branches; /* `then` and `else` are lists of steps */
	/* The key whose text without braces is an expression, or a filter; NULL: none (param.h). */
	const char *expression_key, *filters_key;
	/* Returns 0 or a negative errno, which determines the error category (execution.h). If it
	 * fails, everything that it wrote is rolled back. */
	int (*run)(struct step_run *run);
};

enum { STEP_TYPE_COUNT = 23 };

extern const struct step_type *const step_types[STEP_TYPE_COUNT];

/* The type with that name in packs, such as "fragment.create"; NULL: unknown. */
const struct step_type *step_type__find(const char *name);
bool step_type__knows(const struct step_type *type, const char *key);
/* How the text of a key is parsed. */
enum param_syntax step_type__syntax(const struct step_type *type, const char *key);

#endif
