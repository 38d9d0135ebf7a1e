/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with packs, beyond what keeps them from loading: a slug that is not its folder's
 * name, keys that a step's type does not know, templates that cannot be parsed, ids that are not
 * kebab-case, triggers that another pack has already.
 */
#ifndef STEPTRACE_RUNNER_CHECK_H
#define STEPTRACE_RUNNER_CHECK_H

#include <stddef.h>

#include "runner/pack_list.h"

/* Calls `found` with one sentence per problem, packs in list order; returns how many there were. */
size_t check__packs(const struct pack_list *list, void (*found)(void *data, const char *sentence),
		    void *data);

#endif
