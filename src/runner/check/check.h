/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds problems in packs, for `steprun check`: those with which a pack cannot run, which the
 * loader has found, and those with which it runs, but not as its author means.
 *
 *	check_keys.c		keys that nothing reads, and the style of names
 *	check_templates.c	templates and bare expressions that cannot be parsed
 *	check_references.c	steps.ID without such a step
 *	check_branches.c	branches that can never run
 *	check_collisions.c	slugs and triggers that two packs claim
 */
#ifndef STEPTRACE_RUNNER_CHECK_H
#define STEPTRACE_RUNNER_CHECK_H

#include <stddef.h>

#include "runner/pack/pack_list.h"

/* Adds the problems to those of the packs, and calls `found` for each, pack by pack in list order,
 * sorted by position. *count is their number. Returns 0 or -ENOMEM. */
int check__packs(struct pack_list *list,
		 void (*found)(void *data, const struct pack_entry *entry,
			       const struct pack_problem *problem),
		 void *data, size_t *count);

#endif
