/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds problems in packs, for `steprun check`. Reports packs that cannot be loaded, and in packs
 * that can: a slug that differs from the folder's name, keys that the step's type does not know,
 * templates that cannot be parsed, step ids that are not kebab-case, and triggers that another pack
 * already uses.
 */
#ifndef STEPTRACE_RUNNER_CHECK_H
#define STEPTRACE_RUNNER_CHECK_H

#include <stddef.h>

#include "runner/pack/pack_list.h"

/* Calls `found` with one sentence for each problem, pack by pack in list order. The sentence is
 * valid during the call only. Returns the number of problems. */
size_t check__packs(const struct pack_list *list, void (*found)(void *data, const char *sentence),
		    void *data);

#endif
