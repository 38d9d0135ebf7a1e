/* SPDX-License-Identifier: BSD-2-Clause */
/* The pack that is being checked, for the check_*.c files. Private to them. */
#ifndef STEPTRACE_RUNNER_CHECKER_H
#define STEPTRACE_RUNNER_CHECKER_H

#include "runner/pack/pack_list.h"

struct checker {
	const struct pack_list *list;
	struct pack_entry *entry;
	const struct pack *pack; /* of `entry`; its manifest is a mapping */
};

/* Adds a problem at the position of a value of the manifest, or of its key. */
void checker__report(struct checker *checker, enum pack_rule rule, const cJSON *node,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
void checker__report_key(struct checker *checker, enum pack_rule rule, const cJSON *node,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a problem in a template of the manifest or of a prompt: at this line and column of its text.
 * `step` is the step that has the template; NULL: a prompt. */
void checker__report_in(struct checker *checker, enum pack_rule rule, const struct pack_step *step,
			const cJSON *node, int line, int column, const char *sentence);

void check_keys__run(struct checker *checker);
void check_orders__run(struct checker *checker);
void check_templates__run(struct checker *checker);
void check_references__run(struct checker *checker);
void check_branches__run(struct checker *checker);
void check_collisions__run(struct checker *checker);

#endif
