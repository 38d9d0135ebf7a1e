/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The problems of a pack: which rule is broken, where, and a sentence.
 *
 *	packs/notes/command.yaml:12:11: unknown step type 'fragment.make' in step 'save'
 *
 * The loader adds those with which the pack cannot run, `steprun check` the others.
 */
#ifndef STEPTRACE_RUNNER_PACK_PROBLEM_H
#define STEPTRACE_RUNNER_PACK_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "runner/pack/file_problem.h"

/* The names of the rules are in pack_problem.c; steprun(1) describes them. */
enum pack_rule {
	RULE_UNREADABLE_FILE,
	RULE_INVALID_YAML,
	RULE_MISSING_KEY,
	RULE_INVALID_VALUE,
	RULE_TOO_MANY_STEPS,
	RULE_UNKNOWN_TYPE,
	RULE_UNKNOWN_KEY,
	RULE_UNKNOWN_FILTER,
	RULE_UNKNOWN_STEP,
	RULE_INVALID_TEMPLATE,
	RULE_DUPLICATE_ID,
	RULE_ID_STYLE,
	RULE_SLUG_MISMATCH,
	RULE_DUPLICATE_SLUG,
	RULE_DUPLICATE_TRIGGER,
	RULE_UNREACHABLE_BRANCH,
	RULE_EMPTY_CONDITION,
	PACK_RULE_COUNT,
};

/* A file's name and sentence are printable (printable.h). */
struct pack_problem {
	enum pack_rule rule;
	int code;                  /* negative errno with which loading fails */
	char *file;                /* owned */
	unsigned int line, column; /* from 1; 0: the file as a whole */
	char *sentence;            /* owned; without the place */
	size_t order;              /* in which the problems were added */
};

/* Zeroed: none. */
struct pack_problems {
	struct pack_problem *items; /* owned */
	size_t count, room;
	bool lacks_memory; /* at least one problem could not be added */
};

/* In kebab-case: "unknown-type". */
const char *pack_rule__name(enum pack_rule rule);

/* Adds a copy of `problem`, whose `file` and `sentence` are borrowed. */
void pack_problems__add(struct pack_problems *problems, const struct pack_problem *problem);
/* The same for a problem of a whole file. */
void pack_problems__add_file(struct pack_problems *problems, enum pack_rule rule, int code,
			     const char *file, const struct file_problem *problem);
/* Sorts by file and position. Those of one position keep their order. */
void pack_problems__sort(struct pack_problems *problems);
void pack_problems__free(struct pack_problems *problems);

/* Writes "FILE:LINE:COLUMN: SENTENCE", or "FILE: SENTENCE"; returns the problem's code. */
int pack_problem__tell(const struct pack_problem *problem, struct error *err);

#endif
